"""Samples in; verdicts out. Ray Data lives here."""
