"""Structured config (Hydra) in; frozen, validated values out."""
