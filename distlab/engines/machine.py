"""The nodes that are known without Ray: a described cluster's, or this machine."""

import os
import re
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import replace

from distlab.config.values import Cluster, Family
from distlab.engines.splitting import choose
from distlab.placement.placement import Node

# "NVIDIA H100 80GB HBM3", as Ray reads the accelerator type off it.
_GPU_NAME = re.compile(r"NVIDIA (?:[A-Za-z]+ )?([A-Z]+\d+[A-Z]*)")
# Of what nvidia-smi reports, what is left to programs (H100: 79.1 of 79.6 GiB).
_PROGRAMS_SHARE = 0.99


def known_nodes(cluster: Cluster) -> tuple[Node, ...] | None:
    """The nodes where no Ray has to be asked: described ones, or this machine; else None."""
    if cluster.nodes:
        return cluster.nodes
    return None if cluster.address is not None else (this_machine(),)


def check_fits(family: Family, cluster: Cluster) -> None:
    """Refuse what a described cluster or this machine cannot hold; silent about a live one.

    Raises:
        UserError: No engine fits, as ``splitting.choose`` says.
    """
    nodes = known_nodes(cluster)
    if nodes is not None:
        choose(family, cluster, nodes)


def this_machine() -> Node:
    """Cores, memory and GPUs that this process may use."""
    sizes = _gpus()
    name = sizes[0][0] if sizes else None
    bare = Node(
        name=socket.gethostname(),
        cpus=len(os.sched_getaffinity(0)),
        gpus=len(sizes),
        gpu_type=name,
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    )
    return replace(bare, gpu_memory_bytes=_smallest(sizes))


def gpu_memory_here() -> int | None:
    """Bytes that programs have of this machine's smallest GPU, as its driver says; None without."""
    return _smallest(_gpus())


def _smallest(sizes: Sequence[tuple[str | None, float]]) -> int | None:
    least = min((mib for _, mib in sizes), default=None)
    return None if least is None else int(least * 2**20 * _PROGRAMS_SHARE)


def parse_gpus(listing: str, visible: str | None) -> list[tuple[str | None, float]]:
    """GPUs out of ``nvidia-smi --query-gpu=index,uuid,name,memory.total``, as type and MiB.

    Args:
        listing: Its CSV lines, without header and units.
        visible: CUDA_VISIBLE_DEVICES: indices or UUIDs, None for all.
    """
    wanted = None if visible is None else [part.strip() for part in visible.split(",")]
    found = []
    for line in listing.splitlines():
        index, uuid, name, mib = (part.strip() for part in line.split(",", 3))
        if wanted is None or index in wanted or any(w and uuid.startswith(w) for w in wanted):
            match = _GPU_NAME.match(name)
            found.append((match[1] if match else None, float(mib)))
    return found


def _gpus() -> list[tuple[str | None, float]]:
    query = "--query-gpu=index,uuid,name,memory.total"
    try:
        answer = subprocess.run(
            ["nvidia-smi", query, "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    if answer.returncode != 0:
        return []
    return parse_gpus(answer.stdout, os.environ.get("CUDA_VISIBLE_DEVICES"))
