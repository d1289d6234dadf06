"""The dispatcher: queues of requests, pulled by replicas under leases.

One queue per checkpoint, no barrier in it. Replicas are started where there is room: the first of
every checkpoint before the second of any, the largest first (``housing`` decides, ``staffing`` with
it). What is up is kept busy (``leasing``) and looked after (``watch``). A replica that dies hands
its leases back, and is started anew where it fits then.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any

from ray.exceptions import ActorDiedError, RayError

from distlab.engines.events import EngineEvent, EventKind, Observer
from distlab.engines.fleet import Fleet, Running
from distlab.engines.housing import Housing
from distlab.engines.leasing import Leasing, Sink
from distlab.engines.load_watch import HungLoad, LoadWatch
from distlab.engines.messages import Pulse, ReplicaInfo
from distlab.engines.nodes import alive, live_nodes
from distlab.engines.tasks import Tasks
from distlab.engines.watch import HungEngine, watch
from distlab.engines.workload import FAILED_LOADS, EngineJob, Limits, Serving, Workload
from distlab.errors import summary
from distlab.placement.placement import Placement

# Deaths in a row without a finished request between them after which the engine is what is wrong.
_BARREN_DEATHS = 5
_LOOK_S = 1.0
_PULSE_S = 2.0
# Seconds between two questions to a replica, for each that there is, and at most (ours): an answer
# costs the driver about a millisecond, of however many replicas, and one that commits itself hears
# by them that the driver lives.
_PULSE_OF_EACH_S = 0.02
_PULSE_AT_MOST_S = 15.0
_HALT_S = 10.0


class NodeGone(Exception):
    """A node of a replica is no more."""


class Dispatcher:
    """Serves the requests of some checkpoints with the replicas of a fleet."""

    def __init__(
        self,
        fleet: Fleet,
        jobs: Iterable[EngineJob],
        limits: Limits,
        sink: Sink,
        observer: Observer,
    ) -> None:
        """Prepare to serve.

        Args:
            fleet: Has the replicas; those that are up in the end stay in it.
            jobs: What to draw.
            limits: How engines are held.
            sink: Where what comes back goes.
            observer: Is told what happens to engines.
        """
        self._fleet = fleet
        self._limits = limits
        self._observer = observer
        self._workloads = [Workload.of(job) for job in jobs]
        self._tasks = Tasks()
        self._leasing = Leasing(self._tasks, sink, observer)
        self._housing = Housing(self._workloads, limits, observer)
        self._starts: set[asyncio.Task[None]] = set()
        self._loading: set[str] = set()
        self._vacating = False
        self._halted = False

    async def run(self) -> tuple[str | None, ...]:
        """Serve until every request is done or set aside, or ``halt`` was called.

        Returns:
            One entry per job: None, or a sentence that says why it could not be served.
        """
        try:
            await self._adopt()
            while not self._is_over:
                self._staff()
                await self._tasks.change(within_s=_LOOK_S)
            for workload in self._workloads:
                self._leasing.set_aside(workload, ())
        finally:
            await self._wind_up()
        if self._tasks.crash is not None:
            raise self._tasks.crash
        return tuple(workload.error for workload in self._workloads)

    def halt(self) -> None:
        """Stop leasing; replicas yield what is finished, and ``run`` returns."""
        self._halted = True
        self._leasing.halt()
        for workload in self._workloads:
            for serving in workload.serving:
                with contextlib.suppress(RayError):
                    serving.running.actor.halt.remote()
        self._tasks.wake()

    @property
    def _is_over(self) -> bool:
        if self._halted or self._tasks.crash is not None:
            return True
        return all(workload.is_over for workload in self._workloads)

    async def _wind_up(self) -> None:
        """Let halted replicas yield, leave those that are up to the fleet, and end all tasks."""
        for start in self._starts:
            start.cancel()
        serving = [s for workload in self._workloads for s in workload.serving]
        if leases := {lease for s in serving for lease in s.leases}:
            await asyncio.wait(leases, timeout=_HALT_S)
        for each in serving:
            each.end()
        await self._tasks.end(patience_s=_HALT_S)

    # Who runs where

    async def _adopt(self) -> None:
        """Serve with engines that an earlier call left up."""
        free = list(self._fleet.replicas)
        for workload in self._workloads:
            fitting = [r for r in free if r.settings.serves(workload.job.settings)]
            for running in fitting[: self._limits.replicas]:
                free.remove(running)
                if await self._is_ready(running):
                    self._tell(EventKind.REUSED, workload, running)
                    self._employ(workload, running)
                else:
                    await self._fleet.discard(running, "died while idle")

    async def _is_ready(self, running: Running) -> bool:
        if not await self._fleet.is_healthy(running):
            return False
        try:
            await self._leasing.open(running)
        except RayError:
            return False
        return True

    def _staff(self) -> None:
        """Start and give up what has to be."""
        if self._housing.is_complete:
            return
        moves = self._housing.moves(
            live_nodes(self._fleet.held()),
            [running for running in self._fleet.replicas if running.name not in self._loading],
            is_vacating=self._vacating,
        )
        for workload, placement in moves.starts:
            workload.starting += 1
            start = self._tasks.spawn(self._start(workload, placement))
            self._starts.add(start)
            start.add_done_callback(self._starts.discard)
        if moves.vacate:
            self._vacating = True
            self._tasks.spawn(self._vacate(moves.vacate))
        for workload in moves.hopeless:
            self._give_up(
                workload,
                f"no node has room for an engine of {workload.job.name}, which takes "
                f"{workload.needs}; waited {self._limits.wait_for_nodes_s:g} s "
                "(cluster.wait_for_nodes_s) for one",
            )

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
            self._tasks.wake()

    # One replica

    async def _start(self, workload: Workload, placement: Placement) -> None:
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
            self._tasks.wake()

    async def _load(self, workload: Workload, running: Running) -> bool:
        """Whether the engine could be loaded."""
        chosen = " ".join(f"{name}={value}" for name, value in running.network.items())
        self._tell(EventKind.LOADING, workload, running, chosen)
        try:
            info = await self._while_alive(running, self._open(running))
        except (RayError, NodeGone, HungLoad) as error:
            await self._failed_load(workload, running, error)
            return False
        workload.failed_loads = 0
        self._tell(EventKind.LOADED, workload, running, f"{info.load_s:.1f}")
        return True

    async def _open(self, running: Running) -> ReplicaInfo:
        """Have a replica see the store, where it commits itself, before its engine takes long."""
        await self._leasing.open(running)
        return await self._fleet.load(running)

    async def _failed_load(self, workload: Workload, running: Running, error: Exception) -> None:
        reason = summary(error)
        self._tell(EventKind.LOAD_FAILED, workload, running, reason)
        if not _is_node_gone(running, error):
            workload.failed_loads += 1
        alone = not workload.serving and workload.starting == 1
        if workload.failed_loads >= FAILED_LOADS and alone:
            self._give_up(
                workload, f"the engine of {workload.job.name} did not load, twice: {reason}"
            )
        await self._fleet.discard(running, f"did not load: {reason}")

    async def _while_alive(
        self, running: Running, load: Coroutine[Any, Any, ReplicaInfo]
    ) -> ReplicaInfo:
        """Wait for a load that gets on, but not on a node that is gone: Ray would wait for it."""
        loading = asyncio.ensure_future(load)
        progress = LoadWatch(running, self._limits.load_hang_s)
        try:
            while not (await asyncio.wait({loading}, timeout=_PULSE_S))[0]:
                if not alive(running.node_ids):
                    raise NodeGone("its node died while it was loading")
                await progress.look()
            return loading.result()
        finally:
            loading.cancel()

    def _employ(self, workload: Workload, running: Running) -> None:
        serving = Serving(running, asyncio.get_running_loop().create_future())
        workload.serving.append(serving)
        self._tasks.spawn(self._serve(workload, serving))

    async def _serve(self, workload: Workload, serving: Serving) -> None:
        """Keep a loaded replica busy until it dies or is not needed."""
        watching = self._tasks.spawn(self._watch(workload, serving))
        following = self._tasks.spawn(self._leasing.follow(workload, serving))
        try:
            self._leasing.feed(workload, serving)
            if (error := await serving.over) is None:
                await self._leasing.settle(serving, _HALT_S)
        finally:
            for task in (watching, following, *serving.leases):
                task.cancel()
            await asyncio.gather(watching, following, *serving.leases, return_exceptions=True)
            workload.serving.remove(serving)
            self._tasks.wake()
        if error is not None:
            await self._bury(workload, serving, error)

    async def _bury(self, workload: Workload, serving: Serving, error: Exception) -> None:
        """Return what a dead replica had, suspect it of the death, and free the place."""
        running, reason = serving.running, summary(error)
        kind = EventKind.HUNG if isinstance(error, HungEngine) else EventKind.DIED
        self._tell(kind, workload, running, reason)
        is_node_gone = _is_node_gone(running, error)
        if running.tag:
            # What it can still commit, it does before the store is asked.
            workload.following += 1
            try:
                await self._fleet.discard(running, f"{kind}: {reason}")
                await self._leasing.recover(workload, serving)
            finally:
                workload.following -= 1
        if is_node_gone:
            workload.queue.give_back(serving.leased)
        elif serving.leased:
            self._leasing.set_aside(workload, workload.queue.killed(serving.leased, reason))
            if workload.queue.barren_deaths >= _BARREN_DEATHS:
                self._give_up(
                    workload,
                    f"the engine of {workload.job.name} died {_BARREN_DEATHS} times in a row "
                    f"without finishing a problem: {reason}",
                )
        workload.failed_loads = 0
        self._leasing.feed_all(workload)
        self._leasing.flush(workload)
        await self._fleet.discard(running, f"{kind}: {reason}")
        self._tasks.wake()

    def _give_up(self, workload: Workload, error: str) -> None:
        workload.error = error
        self._tell(EventKind.GIVEN_UP, workload, detail=error)
        for serving in workload.serving:
            serving.end()

    async def _watch(self, workload: Workload, serving: Serving) -> None:
        """End a replica that is dead or hung."""
        running = serving.running

        def told(pulse: Pulse) -> None:
            held = Counter(cell for cell, _ in serving.leased)
            self._observer.pulse(running.name, pulse, held)

        def pause_s() -> float:
            return workload.spaced_s(_PULSE_S, _PULSE_OF_EACH_S, _PULSE_AT_MOST_S)

        serving.end(await watch(running, self._limits.hang_s, pause_s, serving.take_heard, told))

    def _tell(
        self, kind: EventKind, workload: Workload, running: Running | None = None, detail: str = ""
    ) -> None:
        self._observer.event(workload.event(kind, running, detail))


def _is_node_gone(running: Running, error: Exception) -> bool:
    """Whether a machine is to blame; Ray may notice that later than the replica's end."""
    told = isinstance(error, ActorDiedError) and "its node has died" in str(error)
    return told or isinstance(error, NodeGone) or not alive(running.node_ids)
