"""The engines of a study or a sweep: started once, kept between jobs, given up for others.

A fleet holds replicas, and a replica holds one placement group. It decides nothing: the dispatcher
says what to start where, and what to give up.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayError
from ray.util.placement_group import (
    PlacementGroup,
    placement_group,
    placement_group_table,
    remove_placement_group,
)
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from distlab.engines.messages import EngineSettings, ReplicaInfo, Site
from distlab.engines.network import are_told, interfaces_of, variables
from distlab.engines.nodes import host_names
from distlab.engines.remote import RemoteReplica
from distlab.engines.replica import Replica
from distlab.placement.placement import EngineGroup, Placement

_NODE_ID = "ray.io/node-id"
# A group that was placed on what is free is granted at once, unless another job was faster.
_GRANT_S = 10.0
_STOP_S = 10.0
_CHECK_S = 10.0


@dataclass(frozen=True, slots=True)
class ReplicaRecord:
    """Where a replica ran and how it ended, for the manifest.

    Attributes:
        replica: Its name.
        model: Folder or hub id it loaded.
        parallelism: How it was split: "TP 8 x PP 2".
        nodes: Host name of each rank, in rank order.
        node_ids: Ray's id of each rank's node.
        gpus: GPU ids of its actor.
        started: UTC, ISO 8601.
        load_s: Seconds that loading took, None where it did not load.
        end: "stopped", or what it died of; empty while it is up.
    """

    replica: str
    model: str
    parallelism: str
    nodes: tuple[str, ...]
    node_ids: tuple[str, ...]
    gpus: tuple[str, ...]
    started: str
    load_s: float | None = None
    end: str = ""


@dataclass(slots=True, eq=False)
class Running:
    """A replica with its place.

    Attributes:
        name: Unique in the fleet.
        settings: Of its engine.
        placement: Its nodes, by Ray's ids.
        hosts: Their host names, in rank order.
        group: Its reservation.
        handle: Ray's handle of its actor.
        cores: Cores it holds of its node's list, on CPU.
        network: Variables that say over which interfaces its ranks meet.
        pid: Process id of its actor once it is loaded.
        tag: In the names of the shards that it commits; empty where the driver commits.
    """

    name: str
    settings: EngineSettings
    placement: Placement
    hosts: tuple[str, ...]
    group: PlacementGroup
    handle: ActorHandle[Replica]
    cores: tuple[int, ...] = ()
    network: Mapping[str, str] = field(default_factory=dict)
    pid: int = 0
    tag: str = ""

    @property
    def actor(self) -> RemoteReplica:
        """Its ``Replica``, to be called."""
        return self.handle

    @property
    def node_ids(self) -> tuple[str, ...]:
        """Ray's ids of its nodes."""
        return tuple(node for node, _ in self.placement.ranks)


