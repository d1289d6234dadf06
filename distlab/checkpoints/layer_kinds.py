"""Fields of a config.json in; how many layers keep what of a sequence out. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

# Kinds of ``layer_types``, as transformers names them, and as older checkpoints do.
_WINDOWED: Final = ("sliding_attention", "sliding_window")
_RECURRENT: Final = ("linear_attention", "mamba", "conv", "recurrent")
# In models whose attention and whose other layers are counted apart.
_NO_ATTENTION: Final = ("mlp", "moe")
_LISTS: Final = ("layer_types", "layers_block_type")
# Without a list, every so many layers one sees everything (transformers' configurations).
_EVERY: Final[Mapping[str, int]] = {
    "cohere2": 4,
    "gemma2": 2,
    "gemma3_text": 6,
    "gemma3n_text": 5,
    "gpt_oss": 2,
    "olmo3": 4,
}
# Without a list, every layer has the window.
_ALL_WINDOWED: Final = ("ministral", "mistral", "mixtral", "phi3", "starcoder2")
# Without a list, the layers from ``max_window_layers`` on have it.
_LAST_WINDOWED: Final = ("qwen2", "qwen3")


@dataclass(frozen=True, slots=True)
class LayerKinds:
    """Layers of a model by what they keep.

    Attributes:
        full: That keep keys and values of all tokens.
        windowed: That keep those of the last ``window`` tokens.
        recurrent: That keep a state of fixed size.
        window: Tokens, 0 without windowed layers.
    """

    full: int
    windowed: int = 0
    recurrent: int = 0
    window: int = 0


def layer_kinds(config: Mapping[str, Any], layers: int) -> LayerKinds:
    """The layers of a model by what they keep.

    Attention in chunks (Llama 4) counts as full: vLLM 0.32 keeps all of its tokens, unless an
    environment variable says otherwise. So does a window whose layers nothing names.

    Args:
        config: Of the language model.
        layers: Its decoder layers.
    """
    kinds = _listed(config, layers) or _implied(config, layers)
    windowed = sum(kind in _WINDOWED for kind in kinds)
    recurrent = sum(kind in _RECURRENT or kind == "hybrid" for kind in kinds)
    none = sum(kind in _RECURRENT or kind in _NO_ATTENTION for kind in kinds)
    window = _window(config)
    if not window:
        return LayerKinds(layers - none, recurrent=recurrent)
    return LayerKinds(layers - windowed - none, windowed, recurrent, window if windowed else 0)


def _window(config: Mapping[str, Any]) -> int:
    size = config.get("sliding_window")
    is_off = config.get("use_sliding_window") is False
    return size if type(size) is int and size > 0 and not is_off else 0


def _listed(config: Mapping[str, Any], layers: int) -> Sequence[str]:
    """A kind for each layer; more may follow, of multi-token prediction."""
    for name in _LISTS:
        kinds = config.get(name)
        if isinstance(kinds, list) and len(kinds) >= layers:
            return [str(kind) for kind in kinds[:layers]]
    return ()


def _implied(config: Mapping[str, Any], layers: int) -> Sequence[str]:
    """What the model's class makes of a config without a list."""
    model, last = config.get("model_type"), config.get("max_window_layers")
    if model in _ALL_WINDOWED:
        return ("sliding_attention",) * layers
    if model in _LAST_WINDOWED and type(last) is int:
        return ("sliding_attention",) * max(0, layers - last)
    if model in _EVERY:
        given = config.get("sliding_window_pattern")
        every = given if type(given) is int and given > 0 else _EVERY[str(model)]
        return ("sliding_attention",) * (layers - layers // every)
    return ()
