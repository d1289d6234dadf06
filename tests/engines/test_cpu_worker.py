"""The fused norms against vLLM's own definition of them in torch."""

from typing import Any

import pytest

pytestmark = pytest.mark.vllm

EPSILON = 1e-5


@pytest.fixture(scope="module")
def worker() -> Any:  # noqa: ANN401
    from distlab.engines import cpu_worker

    cpu_worker.register()
    return cpu_worker


def tensors(dtype: str, *shape: int) -> Any:  # noqa: ANN401
    import torch

    torch.manual_seed(0)
    kind = getattr(torch, dtype)
    return 3 * torch.randn(shape).to(kind), torch.randn(shape).to(kind), torch.rand(64).to(kind)


def close(ours: Any, theirs: Any) -> None:  # noqa: ANN401
    import torch

    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    # Torch rounds to the type before it applies the weight, the kernel once, at the end.
    within = 2**-6 if ours.dtype == torch.bfloat16 else 1e-6
    torch.testing.assert_close(ours, theirs, rtol=within, atol=within)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("shape", [(5, 64), (3, 4, 64), (0, 64)])
def test_the_norm_is_that_of_torch(worker: Any, dtype: str, shape: tuple[int, ...]) -> None:  # noqa: ANN401
    from vllm import ir

    x, _, weight = tensors(dtype, *shape)
    before = x.clone()
    native = ir.ops.rms_norm.impls["native"].impl_fn(x, weight, EPSILON)
    close(worker.rms_norm(x, weight, EPSILON), native)
    assert x.equal(before)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_norm_of_a_slice_is_that_of_its_copy(worker: Any, dtype: str) -> None:  # noqa: ANN401
    import torch

    x, other, weight = tensors(dtype, 7, 64)
    wide = torch.cat([x, other], dim=1)
    part = wide[:, :64]
    assert not part.is_contiguous()
    assert worker.rms_norm(part, weight, EPSILON).equal(worker.rms_norm(x, weight, EPSILON))
    heads = wide.view(7, 2, 64)[:, :1]
    assert worker.rms_norm(heads, weight, EPSILON)[:, 0].equal(worker.rms_norm(x, weight, EPSILON))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_norm_of_a_sum_keeps_the_sum(worker: Any, dtype: str) -> None:  # noqa: ANN401
    from vllm import ir

    x, residual, weight = tensors(dtype, 5, 64)
    native, total = ir.ops.fused_add_rms_norm.impls["native"].impl_fn(x, residual, weight, EPSILON)
    normed, summed = worker.fused_add_rms_norm(x, residual, weight, EPSILON)
    close(normed, native)
    close(summed, total)


def test_what_the_kernels_cannot_take_is_left_to_torch(worker: Any) -> None:  # noqa: ANN401
    from vllm import ir

    x, residual, weight = tensors("float32", 4, 64)
    norm = ir.ops.rms_norm.impls[worker.PROVIDER].supports_args
    assert norm(x, weight, EPSILON, None)
    assert not norm(x, weight, EPSILON, 32)
    assert not norm(x, None, EPSILON, None)
    assert not norm(x.bfloat16(), weight, EPSILON, None)
    add = ir.ops.fused_add_rms_norm.impls[worker.PROVIDER].supports_args
    assert add(x, residual, weight, EPSILON, None)
    assert not add(x.T.contiguous().T, residual, weight, EPSILON, None)
