"""The published config.json of each family and the headers of its weights, from ``published``.

Names and dtypes of tensors are those of the hub's files, with the experts of a layer in one tensor:
kimi-k2 has 138 000, which would take seconds to write and to read.
"""

from collections.abc import Iterator
from typing import Any

from tests.families.published import FP8_BLOCK, PUBLISHED, Dense, Latent

_CLASSES = {
    **dict.fromkeys(("smollm2-135m", "llama3-3b", "llama3-70b"), "LlamaForCausalLM"),
    **dict.fromkeys(("qwen3-0.6b", "qwen3-8b", "qwen3-14b"), "Qwen3ForCausalLM"),
    "smollm-3b": "SmolLM3ForCausalLM",
}
_CONTEXTS = {"smollm2-135m": 8192, "smollm-3b": 65536, "deepseek-v3.1": 163840}

Tensor = tuple[str, str, tuple[int, ...]]


def config_json(name: str) -> dict[str, Any]:
    """The fields of the hub's config.json that distlab reads."""
    shape = PUBLISHED[name]
    fields = {field: getattr(shape, field) for field in shape.__dataclass_fields__}
    fields.pop("qk_norm", None)
    fields["max_position_embeddings"] = _CONTEXTS.get(name, 131072)
    if isinstance(shape, Dense):
        return {**fields, "architectures": [_CLASSES[name]], "torch_dtype": "bfloat16"}
    quantisation = {"quant_method": "fp8", "weight_block_size": [128, 128]}
    return {
        **fields,
        "architectures": ["DeepseekV3ForCausalLM"],
        "num_key_value_heads": shape.num_attention_heads,
        "num_nextn_predict_layers": 1,
        "tie_word_embeddings": False,
        "quantization_config": quantisation,
    }


def tensors(name: str) -> Iterator[Tensor]:
    """Every weight of the hub's files: name, dtype, shape."""
    shape = PUBLISHED[name]
    yield "model.embed_tokens.weight", "BF16", (shape.vocab_size, shape.hidden_size)
    yield "model.norm.weight", "BF16", (shape.hidden_size,)
    if isinstance(shape, Dense):
        if not shape.tie_word_embeddings:
            yield "lm_head.weight", "BF16", (shape.vocab_size, shape.hidden_size)
        for layer in range(shape.num_hidden_layers):
            yield from _dense_layer(shape, f"model.layers.{layer}.")
        return
    yield "lm_head.weight", "BF16", (shape.vocab_size, shape.hidden_size)
    # One layer more than num_hidden_layers: multi-token prediction.
    for layer in range(shape.num_hidden_layers + 1):
        yield from _latent_layer(shape, f"model.layers.{layer}.", layer)


def _dense_layer(shape: Dense, place: str) -> Iterator[Tensor]:
    h, wide = shape.hidden_size, shape.intermediate_size
    query, key = (
        n * shape.head_dim for n in (shape.num_attention_heads, shape.num_key_value_heads)
    )
    yield from _named(place, "BF16", {
        "self_attn.q_proj": (query, h), "self_attn.o_proj": (h, query),
        "self_attn.k_proj": (key, h), "self_attn.v_proj": (key, h),
        "mlp.gate_proj": (wide, h), "mlp.up_proj": (wide, h), "mlp.down_proj": (h, wide),
        "input_layernorm": (h,), "post_attention_layernorm": (h,),
    })  # fmt: skip
    if shape.qk_norm:
        norms = {f"self_attn.{which}_norm": (shape.head_dim,) for which in "qk"}
        yield from _named(place, "BF16", norms)


def _latent_layer(shape: Latent, place: str, layer: int) -> Iterator[Tensor]:
    h, heads = shape.hidden_size, shape.num_attention_heads
    nope, rope = shape.qk_nope_head_dim, shape.qk_rope_head_dim
    attention = {
        "q_a_proj": (shape.q_lora_rank, h),
        "q_b_proj": (heads * (nope + rope), shape.q_lora_rank),
        "kv_a_proj_with_mqa": (shape.kv_lora_rank + rope, h),
        "kv_b_proj": (heads * (nope + shape.v_head_dim), shape.kv_lora_rank),
        "o_proj": (h, heads * shape.v_head_dim),
    }
    yield from _in_blocks(f"{place}self_attn.", attention)
    norms = {"self_attn.q_a_layernorm": (shape.q_lora_rank,), "input_layernorm": (h,)}
    norms |= {"self_attn.kv_a_layernorm": (shape.kv_lora_rank,), "post_attention_layernorm": (h,)}
    yield from _named(place, "BF16", norms)
    if layer < shape.first_k_dense_replace:
        yield from _in_blocks(f"{place}mlp.", _mlp(h, shape.intermediate_size))
        return
    yield from _named(place, "BF16", {"mlp.gate": (shape.n_routed_experts, h)})
    yield f"{place}mlp.gate.e_score_correction_bias", "F32", (shape.n_routed_experts,)
    inside = _mlp(h, shape.moe_intermediate_size)
    yield from _in_blocks(f"{place}mlp.shared_experts.", inside)
    every = {name: (shape.n_routed_experts * rows, size) for name, (rows, size) in inside.items()}
    yield from _in_blocks(f"{place}mlp.experts.", every)


def _mlp(hidden: int, wide: int) -> dict[str, tuple[int, ...]]:
    return {"gate_proj": (wide, hidden), "up_proj": (wide, hidden), "down_proj": (hidden, wide)}


def _named(place: str, dtype: str, shapes: dict[str, tuple[int, ...]]) -> Iterator[Tensor]:
    yield from ((f"{place}{name}.weight", dtype, shape) for name, shape in shapes.items())


def _in_blocks(place: str, shapes: dict[str, tuple[int, ...]]) -> Iterator[Tensor]:
    """fp8 weights, each with a float32 scale per block."""
    for name, (rows, columns) in shapes.items():
        yield f"{place}{name}.weight", "F8_E4M3", (rows, columns)
        yield f"{place}{name}.weight_scale_inv", "F32", (rows * columns // FP8_BLOCK,)
