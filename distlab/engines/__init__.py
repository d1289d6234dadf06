"""Leases of prompts in; Arrow batches of samples out. The Ray and vLLM side."""
