"""What engines run on, as it is kept with their samples: as expected of nodes, and as it is."""

import platform
from collections.abc import Sequence
from pathlib import Path

from distlab.config.values import Cluster, Family
from distlab.engines.machine import this_machine
from distlab.engines.messages import EngineSettings
from distlab.engines.splitting import Choice, choose
from distlab.errors import UserError
from distlab.placement.placement import Node
from distlab.store.origin import Origin
from distlab.versions import vllm_version

# Instruction sets for which vLLM has CPU kernels of their own, the widest first.
_SETS = ("amx_bf16", "avx512_bf16", "avx512f", "avx2", "asimd")


def origin_here(settings: EngineSettings, attention: str) -> Origin | None:
    """What an engine that runs here draws on; None for a server's client.

    Args:
        settings: Of the engine.
        attention: Its backend; empty where it does not tell.
    """
    if settings.device == "server":
        return None
    return Origin(
        device=cpu_class() if settings.device == "cpu" else settings.gpu_type or "GPU",
        split=str(settings.parallelism),
        attention=attention,
        vllm=vllm_version(),
        sequences=settings.max_num_seqs,
        tokens=settings.max_num_batched_tokens,
        batch_invariant=settings.batch_invariant,
    )


def expected_origin(family: Family, cluster: Cluster, *, joins: bool) -> Origin | None:
    """What engines of a family would run on; None where that is not known.

    Args:
        family: What they load.
        cluster: Where they go.
        joins: Whether a running cluster may be joined for it.

    Raises:
        UserError: The cluster cannot be had.
    """
    if cluster.address is None:
        return _expected(family, cluster, (this_machine(),), cpu_class())
    if not joins:
        return None
    # Imported late: a plan does without Ray.
    from distlab.engines.cluster import connected
    from distlab.engines.nodes import asked, asked_for_memory, live_nodes

    with connected(cluster):
        nodes = asked_for_memory(live_nodes())
        classes = asked(nodes, cpu_class) if cluster.device == "cpu" else ()
        cpu = classes[0] if len(set(classes)) == 1 else None
        return _expected(family, cluster, nodes, cpu)


def _expected(
    family: Family, cluster: Cluster, nodes: Sequence[Node], cpu: str | None
) -> Origin | None:
    try:
        choice = choose(family, cluster, nodes)
    except UserError:
        # Of use for a cell that is looked at from a machine that could not draw it.
        return None
    device = _device(choice, cluster, cpu)
    return None if device is None else Origin(device, str(choice.group.parallelism))


def _device(choice: Choice, cluster: Cluster, cpu: str | None) -> str | None:
    match cluster.device:
        case "cpu":
            return cpu
        case "gpu":
            return choice.group.gpu_type or "GPU"
        case "server":
            return None


def cpu_class() -> str:
    """This machine's architecture with the widest instruction set that changes vLLM's kernels."""
    try:
        words = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        words = set()
    found = next((name for name in _SETS if name in words), "")
    return f"{platform.machine()} {found}".strip()
