"""The stages of one study: prepare, sample, score, report."""
