"""Checkpoints: a name in the config in; a path or hub id that vLLM can load out."""
