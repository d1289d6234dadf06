"""vLLM's CPU worker with its own fused RMSNorm kernels. Imports vLLM: only vLLM loads this module.

vLLM builds both kernels for CPUs and registers them for GPUs alone, so that without compiling
(which takes a minute at every new shape of engine) a CPU engine puts each norm together from half
a dozen torch operations: a sixth of its time.
"""

from typing import Any

import torch
from vllm import ir
from vllm.v1.worker.cpu_worker import CPUWorker

PROVIDER = "distlab_cpu"


class FusedNormWorker(CPUWorker):
    """Prefers the fused kernels where they take the arguments."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        register()
        for op in (ir.ops.rms_norm, ir.ops.fused_add_rms_norm):
            op.set_default([PROVIDER, *op.get_priority()])


def register() -> None:
    """Tell vLLM of the kernels; again does no harm."""
    if PROVIDER in ir.ops.rms_norm.impls:
        return
    ir.ops.rms_norm.register_impl(PROVIDER, supports_args=_takes_norm)(rms_norm)
    ir.ops.fused_add_rms_norm.register_impl(PROVIDER, supports_args=_takes_add, inplace=True)(
        fused_add_rms_norm
    )


def rms_norm(
    x: torch.Tensor, weight: torch.Tensor | None, epsilon: float, variance_size: int | None = None
) -> torch.Tensor:
    """``x / sqrt(mean(x^2) + epsilon) * weight`` over the last dimension, of any strides."""
    # The kernel reads row after row, whatever the strides: MLA's latent is a slice.
    rows = x.contiguous()
    out = torch.empty_like(rows)
    torch.ops._C.rms_norm(out, rows, weight, epsilon)
    return out


def fused_add_rms_norm(
    x: torch.Tensor,
    x_residual: torch.Tensor,
    weight: torch.Tensor | None,
    epsilon: float,
    variance_size: int | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The norm of ``x + x_residual``, and the sum; both overwrite the arguments."""
    torch.ops._C.fused_add_rms_norm(x, x_residual, weight, epsilon)
    return x, x_residual


def _takes_norm(
    x: torch.Tensor, weight: torch.Tensor | None, epsilon: float, variance_size: int | None = None
) -> bool:
    return variance_size is None and weight is not None and weight.dtype == x.dtype


def _takes_add(
    x: torch.Tensor,
    x_residual: torch.Tensor,
    weight: torch.Tensor | None,
    epsilon: float,
    variance_size: int | None = None,
) -> bool:
    whole = x.is_contiguous() and x_residual.is_contiguous()
    return whole and _takes_norm(x, weight, epsilon, variance_size)
