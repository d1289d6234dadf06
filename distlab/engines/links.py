"""A real all-reduce among the nodes of a cluster, with its time: what no setting can promise."""

import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from distlab.engines.network import GLOO, NCCL
from distlab.engines.node_report import NodeReport, report_here
from distlab.errors import summary

Backend = Literal["gloo", "nccl"]
"""What carries an all-reduce: sockets of the hosts, or whatever links the GPUs have."""

_SMALL: Final = 8
_LARGE: Final = 64 << 20
_ROUNDS: Final = 5


@dataclass(frozen=True, slots=True)
class LinkReport:
    """An all-reduce among all nodes.

    Attributes:
        backend: What carried it.
        ranks: How many took part, one of each node.
        small_s: Seconds for a few bytes.
        bytes_per_s: Of a large one: bus bandwidth, 2 (n - 1) / n of the bytes over the time, as
            nccl-tests count it.
        error: Why there is none of it; empty where there is.
    """

    backend: Backend
    ranks: int
    small_s: float = 0.0
    bytes_per_s: float = 0.0
    error: str = ""


class Member:
    """A rank, in an actor on its node."""

    def meeting(self) -> tuple[str, int]:
        """Address of this node and a port that is free there."""
        with socket.socket() as probe:
            probe.bind(("", 0))
            return ray.util.get_node_ip_address(), probe.getsockname()[1]

    def measure(
        self, backend: Backend, ranks: tuple[int, int], at: tuple[str, int], network: dict[str, str]
    ) -> tuple[float, float]:
        """Join, and time a small and a large all-reduce; returns both in seconds.

        Args:
            backend: What carries it.
            ranks: Own rank and how many there are.
            at: Address and port of rank 0.
            network: Variables that say over which interface.
        """
        for name, value in network.items():
            os.environ.setdefault(name, value)
        import torch
        import torch.distributed as dist

        rank, size = ranks
        where = f"tcp://{at[0]}:{at[1]}"
        patience = timedelta(seconds=30)
        dist.init_process_group(
            backend, init_method=where, rank=rank, world_size=size, timeout=patience
        )
        device = "cuda" if backend == "nccl" else "cpu"
        try:
            return self._timed(torch.ones(_SMALL, device=device), size), self._timed(
                torch.ones(_LARGE // 4, device=device), size
            )
        finally:
            dist.destroy_process_group()

    def _timed(self, values: Any, size: int) -> float:  # noqa: ANN401 (torch is imported late)
        """The fastest of some rounds; the first, which sets connections up, does not count."""
        import torch
        import torch.distributed as dist

        times = []
        for _ in range(_ROUNDS):
            began = time.monotonic()
            dist.all_reduce(values)
            if values.is_cuda:
                torch.cuda.synchronize()
            times.append(time.monotonic() - began)
        if float(values[0]) != float(size) ** _ROUNDS:
            raise RuntimeError("an all-reduce gave a wrong sum")
        return min(times[1:])


def measure_links(
    nodes: Sequence[str], backend: Backend, network: dict[str, str], patience_s: float
) -> LinkReport:
    """One rank on each node, and an all-reduce among them.

    Args:
        nodes: Ray's ids; two or more.
        backend: What carries it; nccl takes a GPU of each node.
        network: Variables that say over which interfaces.
        patience_s: Seconds to wait for it.
    """
    size, deadline = len(nodes), time.monotonic() + patience_s
    with _members(nodes, backend) as members:
        try:
            at = ray.get(members[0].meeting.remote(), timeout=patience_s)
            asked = [
                member.measure.remote(backend, (rank, size), at, network)
                for rank, member in enumerate(members)
            ]
            times = ray.get(asked, timeout=max(1.0, deadline - time.monotonic()))
        except GetTimeoutError:
            waited = f"the ranks did not meet within {patience_s:.0f} s"
            return LinkReport(backend, size, error=waited)
        except RayError as error:
            return LinkReport(backend, size, error=summary(error))
    small, large = (max(values) for values in zip(*times, strict=True))
    return LinkReport(backend, size, small, 2 * (size - 1) / size * _LARGE / large)


@contextmanager
def _members(nodes: Sequence[str], backend: Backend) -> Iterator[list[Any]]:
    made: list[Any] = []
    try:
        for node in nodes:
            there = NodeAffinitySchedulingStrategy(node, soft=False)
            actor: Any = ray.remote(Member)
            gpus = 1 if backend == "nccl" else 0
            made.append(
                actor.options(num_cpus=0, num_gpus=gpus, scheduling_strategy=there).remote()
            )
        yield made
    finally:
        for member in made:
            ray.kill(member)


def node_reports(
    folders: Sequence[str], mark: str, patience_s: float
) -> dict[str, NodeReport | str]:
    """Ray's id of every node to what it says, or to why it says nothing.

    Args:
        folders: To be tried on each.
        mark: Name of the file that the driver wrote into each.
        patience_s: Seconds to wait for all of them.
    """
    deadline = time.monotonic() + patience_s
    asked = {}
    for raw in ray.nodes():
        if raw["Alive"]:
            there = NodeAffinitySchedulingStrategy(raw["NodeID"], soft=False)
            asking = ray.remote(report_here).options(num_cpus=0, scheduling_strategy=there)
            asked[raw["NodeID"]] = asking.remote(raw["NodeManagerAddress"], tuple(folders), mark)
    return {node: _answer(answer, deadline) for node, answer in asked.items()}


def _answer(answer: Any, deadline: float) -> NodeReport | str:  # noqa: ANN401 (an ObjectRef)
    try:
        said = ray.get(answer, timeout=max(0.0, deadline - time.monotonic()))
    except GetTimeoutError:
        return "it does not answer: a folder hangs there, or the node does"
    except RayError as error:
        return summary(error)
    assert isinstance(said, NodeReport)
    return said


def link_variables(interface: str | None) -> dict[str, str]:
    """Variables of an interface that all nodes have."""
    return {GLOO: interface, NCCL: interface} if interface else {}
