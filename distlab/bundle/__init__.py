"""A run with its samples as one archive."""
