"""The dispatcher: queues of draws, pulled by replicas under leases.

One queue a checkpoint, no barrier in it. Replicas are started where there is room: the first of
every checkpoint before the second of any, the largest first. A replica that dies hands its leases
back, and is started anew where it fits then.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ray.exceptions import ActorDiedError, RayError

from distlab.engines.events import EngineEvent, EventKind, Observer
from distlab.engines.fleet import Fleet, Running
from distlab.engines.nodes import alive, live_nodes
from distlab.engines.queue import DrawQueue, Key, Taken
from distlab.engines.staffing import Claim, staff
from distlab.engines.types import (
    CellWork,
    EngineSettings,
    Finished,
    Lease,
    Pulse,
    ReplicaInfo,
    Work,
)
from distlab.engines.watch import HungEngine, watch
from distlab.errors import summary
from distlab.placement.placement import Placement
from distlab.store.cell import ProblemFailure

_FAILED_LOADS = 2
# Deaths in a row without a finished draw between them after which the engine is what is wrong.
_BARREN_DEATHS = 5
_LOOK_S = 1.0
_TOGETHER_S = 0.05
# Within this Ray's account of the nodes has caught up with what was given back.
_ACCOUNT_S = 4.0
_PULSE_S = 2.0
_HALT_S = 10.0
BATCHES_AHEAD = 4

FollowUp = Callable[[Finished], Awaitable[Iterable[Work]]]
"""What came back to further draws of the same checkpoint, if any; awaited beside the sampling."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How engines are held.

    Attributes:
        replicas: Most of one checkpoint, None for what the cluster has free.
        hang_s: Seconds without a step after which an engine with requests is taken for hung.
        wait_for_nodes_s: Seconds to wait for nodes where nothing fits.
    """

    replicas: int | None
    hang_s: float
    wait_for_nodes_s: float


@dataclass(frozen=True, slots=True)
class Job:
    """The draws of one checkpoint.

    Attributes:
        name: What people call the checkpoint.
        settings: Of its engine.
        cells: Cell key to what its draws share.
        draws: What to draw.
    """

    name: str
    settings: EngineSettings
    cells: Mapping[str, CellWork]
    draws: Sequence[Work]


class NodeGone(Exception):
    """A node of a replica is no more."""


@dataclass(slots=True, eq=False)
class _Serving:
    """A replica at work."""

    running: Running
    over: "asyncio.Future[Exception | None]"
    keys: set[Key] = field(default_factory=set)
    leases: set["asyncio.Task[None]"] = field(default_factory=set)
    outstanding: int = 0
    alone: bool = False

    @property
    def room(self) -> int:
        """Samples to lease, so that the batch stays full while results travel.

        A draw counts whole until its longest sample is finished, when most of it long is: where
        lengths are spread like an exponential, 28 of 100 samples of draws of 20 are still running.
        """
        if self.alone:
            return 0
        return BATCHES_AHEAD * self.running.settings.max_num_seqs - self.outstanding

    def end(self, error: Exception | None = None) -> None:
        """Stop serving: because of an error, or to leave the replica to the fleet."""
        if not self.over.done():
            self.over.set_result(error)


@dataclass(slots=True, eq=False)
class _Workload:
    """A job under way."""

    job: Job
    queue: DrawQueue
    serving: list[_Serving] = field(default_factory=list)
    starting: int = 0
    failed_loads: int = 0
    # Results whose further draws are not known yet: the engine is kept for them.
    following: int = 0
    condemned: list[ProblemFailure] = field(default_factory=list)
    waiting_since: float | None = None
    homeless_since: float = 0.0
    error: str | None = None

    @property
    def is_over(self) -> bool:
        return self.error is not None or (self.queue.is_done and not self.following)

    @property
    def replicas(self) -> int:
        return len(self.serving) + self.starting

    def wanted(self, most: int | None) -> int:
        """Replicas that what is left keeps busy."""
        if self.is_over or not self.queue.waiting or self.failed_loads >= _FAILED_LOADS:
            return self.replicas
        if most is not None:
            return min(most, self.replicas + self.queue.draws_waiting)
        # Two batches each are worth so many replicas more.
        worth = 2 * self.job.settings.max_num_seqs
        return max(1, self.replicas + self.queue.waiting // worth)


class Dispatcher:
    """Serves the draws of some checkpoints with the replicas of a fleet."""

    def __init__(
        self,
        fleet: Fleet,
        jobs: Iterable[Job],
        limits: Limits,
        sink: Callable[[Finished], None],
        observer: Observer,
        follow_up: FollowUp | None = None,
    ) -> None:
        self._fleet = fleet
        self._limits = limits
        self._sink = sink
        self._observer = observer
        self._follow_up = follow_up
        self._workloads = [_workload(job) for job in jobs]
        self._changed = asyncio.Event()
        self._halted = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._starts: set[asyncio.Task[None]] = set()
        self._crash: BaseException | None = None
        self._vacating = False
        self._loading: set[str] = set()

    async def run(self) -> tuple[str | None, ...]:
        """Serve until every draw is done or set aside, or ``halt`` was called.

        Returns:
            One entry a job: None, or a sentence that says why it could not be served.
        """
        try:
            await self._adopt()
            while not self._is_over:
                self._staff()
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), _LOOK_S)
                if not self._is_over:
                    # Asking Ray for its nodes costs milliseconds: what changes together is one
                    # look.
                    await asyncio.sleep(_TOGETHER_S)
                self._changed.clear()
            for workload in self._workloads:
                self._set_aside(workload, ())
        finally:
            await self._wind_up()
        if self._crash is not None:
            raise self._crash
        return tuple(workload.error for workload in self._workloads)

    def halt(self) -> None:
        """Stop leasing; replicas yield what is finished, and ``run`` returns."""
        self._halted = True
        for workload in self._workloads:
            for serving in workload.serving:
                with contextlib.suppress(RayError):
                    serving.running.actor.halt.remote()
        self._changed.set()

    @property
    def _is_over(self) -> bool:
        if self._halted or self._crash is not None:
            return True
        return all(workload.is_over for workload in self._workloads)

    # Tasks

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._crash = self._crash or error
            self._changed.set()

    async def _wind_up(self) -> None:
        """Let halted replicas yield, leave those that are up to the fleet, and end all tasks."""
        for start in self._starts:
            start.cancel()
        serving = [s for workload in self._workloads for s in workload.serving]
        if leases := {lease for s in serving for lease in s.leases}:
            await asyncio.wait(leases, timeout=_HALT_S)
        for each in serving:
            each.end()
        if tasks := set(self._tasks):
            await asyncio.wait(tasks, timeout=_HALT_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Who runs where

    async def _adopt(self) -> None:
        """Serve with engines that an earlier call left up."""
        free = list(self._fleet.replicas)
        for workload in self._workloads:
            fitting = [r for r in free if r.settings.serves(workload.job.settings)]
            for running in fitting[: self._limits.replicas]:
                free.remove(running)
                if await self._fleet.is_healthy(running):
                    self._tell(EventKind.REUSED, workload, running)
                    self._employ(workload, running)
                else:
                    await self._fleet.discard(running, "died while idle")

    def _staff(self) -> None:
        """Start replicas where there is room for them, and make room where there is none."""
        claimants = sorted(
            (w for w in self._workloads if w.wanted(self._limits.replicas) > w.replicas),
            key=lambda w: (-w.job.settings.group.ranks, -w.queue.waiting),
        )
        if not claimants:
            return
        idle = self._idle()
        decision = staff(
            [self._claim(workload) for workload in claimants],
            live_nodes(self._fleet.held()),
            [(running.settings.group, running.placement) for running in idle],
        )
        for index, placement in decision.starts:
            claimants[index].starting += 1
            claimants[index].waiting_since = None
            start = self._spawn(self._start(claimants[index], placement))
            self._starts.add(start)
            start.add_done_callback(self._starts.discard)
        if decision.vacate and not self._vacating:
            self._vacating = True
            self._spawn(self._vacate([idle[index] for index in decision.vacate]))
        self._wait_for_nodes([claimants[index] for index in decision.homeless])

    def _claim(self, workload: _Workload) -> Claim:
        since = workload.waiting_since
        return Claim(
            workload.job.settings.group,
            workload.replicas,
            workload.wanted(self._limits.replicas),
            is_new=since is None or time.monotonic() - since < _ACCOUNT_S,
        )

    def _idle(self) -> list[Running]:
        """Replicas that nobody has use for."""
        busy = set()
        for workload in self._workloads:
            for serving in workload.serving:
                awaited = workload.queue.waiting or workload.following
                if serving.keys or (awaited and not workload.is_over):
                    busy.add(serving.running.name)
        return [r for r in self._fleet.replicas if r.name not in busy | self._loading]

    async def _vacate(self, leaving: Sequence[Running]) -> None:
        names = {running.name for running in leaving}
        for workload in self._workloads:
            for serving in workload.serving:
                if serving.running.name in names:
                    serving.end()
        try:
            for running in leaving:
                self._observer.event(
                    EngineEvent(
                        EventKind.STOPPED, running.settings.model, running.name, running.hosts
                    )
                )
                await self._fleet.discard(running)
        finally:
            self._vacating = False
            self._changed.set()

    def _wait_for_nodes(self, homeless: Sequence[_Workload]) -> None:
        """Give a checkpoint up that fits nowhere though nobody else is at work."""
        now = time.monotonic()
        at_work = self._vacating or any(w.replicas for w in self._workloads if not w.is_over)
        for workload in homeless:
            if workload.waiting_since is None:
                workload.waiting_since = workload.homeless_since = now
                self._tell(EventKind.WAITING, workload, detail=_needs(workload))
            elif at_work:
                workload.homeless_since = now
            elif now - workload.homeless_since >= self._limits.wait_for_nodes_s:
                self._give_up(
                    workload,
                    f"no node has room for an engine of {workload.job.name}, which takes "
                    f"{_needs(workload)}; waited {self._limits.wait_for_nodes_s:g} s "
                    "(cluster.wait_for_nodes_s) for one",
                )

    # One replica

    async def _start(self, workload: _Workload, placement: Placement) -> None:
        """Reserve, load and serve; ``starting`` counts it until it serves or fails."""
        running = None
        try:
            running = await self._fleet.place(workload.job.settings, placement)
            if running is not None:
                self._loading.add(running.name)
                if await self._load(workload, running):
                    self._employ(workload, running)
        except BaseException:
            if running is not None:
                self._fleet.drop(running, "stopped while loading")
            raise
        finally:
            workload.starting -= 1
            if running is not None:
                self._loading.discard(running.name)
            self._changed.set()

    async def _load(self, workload: _Workload, running: Running) -> bool:
        """Whether the engine could be loaded."""
        self._tell(EventKind.LOADING, workload, running)
        try:
            info = await self._while_alive(running, self._fleet.load(running))
        except (RayError, NodeGone) as error:
            await self._failed_load(workload, running, error)
            return False
        workload.failed_loads = 0
        self._tell(EventKind.LOADED, workload, running, f"{info.load_s:.1f}")
        return True

    async def _failed_load(self, workload: _Workload, running: Running, error: Exception) -> None:
        reason = summary(error)
        self._tell(EventKind.LOAD_FAILED, workload, running, reason)
        if not _is_node_gone(running, error):
            workload.failed_loads += 1
        alone = not workload.serving and workload.starting == 1
        if workload.failed_loads >= _FAILED_LOADS and alone:
            self._give_up(
                workload, f"the engine of {workload.job.name} did not load, twice: {reason}"
            )
        await self._fleet.discard(running, f"did not load: {reason}")

    async def _while_alive(
        self, running: Running, load: Coroutine[Any, Any, ReplicaInfo]
    ) -> ReplicaInfo:
        """Wait for a load, but not on a node that is gone: Ray would wait for it to return."""
        loading = asyncio.ensure_future(load)
        try:
            while not (await asyncio.wait({loading}, timeout=_PULSE_S))[0]:
                if not alive(running.node_ids):
                    raise NodeGone("its node died while it was loading")
            return loading.result()
        finally:
            loading.cancel()

    def _employ(self, workload: _Workload, running: Running) -> None:
        serving = _Serving(running, asyncio.get_running_loop().create_future())
        workload.serving.append(serving)
        self._spawn(self._serve(workload, serving))

    async def _serve(self, workload: _Workload, serving: _Serving) -> None:
        """Keep a loaded replica busy until it dies or is not needed."""
        watch = self._spawn(self._watch(serving))
        try:
            self._feed(workload, serving)
            error = await serving.over
        finally:
            watch.cancel()
            for lease in serving.leases:
                lease.cancel()
            await asyncio.gather(watch, *serving.leases, return_exceptions=True)
            workload.serving.remove(serving)
            self._changed.set()
        if error is not None:
            await self._bury(workload, serving, error)

    async def _bury(self, workload: _Workload, serving: _Serving, error: Exception) -> None:
        """Return what a dead replica had, suspect it of the death, and free the place."""
        running, reason = serving.running, summary(error)
        kind = EventKind.HUNG if isinstance(error, HungEngine) else EventKind.DIED
        self._tell(kind, workload, running, reason)
        if _is_node_gone(running, error):
            workload.queue.give_back(serving.keys)
        elif serving.keys:
            self._set_aside(workload, workload.queue.killed(serving.keys, reason))
            if workload.queue.barren_deaths >= _BARREN_DEATHS:
                self._give_up(
                    workload,
                    f"the engine of {workload.job.name} died {_BARREN_DEATHS} times in a row "
                    f"without finishing a problem: {reason}",
                )
        workload.failed_loads = 0
        self._feed_all(workload)
        await self._fleet.discard(running, f"{kind}: {reason}")
        self._changed.set()

    def _set_aside(self, workload: _Workload, failures: Sequence[ProblemFailure]) -> None:
        """Report killers once the engine has shown that it can draw something, or at the end."""
        workload.condemned += failures
        if workload.condemned and (workload.queue.finished or workload.queue.is_done):
            for failure in workload.condemned:
                self._tell(EventKind.SET_ASIDE, workload, detail=failure.problem_id)
            self._sink(Finished({}, failures=tuple(workload.condemned)))
            workload.condemned = []

    def _give_up(self, workload: _Workload, error: str) -> None:
        workload.error = error
        self._tell(EventKind.GIVEN_UP, workload, detail=error)
        for serving in workload.serving:
            serving.end()

    # Leases

    def _feed_all(self, workload: _Workload) -> None:
        for serving in list(workload.serving):
            self._feed(workload, serving)

    def _feed(self, workload: _Workload, serving: _Serving) -> None:
        """Lease draws where there is room; near the end everyone gets a fair share."""
        if self._halted or serving.over.done() or workload.error is not None:
            return
        share = -(-workload.queue.waiting // len(workload.serving))
        taken = workload.queue.take(min(serving.room, share), is_idle=not serving.keys)
        if taken is not None:
            serving.alone = taken.alone
            serving.outstanding += taken.samples
            serving.keys.update((key, draw.problem_id) for key, draw in taken.works)
            lease = self._spawn(self._consume(workload, serving, taken))
            serving.leases.add(lease)
            lease.add_done_callback(serving.leases.discard)

    async def _consume(self, workload: _Workload, serving: _Serving, taken: Taken) -> None:
        """Take one lease's results."""
        cells = {key: workload.queue.cells[key] for key, _ in taken.works}
        try:
            stream = serving.running.actor.sample.options(num_returns="streaming").remote(
                Lease(cells, taken.works)
            )
            async for ref in stream:
                self._deliver(workload, serving, await ref)
        except RayError as error:
            serving.end(error)

    def _deliver(self, workload: _Workload, serving: _Serving, finished: Finished) -> None:
        keys = (*finished.done, *((f.cell, f.problem_id) for f in finished.failures))
        serving.outstanding -= workload.queue.done(keys)
        serving.keys.difference_update(keys)
        if not serving.keys:
            serving.alone = False
        self._sink(finished)
        if workload.condemned:
            self._set_aside(workload, ())
        if self._follow_up is not None and finished.done:
            workload.following += 1
            self._spawn(self._add_more(workload, self._follow_up(finished)))
        self._feed(workload, serving)
        if workload.queue.is_done or not workload.queue.waiting:
            self._changed.set()

    async def _add_more(self, workload: _Workload, more: Awaitable[Iterable[Work]]) -> None:
        try:
            workload.queue.add(await more)
        finally:
            workload.following -= 1
            self._changed.set()
        self._feed_all(workload)

    async def _watch(self, serving: _Serving) -> None:
        """End a replica that is dead or hung."""
        running = serving.running

        def told(pulse: Pulse) -> None:
            self._observer.pulse(running.name, pulse, len(serving.keys))

        serving.end(await watch(running, self._limits.hang_s, told))

    def _tell(
        self,
        kind: EventKind,
        workload: _Workload,
        running: Running | None = None,
        detail: str = "",
    ) -> None:
        name, hosts = (None, ()) if running is None else (running.name, running.hosts)
        self._observer.event(EngineEvent(kind, workload.job.name, name, hosts, detail))


def _workload(job: Job) -> _Workload:
    queue = DrawQueue(job.cells)
    queue.add(job.draws)
    return _Workload(job, queue)


def _needs(workload: _Workload) -> str:
    group = workload.job.settings.group
    gpus = f"{group.gpus_per_rank} {group.gpu_type or ''} GPU and ".replace("  ", " ")
    each = f"{gpus if group.gpus_per_rank else ''}{group.cpus_per_rank:g} CPU cores"
    return f"{group.parallelism} = {group.ranks} x ({each})"


def _is_node_gone(running: Running, error: Exception) -> bool:
    """Whether a machine is to blame; Ray may notice that later than the replica's end."""
    told = isinstance(error, ActorDiedError) and "its node has died" in str(error)
    return told or isinstance(error, NodeGone) or not alive(running.node_ids)
