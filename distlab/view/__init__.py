"""A run folder and its store in; pages over samples and verdicts out, for one local browser."""
