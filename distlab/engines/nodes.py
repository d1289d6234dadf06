"""What a live Ray cluster has, as the values that placement is decided from."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray
from ray._private.state import available_resources_per_node
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from distlab.engines.machine import gpu_memory_here
from distlab.placement.placement import EngineGroup, Node, Placement

_ACCELERATOR = "accelerator_type:"
_ANSWER_S = 60.0
# Ray's id of a node to the memory of its GPUs, which does not change.
_asked: dict[str, int | None] = {}


def live_nodes(ours: Iterable[tuple[EngineGroup, Placement]] = ()) -> tuple[Node, ...]:
    """The nodes that are alive, named by their Ray ids, with what is taken on them.

    Args:
        ours: Groups that we hold or have just asked for. Ray's own account trails by some
            hundred milliseconds, so of both the larger counts.
    """
    free = available_resources_per_node()
    nodes = tuple(_node(raw, free.get(raw["NodeID"])) for raw in ray.nodes() if raw["Alive"])
    held = {node.name: replace(node, used_cpus=0.0, used_gpus=0) for node in nodes}
    for group, placement in ours:
        for name, ranks in placement.ranks:
            if name in held:
                held[name] = held[name].taking(group, ranks)
    return tuple(_more_taken(node, held[node.name]) for node in nodes)


def asked_for_memory(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The nodes with the memory that their GPUs' drivers report, where they answer.

    Ray says the GPUs' type alone, and there are two of 40 and 80 GB that it calls A100.
    """
    for node in nodes:
        if node.gpus and node.name not in _asked:
            there = NodeAffinitySchedulingStrategy(node.name, soft=False)
            asking = ray.remote(gpu_memory_here).options(num_cpus=0, scheduling_strategy=there)
            try:
                _asked[node.name] = ray.get(asking.remote(), timeout=_ANSWER_S)
            except (RayError, TimeoutError):
                continue  # what the table says then holds
    return tuple(
        replace(node, gpu_memory_bytes=_asked.get(node.name) or node.gpu_memory_bytes)
        for node in nodes
    )


def asked(nodes: Sequence[Node], question: Callable[[], str]) -> tuple[str | None, ...]:
    """What each node with cores answers, asked there; None of one that does not."""
    remote = ray.remote(question)
    there = (NodeAffinitySchedulingStrategy(node.name, soft=False) for node in nodes if node.cpus)
    answers = [remote.options(num_cpus=0, scheduling_strategy=one).remote() for one in there]
    return tuple(map(_answer, answers))


def _answer(answer: "ray.ObjectRef[str]") -> str | None:
    try:
        return str(ray.get(answer, timeout=_ANSWER_S))
    except (RayError, TimeoutError):
        return None


def alive(names: Iterable[str]) -> bool:
    """Whether all of these nodes are alive."""
    return set(names) <= {raw["NodeID"] for raw in ray.nodes() if raw["Alive"]}


def host_names() -> Mapping[str, str]:
    """Ray's id of every node to its host name."""
    return {raw["NodeID"]: raw["NodeManagerHostname"] for raw in ray.nodes()}


async def cpu_seconds(node: str, pid: int) -> float:
    """CPU seconds that a process of a node has used, read there by another process.

    Raises:
        RayError: The node is gone, or the process is.
    """
    there = NodeAffinitySchedulingStrategy(node, soft=False)
    reader = ray.remote(_cpu_seconds_here).options(num_cpus=0, scheduling_strategy=there)
    return float(await reader.remote(pid))


def _cpu_seconds_here(pid: int) -> float:
    # The second field is a name in parentheses that may hold spaces; user and system time are the
    # 14th and the 15th.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _more_taken(reported: Node, ours: Node) -> Node:
    return replace(
        reported,
        used_cpus=max(reported.used_cpus, ours.used_cpus),
        used_gpus=max(reported.used_gpus, ours.used_gpus),
    )


def _node(raw: Mapping[str, Any], free: Mapping[str, float] | None) -> Node:
    total = raw["Resources"]
    # A node that has just joined has no account yet: nothing is taken on it.
    free = total if free is None else free
    cpus, gpus = total.get("CPU", 0.0), int(total.get("GPU", 0))
    return Node(
        name=raw["NodeID"],
        cpus=cpus,
        gpus=gpus,
        gpu_type=next(
            (name.removeprefix(_ACCELERATOR) for name in total if name.startswith(_ACCELERATOR)),
            None,
        ),
        memory_bytes=int(total.get("memory", 0)),
        used_cpus=cpus - free.get("CPU", 0.0),
        used_gpus=gpus - int(free.get("GPU", 0)),
    )
