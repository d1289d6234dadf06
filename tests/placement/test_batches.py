"""Sizes of a step are vLLM's own for ``vllm.LLM``."""

import pytest

from distlab.placement.batches import BatchLimits, vllm_limits
from distlab.placement.gpus import GIB, GPU_MODELS


# Beside the engines, whose worker has imported vLLM.
@pytest.mark.vllm
@pytest.mark.parametrize(
    ("gpu_type", "name", "driver_gib"),
    [
        ("H100", "NVIDIA H100 80GB HBM3", 79.6),
        ("H200", "NVIDIA H200", 140.4),
        ("H20", "NVIDIA H20", 95.6),
        ("B200", "NVIDIA B200", 179.0),
        ("A100-80G", "NVIDIA A100-SXM4-80GB", 80.0),
        ("A100", "NVIDIA A100-SXM4-40GB", 40.0),
        ("L40S", "NVIDIA L40S", 45.0),
    ],
)
def test_limits_are_those_that_vllm_takes(
    gpu_type: str, name: str, driver_gib: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vllm.engine.arg_utils import EngineArgs
    from vllm.platforms import current_platform
    from vllm.usage.usage_lib import UsageContext

    kind = type(current_platform)
    memory = int(driver_gib * GIB)
    monkeypatch.setattr(kind, "get_device_total_memory", classmethod(lambda cls: memory))
    monkeypatch.setattr(kind, "get_device_name", classmethod(lambda cls, device_id=0: name))
    monkeypatch.setattr(kind, "is_cpu", lambda self: False)
    tokens, sequences = EngineArgs.get_batch_defaults(1)
    context = UsageContext.LLM_CLASS
    ours = vllm_limits(gpu_type, GPU_MODELS[gpu_type].memory_bytes)
    assert ours == BatchLimits(sequences[context], tokens[context])
    # The context that AsyncLLM takes by itself is in neither table.
    assert UsageContext.ENGINE_CONTEXT not in tokens


def test_where_nothing_is_known_the_small_limits_hold() -> None:
    assert vllm_limits(None, None) == vllm_limits("L4", 22 * GIB) == BatchLimits(256, 8192)
