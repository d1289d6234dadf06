"""GPU models in numbers, for planning alone: a live GPU is asked itself.

Memory is as PyTorch reports it, a little below nvidia-smi's. Bandwidths and dense bf16 rates are of
the vendors' data sheets; they weigh ways to split an engine against each other, and no figure in
tokens per second is made of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

GIB: Final = 2**30


@dataclass(frozen=True, slots=True)
class GPUModel:
    """One GPU.

    Attributes:
        gib: Memory that programs see, in GiB.
        memory_bytes_per_s: Bandwidth of the memory.
        flops: Dense bf16 operations per second.
        link_bytes_per_s: To the other GPUs of a node, in one direction.
    """

    gib: float
    memory_bytes_per_s: float
    flops: float
    link_bytes_per_s: float

    @property
    def memory_bytes(self) -> int:
        """Memory that programs see."""
        return int(self.gib * GIB)


_NVLINK_3, _NVLINK_4, _NVLINK_5, _PCIE = 300e9, 450e9, 900e9, 32e9
_A100_40 = GPUModel(39.4, 1.555e12, 312e12, _NVLINK_3)
_MI300X = GPUModel(191.5, 5.3e12, 1307e12, 448e9)

# By Ray's accelerator types. Ray calls both A100 "A100": without a word the smaller one is meant.
# Types of a compute capability below 8.0, by Ray's names: vLLM's batch-invariant kernels are for
# Ampere and later (vllm/model_executor/determinism/batch_invariant.py).
NOT_INVARIANT: Final = frozenset({"K80", "P4", "P100", "T4", "V100"})

# Types of a compute capability below 8.9: Triton's is vLLM's only backend for a latent cache (MLA)
# there, and has it in no FP8 (vllm/v1/attention/backends/mla/triton_mla.py).
NO_FP8_LATENT: Final = NOT_INVARIANT | {"A10G", "A100", "A100-40G", "A100-80G"}

GPU_MODELS: Final[Mapping[str, GPUModel]] = {
    "A100": _A100_40,
    "A100-40G": _A100_40,
    "A100-80G": GPUModel(79.2, 2.039e12, 312e12, _NVLINK_3),
    "A10G": GPUModel(22.1, 0.6e12, 70e12, _PCIE),
    "AMD-Instinct-MI300X-HF": _MI300X,
    "AMD-Instinct-MI300X-OAM": _MI300X,
    "B200": GPUModel(178.3, 8e12, 2250e12, _NVLINK_5),
    "GB200": GPUModel(183.7, 8e12, 2500e12, _NVLINK_5),
    "H100": GPUModel(79.1, 3.35e12, 989e12, _NVLINK_4),
    "H20": GPUModel(95.1, 4.0e12, 148e12, _NVLINK_4),
    "H200": GPUModel(139.8, 4.8e12, 989e12, _NVLINK_4),
    "L4": GPUModel(22.0, 0.3e12, 121e12, _PCIE),
    "L40S": GPUModel(44.4, 0.864e12, 362e12, _PCIE),
    "MI300X": _MI300X,
}
