"""Where replicas go: what a group of ranks needs and what nodes have in, nodes and ranks out.

Pure: the same rules place a described cluster before a GPU is held and a live one through Ray.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

Device = Literal["cpu", "gpu", "server"]
"""What engines compute on; "server" is one that runs already, wherever it has its weights."""

DEVICES: Final[tuple[Device, ...]] = ("cpu", "gpu", "server")


@dataclass(frozen=True, slots=True)
class Parallelism:
    """How one engine is split.

    Attributes:
        tensor: Ranks that share each layer.
        pipeline: Stages that the layers are cut into.
        expert: Whole experts per rank instead of a slice of each (MoE only).
        context: Tensor ranks among which the KV cache is dealt out token by token, where they would
            all repeat it (vLLM's decode context parallelism); it takes no further ranks.
        data: Copies of the attention beside shared experts. Weighed by plans alone: vLLM places
            such ranks itself, and no engine of ours is split so.
    """

    tensor: int = 1
    pipeline: int = 1
    expert: bool = False
    context: int = 1
    data: int = 1

    @property
    def ranks(self) -> int:
        """Worker processes of an engine: one per GPU."""
        return self.tensor * self.pipeline * self.data

    def __str__(self) -> str:
        parts = [f"TP {self.tensor}"]
        parts += [f"PP {self.pipeline}"] if self.pipeline > 1 else []
        parts += [f"DP {self.data}"] if self.data > 1 else []
        parts += ["EP"] if self.expert else []
        parts += [f"DCP {self.context}"] if self.context > 1 else []
        return " x ".join(parts)


@dataclass(frozen=True, slots=True)
class EngineGroup:
    """What one replica needs.

    Attributes:
        parallelism: How its engine is split.
        cpus_per_rank: Cores of a rank.
        gpus_per_rank: 1, or 0 on CPU.
        gpu_type: Accelerator type it must run on, None for any.
    """

    parallelism: Parallelism
    cpus_per_rank: float
    gpus_per_rank: int = 1
    gpu_type: str | None = None

    @property
    def ranks(self) -> int:
        """Worker processes."""
        return self.parallelism.ranks


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of a cluster.

    Attributes:
        name: Host name, or Ray's node id.
        cpus: Cores.
        gpus: GPUs.
        gpu_type: "H100" and the like, None without GPUs or where it is unknown.
        gpu_memory_bytes: Of one GPU, None where it is unknown.
        memory_bytes: Main memory.
        used_cpus: Cores that are taken.
        used_gpus: GPUs that are taken.
    """

    name: str
    cpus: float
    gpus: int
    gpu_type: str | None = None
    gpu_memory_bytes: int | None = None
    memory_bytes: int = 0
    used_cpus: float = 0.0
    used_gpus: int = 0

    def room(self, group: EngineGroup) -> int:
        """Ranks of the group that fit beside what is taken."""
        return self._ranks(group, self.cpus - self.used_cpus, self.gpus - self.used_gpus)

    def capacity(self, group: EngineGroup) -> int:
        """Ranks of the group that fit while nothing is taken."""
        return self._ranks(group, self.cpus, self.gpus)

    def _ranks(self, group: EngineGroup, cpus: float, gpus: int) -> int:
        if group.gpu_type is not None and self.gpu_type != group.gpu_type:
            return 0
        limits = [gpus // group.gpus_per_rank] if group.gpus_per_rank else []
        limits += [int((cpus + 1e-6) / group.cpus_per_rank)] if group.cpus_per_rank else []
        return max(0, min(limits)) if limits else group.ranks

    def taking(self, group: EngineGroup, ranks: int) -> "Node":
        """The node with so many ranks of the group on it."""
        return replace(
            self,
            used_cpus=self.used_cpus + ranks * group.cpus_per_rank,
            used_gpus=self.used_gpus + ranks * group.gpus_per_rank,
        )


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one replica goes.

    Attributes:
        ranks: (node name, ranks on it), in rank order: the first holds the driver of the engine.
    """

    ranks: tuple[tuple[str, int], ...]

    @property
    def spans(self) -> bool:
        """Whether it takes more than one node."""
        return len(self.ranks) > 1

    @property
    def bundles(self) -> tuple[str, ...]:
        """The node of each rank, in rank order."""
        return tuple(name for name, ranks in self.ranks for _ in range(ranks))


def place(group: EngineGroup, nodes: Sequence[Node]) -> Placement | None:
    """One replica on what is free, or None.

    A group that fits a node of the cluster stays inside one: it waits for a free one rather than
    span the leftovers of several. Inside a node the tightest fit wins, so that large gaps stay
    for large groups. A group that spans nodes is packed node by node, whole pipeline stages on a
    node wherever a stage fits one. On CPU no group spans nodes: vLLM has no Ray device there.
    """
    if any(node.capacity(group) >= group.ranks for node in nodes):
        return _inside_one(group, nodes)
    return _over_several(group, nodes) if group.gpus_per_rank else None


def fill(
    group: EngineGroup, nodes: Iterable[Node], replicas: int | None = None
) -> tuple[tuple[Placement, ...], tuple[Node, ...]]:
    """Replicas until the cluster is full or there are enough, and the nodes with them on."""
    placed: list[Placement] = []
    left = tuple(nodes)
    while replicas is None or len(placed) < replicas:
        found = place(group, left)
        if found is None:
            break
        placed.append(found)
        left = take(group, found, left)
    return tuple(placed), left


def take(group: EngineGroup, placement: Placement, nodes: Iterable[Node]) -> tuple[Node, ...]:
    """The nodes with a replica placed on them."""
    held = dict(placement.ranks)
    return tuple(node.taking(group, held.get(node.name, 0)) for node in nodes)


def _inside_one(group: EngineGroup, nodes: Sequence[Node]) -> Placement | None:
    fitting = [node for node in nodes if node.room(group) >= group.ranks]
    if not fitting:
        return None
    tightest = min(fitting, key=lambda node: (node.room(group), node.name))
    return Placement(((tightest.name, group.ranks),))


def _over_several(group: EngineGroup, nodes: Sequence[Node]) -> Placement | None:
    unit = _unit(group, nodes)
    room = {node.name: node.room(group) // unit * unit for node in nodes}
    left, chosen = group.ranks, []
    while left > 0:
        enough = [name for name, free in room.items() if free >= left]
        some = [name for name, free in room.items() if free > 0]
        if not some:
            return None
        name = (
            min(enough, key=lambda n: (room[n], n))
            if enough
            else min(some, key=lambda n: (-room[n], n))
        )
        taken = min(left, room.pop(name))
        chosen.append((name, taken))
        left -= taken
    return Placement(tuple(chosen))


def _unit(group: EngineGroup, nodes: Sequence[Node]) -> int:
    """Ranks that stay together: a pipeline stage where a node can hold one."""
    tensor = group.parallelism.tensor
    return tensor if any(node.capacity(group) >= tensor for node in nodes) else 1
