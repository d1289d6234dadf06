"""A config.json in; the same with what transformers' class for it fills in out.

Some configurations leave out what their class knows: Gemma 3 4B's has no heads, Jamba's no list of
its layers. vLLM reads them through that class, and so do we where it matters.
"""

from collections.abc import Mapping
from typing import Any, Final

_NEEDED: Final = ("num_hidden_layers", "num_attention_heads")
# Models some of whose layers have a state in the place of a cache, by fields that say where.
_HYBRID: Final = (
    *("attn_layer_period", "attn_layer_indices", "attn_type_list", "full_attn_idxs"),
    *("full_attention_interval", "hybrid_override_pattern", "linear_attn_config", "mamba_d_state"),
    *("hybrid_layer_ids", "linear_num_key_heads", "ssm_state_size"),
)
_LISTS: Final = ("layer_types", "layers_block_type")


def with_class_defaults(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The config as the class of its ``model_type`` reads it, where it leaves something out.

    It stays as it is where it is complete, and where transformers has no such class: what is
    missing then is said by whoever reads it.
    """
    inner = config.get("text_config")
    part = inner if isinstance(inner, Mapping) else config
    if not _leaves_out(part):
        return config
    filled = {
        **_defaults(part),
        **{name: value for name, value in part.items() if value is not None},
    }
    return {**config, "text_config": filled} if part is inner else filled


def _leaves_out(part: Mapping[str, Any]) -> bool:
    if "model_type" in part and any(part.get(name) is None for name in _NEEDED):
        return True
    has_list = any(isinstance(part.get(name), list) for name in _LISTS)
    return not has_list and any(name in part for name in _HYBRID)


def _defaults(part: Mapping[str, Any]) -> Mapping[str, Any]:
    # Imported late: it takes seconds, and few configurations need it.
    from transformers import CONFIG_MAPPING

    kind = str(part.get("model_type"))
    if kind not in CONFIG_MAPPING:
        return {}
    try:
        made = CONFIG_MAPPING[kind].from_dict(dict(part))
    except Exception:  # whatever a class says of fields that do not fit it
        return {}
    lists = {name: getattr(made, name, None) for name in _LISTS}
    return {**made.to_dict(), **{name: kinds for name, kinds in lists.items() if kinds}}
