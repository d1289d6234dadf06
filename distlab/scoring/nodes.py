"""Which nodes of a cluster have the folders that this one has."""

import contextlib
import os
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import ray
from ray._private.state import available_resources_per_node
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

# Seconds for a node to start a process and look; one that takes longer is not scored on (ours).
_LOOK_S = 60.0


def sharing_nodes(written: Sequence[Path], read: Sequence[Path]) -> list[str]:
    """Ray's ids of the nodes that see what is written here, this one first.

    Args:
        written: Folders that are there, and must be writable on a node, too.
        read: Files that it must see.
    """
    here = ray.get_runtime_context().get_node_id()
    others = [
        str(node["NodeID"])
        for node in ray.nodes()
        if node["Alive"] and node["NodeID"] != here and node["Resources"].get("CPU")
    ]
    if not others:
        return [here]
    with _probes(written) as probes:
        asked = {_ask(node, [*probes, *read], written): node for node in others}
        done, _ = ray.wait(list(asked), num_returns=len(asked), timeout=_LOOK_S)
        return [here, *(asked[answer] for answer in done if _said(answer))]


def free_cores(nodes: Sequence[str]) -> float:
    """CPU cores that nobody holds on some nodes."""
    free = available_resources_per_node()
    return sum(float(free.get(node, {}).get("CPU", 0.0)) for node in nodes)


@contextlib.contextmanager
def _probes(folders: Sequence[Path]) -> Iterator[list[Path]]:
    """A file in each folder, of a name that no other has."""
    probes = [folder / f".probe-{uuid.uuid4().hex}" for folder in folders]
    try:
        for probe in probes:
            probe.touch()
        yield probes
    finally:
        for probe in probes:
            probe.unlink(missing_ok=True)


def _ask(node: str, files: Sequence[Path], folders: Sequence[Path]) -> "ray.ObjectRef[bool]":
    there = NodeAffinitySchedulingStrategy(node, soft=False)
    asking = ray.remote(_shares).options(num_cpus=0, max_retries=0, scheduling_strategy=there)
    answer: ray.ObjectRef[bool] = asking.remote(files, folders)
    return answer


def _shares(files: Sequence[Path], folders: Sequence[Path]) -> bool:
    """Whether this machine has files, and may write into folders."""
    return all(file.is_file() for file in files) and all(
        os.access(folder, os.W_OK) for folder in folders
    )


def _said(answer: "ray.ObjectRef[bool]") -> bool:
    try:
        return bool(ray.get(answer))
    except RayError:
        return False
