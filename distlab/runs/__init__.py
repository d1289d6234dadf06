"""A run folder on disk in; its manifest, and its verdicts as arrays, out."""
