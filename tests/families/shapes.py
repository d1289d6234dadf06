"""The shape of each family's tiny checkpoints."""

FAMILIES = {
    "qwen3-0.6b": "qwen3",
    "qwen3-8b": "qwen3",
    "qwen3-14b": "qwen3",
    "llama3-3b": "llama",
    "llama3-70b": "llama",
    "smollm-3b": "smollm3",
    "deepseek-v3.1": "deepseek-v3",
    "kimi-k2": "kimi-k2",
}
