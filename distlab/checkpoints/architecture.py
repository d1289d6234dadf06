"""A checkpoint's config.json in; what it says of the architecture out. Pure.

Dense, grouped-query, latent (MLA), mixture-of-experts and sliding-window models. Names of fields
are those of transformers' configurations, older ones included.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from distlab.checkpoints.layer_kinds import layer_kinds
from distlab.errors import UserError, brief

_LAYERS: Final = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_HEADS: Final = ("num_attention_heads", "n_head", "n_heads")
_KV_HEADS: Final = ("num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num")
_HIDDEN: Final = ("hidden_size", "n_embd", "d_model")
_EXPERTS: Final = ("n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts")
_ROUTED: Final = ("num_experts_per_tok", "num_experts_per_token", "moe_top_k", "moe_k", "top_k")
_CONTEXT: Final = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
_TIED: Final = "tie_word_embeddings"
_BITS: Final = ("bits", "w_bit", "num_bits")


class NotSaid(UserError):
    """A config.json lacks a field that everything depends on, or has it in an unknown form.

    The sentence names field and checkpoint. Whoever asked says what to give by hand.
    """


@dataclass(frozen=True, slots=True)
class Architecture:
    """What a config.json says.

    Attributes:
        name: Class name.
        layers: Decoder layers.
        attention_heads: Query heads.
        kv_heads: Heads whose keys and values are cached; 1 with MLA.
        kv_values_per_token: Values in the KV cache of a token, over all layers and KV heads.
        windowed_kv_values_per_token: Of these, in layers that keep no more than ``window`` tokens.
        experts: Routed experts of an MoE layer, 0 in a dense model.
        experts_per_token: Of these, that a token passes through.
        context: Tokens of the longest sequence, None where it is not said.
        stretched: Whether rotary embeddings are scaled, so that an engine may take more.
        tied: Whether it says that the output head is the embedding.
        untied: Whether it says that it is not; some leave that to their class.
        window: Tokens that sliding-window layers attend to, 0 without such layers.
        recurrent_layers: Layers with a state of fixed size in the place of a cache.
        bits: Of a packed weight, None where weights are not packed.
    """

    name: str
    layers: int
    attention_heads: int
    kv_heads: int
    kv_values_per_token: int
    windowed_kv_values_per_token: int
    experts: int
    experts_per_token: int
    context: int | None
    stretched: bool
    tied: bool
    untied: bool
    window: int
    recurrent_layers: int
    bits: int | None


def architecture(config: Mapping[str, Any], place: str) -> Architecture:
    """What a config.json says.

    Args:
        config: Its content.
        place: What it is called in a sentence.

    Raises:
        NotSaid: A field that everything depends on is missing or no number.
    """
    fields = _Fields(_of_language(config), place)
    heads, layers = fields.number(_HEADS), fields.number(_LAYERS)
    is_latent = bool(fields.get("kv_lora_rank"))
    kv_heads = 1 if is_latent or fields.get("multi_query") is True else fields.kv_heads(heads)
    kinds = layer_kinds(fields.raw, layers)
    of_window = fields.latent() if is_latent else kv_heads * fields.head_values(heads)
    of_all = fields.latent() if is_latent else fields.global_values(kv_heads, heads)
    experts = fields.number(_EXPERTS, 0)
    return Architecture(
        name=fields.class_name(),
        layers=layers,
        attention_heads=heads,
        kv_heads=kv_heads,
        kv_values_per_token=kinds.full * of_all + kinds.windowed * of_window,
        windowed_kv_values_per_token=kinds.windowed * of_window,
        experts=experts,
        experts_per_token=fields.number(_ROUTED, 1) if experts else 0,
        context=fields.number(_CONTEXT, 0) or None,
        stretched=_is_stretched(fields.get("rope_scaling") or fields.get("rope_parameters")),
        tied=fields.get(_TIED) is True,
        untied=fields.get(_TIED) is False and config.get(_TIED) is not True,
        window=kinds.window,
        recurrent_layers=kinds.recurrent,
        bits=_bits(fields.get("quantization_config")),
    )


def _of_language(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """A config without what a model for images and text keeps its language part in."""
    inner, name = config.get("text_config"), "architectures"
    if not isinstance(inner, Mapping):
        return config
    return {**config, **inner, name: config.get(name) or inner.get(name)}


@dataclass(frozen=True, slots=True)
class _Fields:
    """The fields of a config.json, by any of the names that they have had."""

    raw: Mapping[str, Any]
    place: str

    def get(self, name: str) -> Any:  # noqa: ANN401 (JSON)
        return self.raw.get(name)

    def number(self, names: Sequence[str], default: int | None = None) -> int:
        for name in names:
            value = self.raw.get(name)
            if type(value) is int and value >= 0:
                return value
            if value is not None:
                raise NotSaid(f"{self._of(name)} is {brief(repr(value))} and not one number")
        if default is None:
            raise NotSaid(f"{self._of(names[0])} is missing")
        return default

    def _of(self, name: str) -> str:
        return f"`{name}` in config.json of {self.place}"

    def class_name(self) -> str:
        names = self.raw.get("architectures")
        if not isinstance(names, list) or not names:
            raise NotSaid(f"{self._of('architectures')} is missing")
        return str(names[0])

    def kv_heads(self, heads: int) -> int:
        return self.number(_KV_HEADS, heads)

    def head_values(self, heads: int) -> int:
        """Values of a token's key and value in one head of one layer."""
        size = self.number(("head_dim",), 0) or self.number(_HIDDEN) // max(heads, 1)
        return size + (self.number(("v_head_dim",), 0) or size)

    def global_values(self, kv_heads: int, heads: int) -> int:
        """Values of a token in a layer that sees everything, whose heads may differ (Gemma 4)."""
        size = self.number(("global_head_dim",), 0)
        count = self.number(("num_global_key_value_heads",), 0) or kv_heads
        return count * (2 * size or self.head_values(heads))

    def latent(self) -> int:
        """Values of MLA's latent of a token in one layer (arXiv 2405.04434, section 2.1)."""
        return self.number(("kv_lora_rank",)) + self.number(("qk_rope_head_dim",))


def _is_stretched(rope: object) -> bool:
    if not isinstance(rope, Mapping):
        return False
    return bool(rope.get("rope_type", rope.get("type", "default")) != "default")


def _bits(quantization: object) -> int | None:
    """Bits of a packed weight, wherever the method says them."""
    if not isinstance(quantization, Mapping):
        return None
    for name in _BITS:
        if type(quantization.get(name)) is int:
            return int(quantization[name])
    if quantization.get("load_in_4bit") is True or quantization.get("quant_method") == "mxfp4":
        return 4
    groups = quantization.get("config_groups")
    inner = next(iter(groups.values()), None) if isinstance(groups, Mapping) else None
    return _bits(inner.get("weights")) if isinstance(inner, Mapping) else None
