"""A job under way: the requests of one checkpoint, and the replicas that serve them."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from distlab.engines.events import EngineEvent, EventKind
from distlab.engines.fleet import Running
from distlab.engines.keeping import pieces
from distlab.engines.messages import CellRequest, CellWork, EngineSettings, Lease, Pulse, Receipt
from distlab.engines.queue import DrawQueue, Key
from distlab.store.cell import ProblemFailure

# Loads in a row that fail before a checkpoint is given up.
FAILED_LOADS = 2
BATCHES_AHEAD = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """How engines are held.

    Attributes:
        replicas: Most of one checkpoint, None for what the cluster has free.
        hang_s: Seconds without a step after which an engine with requests is taken for hung.
        wait_for_nodes_s: Seconds to wait for nodes where nothing fits.
        load_hang_s: Seconds without progress after which an engine that loads is taken for hung.
    """

    replicas: int | None
    hang_s: float
    wait_for_nodes_s: float
    load_hang_s: float


@dataclass(frozen=True, slots=True)
class EngineJob:
    """The requests of one checkpoint.

    Attributes:
        name: What people call the checkpoint.
        settings: How its engine is built.
        cells: Cell key to what its requests share.
        requests: The missing samples, by problem.
    """

    name: str
    settings: EngineSettings
    cells: Mapping[str, CellWork]
    requests: Sequence[CellRequest]


@dataclass(slots=True, eq=False)
class Serving:
    """A replica at work.

    Attributes:
        running: The replica.
        over: Done once it stops serving: with an error, or None where it is left to the fleet.
        leased: Requests leased to it that have not come back.
        kept: Requests that it has finished and not committed, where it commits itself.
        early: Requests in the store that it has not told as finished.
        settled: Set once it has committed all that it was asked to.
        lending: Leases to go with the next question for its report; None while one is under way.
        heard: How it was doing when it reported last; None where that was told.
        is_hurried: Whether it commits at once what it finishes, until it is lent something more.
        leases: The tasks that take their results.
        outstanding: Sequences that these requests take.
        alone: Whether the request that it has may kill engines, so that it gets no other.
    """

    running: Running
    over: "asyncio.Future[Exception | None]"
    leased: dict[Key, CellRequest] = field(default_factory=dict)
    kept: dict[Key, CellRequest] = field(default_factory=dict)
    early: set[Key] = field(default_factory=set)
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    lending: list[Lease] | None = field(default_factory=list)
    heard: Pulse | None = None
    is_hurried: bool = False
    leases: set["asyncio.Task[None]"] = field(default_factory=set)
    outstanding: int = 0
    alone: bool = False

    @property
    def room(self) -> int:
        """Sequences to lease, so that the batch stays full while results travel.

        A request counts whole until its longest sample is finished, when most of it long is: where
        lengths are spread like an exponential, 28 of 100 samples of requests of 20 still run.
        """
        if self.alone:
            return 0
        return BATCHES_AHEAD * self.running.settings.max_num_seqs - self.outstanding

    def keep(self, keys: Iterable[Key]) -> None:
        """Note what it has finished, of requests leased to it, until it is in the store."""
        for key in keys:
            if key in self.leased:
                self.kept.update(pieces(self.leased[key]))
        for key in self.early & self.kept.keys():
            del self.kept[key]
            self.early.discard(key)

    def receive(self, receipt: Receipt) -> None:
        """Note what is in the store; it may be told before it is told as finished."""
        for problem in receipt.problems:
            if self.kept.pop((receipt.cell, problem), None) is None:
                self.early.add((receipt.cell, problem))

    def take_heard(self) -> Pulse | None:
        """How it was doing when it reported, once."""
        heard, self.heard = self.heard, None
        return heard

    def end(self, error: Exception | None = None) -> None:
        """Stop serving: because of an error, or to leave the replica to the fleet."""
        if not self.over.done():
            self.over.set_result(error)


@dataclass(slots=True, eq=False)
class Workload:
    """A job under way.

    Attributes:
        job: What to draw.
        queue: The requests that are left.
        serving: Replicas at work.
        starting: Replicas that are placed or loading.
        failed_loads: Loads that failed since one succeeded or an engine died.
        following: Results whose further requests are not known yet: the engine is kept for them.
        condemned: Requests that are set aside and not reported yet.
        waiting_since: When it was first found to have no place, monotonic; None where it has one.
        homeless_since: Since when nobody else was at work while it had none, monotonic.
        error: Why it was given up.
    """

    job: EngineJob
    queue: DrawQueue
    serving: list[Serving] = field(default_factory=list)
    starting: int = 0
    failed_loads: int = 0
    following: int = 0
    condemned: list[ProblemFailure] = field(default_factory=list)
    waiting_since: float | None = None
    homeless_since: float = 0.0
    error: str | None = None

    @classmethod
    def of(cls, job: EngineJob) -> "Workload":
        """All of a job's requests waiting, and no replica."""
        queue = DrawQueue(job.cells)
        queue.add(job.requests)
        return cls(job, queue)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do or to hope for."""
        uncommitted = any(serving.kept for serving in self.serving)
        is_done = self.queue.is_done and not self.following and not uncommitted
        return self.error is not None or is_done

    @property
    def replicas(self) -> int:
        """Replicas that it has, those that load included."""
        return len(self.serving) + self.starting

    def spaced_s(self, least_s: float, of_each_s: float, most_s: float) -> float:
        """Seconds between two calls to one of its replicas, so that calls to all stay bearable."""
        return min(max(least_s, of_each_s * len(self.serving)), most_s)

    @property
    def needs(self) -> str:
        """What one of its engines takes of a cluster, for people."""
        group = self.job.settings.group
        gpus = f"{group.gpus_per_rank} {group.gpu_type or ''} GPU and ".replace("  ", " ")
        each = f"{gpus if group.gpus_per_rank else ''}{group.cpus_per_rank:g} CPU cores"
        return f"{group.parallelism} = {group.ranks} x ({each})"

    def wanted(self, most: int | None) -> int:
        """Replicas that what is left keeps busy.

        Args:
            most: To have at all, None for any number.
        """
        if self.is_over or not self.queue.waiting or self.failed_loads >= FAILED_LOADS:
            return self.replicas
        if most is not None:
            return min(most, self.replicas + self.queue.draws_waiting)
        # Two batches each are worth so many replicas more.
        worth = 2 * self.job.settings.max_num_seqs
        return max(1, self.replicas + self.queue.waiting // worth)

    def event(
        self, kind: EventKind, running: Running | None = None, detail: str = ""
    ) -> EngineEvent:
        """Something that happened to one of its replicas, or to it as a whole."""
        name, hosts = (None, ()) if running is None else (running.name, running.hosts)
        return EngineEvent(kind, self.job.name, name, hosts, detail)
