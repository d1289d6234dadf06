"""Headers of safetensors files in; what the weights come to out. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from distlab.checkpoints.architecture import Architecture
from distlab.placement.model_facts import WeightDtype

if TYPE_CHECKING:
    from huggingface_hub.utils._safetensors import TensorInfo

# The language model's layers, not those of a vision tower.
_LAYER: Final = re.compile(r"(?:model\.|language_model\.)*layers\.(\d+)\.")
_ROUTED: Final = re.compile(r"\.experts\.")
_HEAD: Final = "lm_head.weight"
_ANY_HEAD: Final = re.compile(r"(?:^|\.)(?:lm_head|embed_out|output_layer|output|head)\.")
# What quantised weights need beside themselves; bytes, but no parameters.
_SCALES: Final = re.compile(r"(?:_scale|_scale_inv|scales|zeros|g_idx|absmax|quant_map|_shape)$")
_DTYPES: Final[Mapping[str, WeightDtype]] = {
    "BF16": "bfloat16",
    "F16": "float16",
    "F32": "float32",
    "F8_E4M3": "fp8",
    "F8_E5M2": "fp8",
}
_INTEGER_BITS: Final = {"I32": 32, "U8": 8, "I8": 8}


@dataclass(frozen=True, slots=True)
class Weights:
    """Sizes of the weights that an engine loads.

    Attributes:
        parameters: Values of all weights; packed ones are counted unpacked.
        routed_parameters: Of these, in routed experts.
        bytes: As stored, scales included.
        dtype: In which most bytes are stored.
        has_unread_head: Whether there is a head that a tied embedding takes the place of.
    """

    parameters: int
    routed_parameters: int
    bytes: int
    dtype: WeightDtype
    has_unread_head: bool = False

    def active_parameters(self, made: Architecture) -> float:
        """Parameters that a token passes through."""
        if not made.experts:
            return self.parameters
        idle = 1 - made.experts_per_token / made.experts
        return self.parameters - round(self.routed_parameters * idle)


def measured(tensors: "Mapping[str, TensorInfo]", made: Architecture) -> Weights:
    """What tensors come to, without those that vLLM does not load.

    Args:
        tensors: Name to what the header says.
        made: The architecture that they are of.
    """
    kept = {name: tensor for name, tensor in tensors.items() if _is_loaded(name, made)}
    sizes: Counter[WeightDtype] = Counter()
    for tensor in kept.values():
        sizes[_DTYPES.get(tensor.dtype, "packed")] += _bytes(tensor)
    counts = {name: _parameters(name, tensor, made) for name, tensor in kept.items()}
    return Weights(
        parameters=sum(counts.values()),
        routed_parameters=sum(count for name, count in counts.items() if _ROUTED.search(name)),
        bytes=sum(sizes.values()),
        dtype=max(sizes, key=lambda dtype: sizes[dtype], default="bfloat16"),
        has_unread_head=made.tied and _HEAD in tensors,
    )


def lacks_head(names: Iterable[str], made: Architecture) -> bool:
    """Whether an output head is missing that the embedding does not stand in for.

    vLLM 0.32 loads such weights all the same, and draws with a head that nothing was written to:
    its check of what was loaded passes over layers that it may post-process.

    Args:
        names: Of all tensors. Weights whose embedding has another name than most are not judged.
        made: The architecture that they are of.
    """
    there = list(names)
    has_embedding = any(name.endswith("embed_tokens.weight") for name in there)
    return made.untied and has_embedding and not any(_ANY_HEAD.search(name) for name in there)


def _is_loaded(name: str, made: Architecture) -> bool:
    """Not multi-token prediction, whose layers follow the last one, nor a tied head's copy."""
    layer = _LAYER.match(name)
    if name.startswith("mtp.") or (layer is not None and int(layer[1]) >= made.layers):
        return False
    return not (made.tied and name == _HEAD)


def _bytes(tensor: "TensorInfo") -> int:
    start, end = tensor.data_offsets
    return end - start


def _parameters(name: str, tensor: "TensorInfo", made: Architecture) -> int:
    if _SCALES.search(name):
        return 0
    held = _INTEGER_BITS.get(tensor.dtype)
    return tensor.parameter_count * (held // made.bits if held and made.bits else 1)
