"""Headers of safetensors files in; what the weights come to out. Pure."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from distlab.checkpoints.architecture import Architecture
from distlab.placement.model_facts import WeightDtype

if TYPE_CHECKING:
    from huggingface_hub.utils._safetensors import TensorInfo

# The language model's layers, not those of a vision tower.
_LAYER: Final = re.compile(r"(?:model\.|language_model\.)*layers\.(\d+)\.")
_ROUTED: Final = re.compile(r"\.experts\.")
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
    """

    parameters: int
    routed_parameters: int
    bytes: int
    dtype: WeightDtype

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
    )


def _is_loaded(name: str, made: Architecture) -> bool:
    """Not multi-token prediction, whose layers follow the last one, nor a tied head's copy."""
    layer = _LAYER.match(name)
    if name.startswith("mtp.") or (layer is not None and int(layer[1]) >= made.layers):
        return False
    return not (made.tied and name == "lm_head.weight")


def _bytes(tensor: "TensorInfo") -> int:
    start, end = tensor.data_offsets
    return end - start


def _parameters(name: str, tensor: "TensorInfo", made: Architecture) -> int:
    if _SCALES.search(name):
        return 0
    held = _INTEGER_BITS.get(tensor.dtype)
    return tensor.parameter_count * (held // made.bits if held and made.bits else 1)
