"""A folder that a training writes checkpoints to in; a report on all of them out, kept current."""
