"""What a person sees of a command: progress, quiet, exit status."""
