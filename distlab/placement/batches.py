"""How many sequences and tokens an engine's step takes: vLLM's own choices, cut by memory."""

from dataclasses import dataclass
from typing import Final

from distlab.placement.gpus import GIB
from distlab.placement.memory import Fit

# Tokens of a short prompt with a short answer (ours): a cache that holds fewer sequences than vLLM
# would run never holds more of these.
_SHORT_SEQUENCE: Final = 256
# Enough for many short prompts in one step (ours).
_LEAST_CPU_STEP: Final = 4096


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Limits of one step of an engine.

    Attributes:
        sequences: Most that run at once (``max_num_seqs``).
        tokens: Most that a step computes, prompts included (``max_num_batched_tokens``); None for
            the engine's own choice.
    """

    sequences: int
    tokens: int | None = None


def vllm_limits(gpu_type: str | None, memory: int | None) -> BatchLimits:
    """What vLLM 0.32 takes for ``vllm.LLM`` (``EngineArgs.get_batch_defaults``).

    Given to the engine as numbers, since an engine that several nodes share may be made where vLLM
    sees no GPU, and takes the small ones then.

    Args:
        gpu_type: Ray's accelerator type, None where it is not known.
        memory: Bytes of one GPU, None where it is not known: the small limits hold then.
    """
    # vLLM asks for 70 GiB of what the driver reports, which is a little more than programs see.
    is_large = memory is not None and memory >= 69 * GIB
    if is_large and not (gpu_type or "").startswith("A100"):
        return BatchLimits(1024, 16384)
    return BatchLimits(256, 8192)


def cpu_step_tokens(max_model_len: int) -> int:
    """Most tokens that a step computes on CPUs, where it has to hold the longest prompt whole."""
    return max(max_model_len, _LEAST_CPU_STEP)


def held(limits: BatchLimits, fit: Fit | None) -> BatchLimits:
    """Limits without sequences for which the KV cache has no room."""
    if fit is None:
        return limits
    most = max(1, fit.sequences(_SHORT_SEQUENCE))
    return BatchLimits(min(limits.sequences, most), limits.tokens)
