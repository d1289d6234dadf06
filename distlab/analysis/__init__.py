"""Arrays of verdicts in; estimates with intervals out. Pure functions, no I/O."""
