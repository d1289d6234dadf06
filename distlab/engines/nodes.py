"""What a live Ray cluster has, as the values that placement is decided from."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import ray
from ray._private.state import available_resources_per_node

from distlab.placement.placement import Group, Node, Placement

_ACCELERATOR = "accelerator_type:"


def live_nodes(ours: Iterable[tuple[Group, Placement]] = ()) -> tuple[Node, ...]:
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


def alive(names: Iterable[str]) -> bool:
    """Whether all of these nodes are alive."""
    return set(names) <= {raw["NodeID"] for raw in ray.nodes() if raw["Alive"]}


def host_names() -> Mapping[str, str]:
    """Ray's id of every node to its host name."""
    return {raw["NodeID"]: raw["NodeManagerHostname"] for raw in ray.nodes()}


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
