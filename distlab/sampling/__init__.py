"""A validated study in; its samples in the store out."""
