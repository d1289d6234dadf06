"""What `import distlab` offers: runs as tables, and runs from Python."""
