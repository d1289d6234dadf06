"""A comparison in; pass, fail or cannot tell out, as an exit status."""
