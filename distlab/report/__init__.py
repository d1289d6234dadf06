"""Run folders in; report.md out. Renders, never computes."""