class Fleet:
    """Replicas that are up, and the records of all that were. Ray must be connected."""

    def __init__(self) -> None:
        self._replicas: list[Running] = []
        self._leaving: set[str] = set()
        self._names = itertools.count(1)
        self._records: dict[str, ReplicaRecord] = {}

    @property
    def replicas(self) -> tuple[Running, ...]:
        """Replicas that are up or loading, oldest first."""
        return tuple(r for r in self._replicas if r.name not in self._leaving)

    @property
    def records(self) -> tuple[ReplicaRecord, ...]:
        """Every replica there ever was, oldest first."""
        return tuple(self._records.values())

    @property
    def starts(self) -> int:
        """Engines that were started so far, failed loads included."""
        return len(self._records)

    def held(self) -> Iterator[tuple[EngineGroup, Placement]]:
        """What the replicas hold of the cluster."""
        return ((running.settings.group, running.placement) for running in self._replicas)

    async def place(self, settings: EngineSettings, placement: Placement) -> Running | None:
        """Reserve a replica's place, whole or not at all; None where another was faster.

        Raises:
            UserError: Its nodes have no common interface, as ``network.variables`` says.
        """
        group = _reserve(settings.group, placement)
        try:
            if not await asyncio.to_thread(group.wait, _GRANT_S):
                remove_placement_group(group)
                return None
        except BaseException:
            remove_placement_group(group)
            raise
        name = f"r{next(self._names)}"
        cores = self._cores(settings, placement)
        try:
            network = await _network(settings, placement)
        except (RayError, TimeoutError):
            remove_placement_group(group)
            return None
        except BaseException:
            remove_placement_group(group)
            raise
        site = Site(name, placement.spans, cores, tuple(sorted(network.items())))
        handle = _make_actor(settings, site, group)
        hosts = _hosts(group) if placement.spans else _hosts(group) * settings.parallelism.ranks
        running = Running(name, settings, placement, hosts, group, handle, cores, network)
        self._replicas.append(running)
        return running

    async def load(self, running: Running) -> ReplicaInfo:
        """Load the engine of a placed replica.

        Raises:
            RayError: It does not load.
        """
        record = ReplicaRecord(
            replica=running.name,
            model=running.settings.model,
            parallelism=str(running.settings.parallelism),
            nodes=running.hosts,
            node_ids=running.placement.bundles,
            gpus=(),
            started=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        self._records[running.name] = record
        # While it loads it answers nobody.
        running.pid = await running.actor.process.remote()
        info = await running.actor.start.remote()
        self._records[running.name] = replace(record, gpus=info.gpus, load_s=round(info.load_s, 3))
        return info

    async def is_healthy(self, running: Running) -> bool:
        """Whether an idle replica can still draw."""
        try:
            await asyncio.wait_for(running.actor.check.remote(), _CHECK_S)
        except (TimeoutError, RayError):
            return False
        return True

    async def discard(self, running: Running, end: str = "stopped") -> None:
        """Stop an engine, politely for some seconds, and give its place back."""
        if running not in self._replicas:
            return
        self._leaving.add(running.name)
        try:
            with contextlib.suppress(RayError, asyncio.TimeoutError):
                await asyncio.wait_for(running.actor.stop.remote(), _STOP_S)
        finally:
            self.drop(running, end)

    def drop(self, running: Running, end: str = "stopped") -> None:
        """Kill a replica at once and give its place back."""
        if running not in self._replicas:
            return
        self._replicas.remove(running)
        ray.kill(running.handle)
        remove_placement_group(running.group)
        if running.name in self._records:
            self._records[running.name] = replace(self._records[running.name], end=end)

    def close(self) -> None:
        """Stop every engine."""
        asyncio.run(self._stop_all())

    async def _stop_all(self) -> None:
        await asyncio.gather(*(self.discard(running) for running in self.replicas))

    def _cores(self, settings: EngineSettings, placement: Placement) -> tuple[int, ...]:
        """Cores of the node that no other replica has; fewer where they do not suffice."""
        if settings.device != "cpu":
            return ()
        taken = {
            core
            for other in self._replicas
            if other.placement.ranks[0][0] == placement.ranks[0][0]
            for core in other.cores
        }
        free = (core for core in itertools.count() if core not in taken)
        wanted = int(settings.cpus_per_rank) * settings.parallelism.ranks
        return tuple(itertools.islice(free, wanted))


async def _network(settings: EngineSettings, placement: Placement) -> dict[str, str]:
    """Variables for ranks of several nodes; none where the user said all."""
    if not placement.spans or are_told(dict(settings.env)):
        return {}
    return variables(await interfaces_of(placement.bundles))


def _reserve(group: EngineGroup, placement: Placement) -> PlacementGroup:
    """A placement group pinned to the nodes that were chosen, ranks in order."""
    if not placement.spans:
        ((node, ranks),) = placement.ranks
        bundles = [_bundle(group, ranks)]
        packed: PlacementGroup = placement_group(
            bundles, strategy="STRICT_PACK", bundle_label_selector=[{_NODE_ID: node}]
        )
        return packed
    nodes = placement.bundles
    spread: PlacementGroup = placement_group(
        [_bundle(group, 1) for _ in nodes],
        strategy="PACK",
        bundle_label_selector=[{_NODE_ID: node} for node in nodes],
    )
    return spread


def _bundle(group: EngineGroup, ranks: int) -> dict[str, float]:
    bundle = {"CPU": group.cpus_per_rank * ranks, "GPU": float(group.gpus_per_rank * ranks)}
    return {name: amount for name, amount in bundle.items() if amount}


def _make_actor(
    settings: EngineSettings, site: Site, group: PlacementGroup
) -> ActorHandle[Replica]:
    """The actor in its group; where ranks are Ray workers, it leaves the bundles to them."""
    bundle: Mapping[str, float] = {} if site.spans else group.bundle_specs[0]
    handle = (
        ray.remote(Replica)
        .options(
            num_cpus=bundle.get("CPU", 0),
            num_gpus=int(bundle.get("GPU", 0)),
            max_restarts=0,
            scheduling_strategy=PlacementGroupSchedulingStrategy(
                group,
                placement_group_bundle_index=0,
                placement_group_capture_child_tasks=True,
            ),
        )
        .remote(settings, site)
    )
    assert isinstance(handle, ActorHandle)
    return handle


def _hosts(group: PlacementGroup) -> tuple[str, ...]:
    """Host name of every bundle, as Ray placed it."""
    names = host_names()
    placed = placement_group_table(group)["bundles_to_node_id"]
    return tuple(names.get(placed[index], placed[index]) for index in sorted(placed))
