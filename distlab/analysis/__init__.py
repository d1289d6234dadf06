"""Tables of verdicts in; figures out. Pure functions, no I/O."""
