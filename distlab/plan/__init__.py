"""A prepared study in; what a run of it would do out, as frozen numbers: no engine, no Ray."""
