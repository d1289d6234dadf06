"""Dataset files and hub sets in; Problems out."""
