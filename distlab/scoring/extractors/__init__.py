"""A completion in; an Extraction out: one file an extractor, one YAML each."""
