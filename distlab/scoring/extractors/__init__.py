"""A completion in; an Extraction out: one file per extractor, one YAML each."""
