"""Prompts and an Engine in; samples out. Coroutines, no Ray and no vLLM."""
