"""Rows and columns in; terminal, Markdown, LaTeX, CSV and plain records out."""
