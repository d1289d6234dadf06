"""A scored run in; files in the formats of others out."""
