"""Sizes of a checkpoint and of nodes in; what fits where out. Pure."""
