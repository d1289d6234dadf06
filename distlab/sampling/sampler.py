"""Draws what is missing: engines up, samples into the store, whatever happens committed."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from distlab.config.values import Cluster
from distlab.console.display import Display
from distlab.console.stopping import heard_by
from distlab.engines.dispatcher import Dispatcher
from distlab.engines.events import EventLog
from distlab.engines.fleet import Fleet
from distlab.engines.keeping import Keeping
from distlab.engines.leasing import FollowUp, Sink
from distlab.engines.messages import Finished, Keep, Report
from distlab.engines.metrics import Metrics
from distlab.engines.nodes import asked_for_memory, live_nodes
from distlab.engines.workload import Limits
from distlab.errors import UserError
from distlab.sampling.counter import SampleCounter
from distlab.sampling.engine_jobs import plan_jobs
from distlab.sampling.observer import EngineObserver
from distlab.sampling.outcome import CellOutcome, Outcome
from distlab.sampling.planned import PlannedCell
from distlab.store.claims import EXPIRY_S, ClaimLost, Claims
from distlab.store.committer import Committer

_HALT_S = 25.0


@dataclass(frozen=True, slots=True)
class Engines:
    """What samples are drawn with.

    Attributes:
        cluster: Where engines run and how they are built.
        fleet: Those that are up already, and in the end those that are up then.
        events: Where to note what happens to them.
        claims: On the cells, which another driver may take over; None where nobody else draws.
    """

    cluster: Cluster
    fleet: Fleet
    events: EventLog
    claims: Claims | None = None


def sample(
    cells: Sequence[PlannedCell],
    engines: Engines,
    run: str,
    display: Display,
    follow_up: FollowUp | None = None,
) -> Outcome:
    """Draw every missing sample of cells of any studies and families, all at once.

    Each checkpoint's engines are started once and stay in the fleet. A cell that several studies
    share is drawn once. A signal stops it: what is finished is committed and the outcome says so.

    Args:
        cells: What to draw.
        engines: What to draw it with.
        run: Name of the run, stored with every sample.
        display: Shows it; rows by the cells' paths.
        follow_up: Asks for further requests in the light of what came back.

    Raises:
        UserError: An engine fits no node or group of nodes, or the store cannot be written any
            more; what was committed is safe.
    """
    wanted = [planned for planned in cells if planned.requests]
    return asyncio.run(_Sampler(wanted, engines, run, display, follow_up).run())


class _Sampler:
    """Ties dispatcher and committer together, and stops both at a signal."""

    def __init__(
        self,
        cells: Sequence[PlannedCell],
        engines: Engines,
        run: str,
        display: Display,
        follow_up: FollowUp | None,
    ) -> None:
        self._cells = cells
        self._planned = {planned.cell.path: planned for planned in cells}
        self._engines = engines
        self._run = run
        self._display = display
        self._follow_up = follow_up
        self._stop = asyncio.Event()
        self._outcome = Outcome({planned.cell.path: CellOutcome() for planned in cells})
        names = {planned.cell.path: planned.cell.key for planned in cells}
        metrics = Metrics(run)
        self._counter = SampleCounter(names, self._outcome, display, metrics)
        self._observer = EngineObserver(engines.events, self._outcome, display, metrics)

    async def run(self) -> Outcome:
        state, fleet = self._display.state, self._engines.fleet
        state.sampling_since = None
        starts = fleet.starts
        try:
            with heard_by(self._hear(asyncio.get_running_loop())):
                await self._draw()
        finally:
            state.replicas.clear()
            self._outcome.starts = fleet.starts - starts
        return self._outcome

    def _hear(self, loop: asyncio.AbstractEventLoop) -> Callable[[int], None]:
        def hear(number: int) -> None:
            # The handler may run in the middle of the loop's own work.
            loop.call_soon_threadsafe(self._on_signal, number)

        return hear

    def _on_signal(self, number: int) -> None:
        self._outcome.signal = number
        self._display.enter("stopping: committing what is finished")
        self._stop.set()

    async def _draw(self) -> None:
        cluster, fleet = self._engines.cluster, self._engines.fleet
        nodes = await asyncio.to_thread(asked_for_memory, live_nodes(fleet.held()))
        jobs = plan_jobs(self._cells, cluster, nodes, self._run)
        cells = {planned.cell.path: planned.stored for planned in self._cells}
        claims = self._engines.claims
        committer = Committer(cells) if claims is None else Committer(cells, claims.check)
        dispatcher = Dispatcher(
            fleet,
            jobs,
            Limits(cluster.replicas, cluster.hang_s, cluster.wait_for_nodes_s, cluster.load_hang_s),
            Sink(lambda f: self._take(f, committer), self._follow_up, self._keeping()),
            self._observer,
        )
        committing = asyncio.ensure_future(committer.run())
        try:
            errors = await self._until_done(dispatcher, committing)
        finally:
            committer.close()
            await asyncio.wait({committing})
        if (error := committing.exception()) is not None:
            raise self._explained(error) from error
        for job, sentence in zip(jobs, errors, strict=False):
            for path in job.cells:
                self._outcome.cells[path].error = sentence

    def _keeping(self) -> Keeping | None:
        """How replicas commit; None where the driver does."""
        if self._engines.cluster.commit == "driver":
            return None
        if self._follow_up is not None:
            self._display.say(
                "what is drawn next depends on the samples, so they come to the driver: "
                "cluster.commit=replica is not heard for them"
            )
            return None
        store, claims = self._cells[0].stored.store, self._engines.claims
        origins = {p.cell.path: p.origins for p in self._cells if p.origins and not p.mixes}
        keep = Keep(store.address, None if claims is None else claims.driver.id, origins)
        return Keeping(store, keep, self._receive)

    def _receive(self, report: Report) -> None:
        if report.error is not None:
            raise self._explained(report.error)
        self._counter.count_stored(report.receipts)

    def _take(self, finished: Finished, committer: Committer) -> None:
        claims = self._engines.claims
        for path in {*finished.batches, *(cell for cell, _ in finished.done)}:
            if claims is not None and claims.is_lost(path):
                raise self._explained(ClaimLost(path))
            self._check_origin(path, finished)
        for path, batch in finished.batches.items():
            committer.add(path, batch, finished.origin)
        self._counter.count(finished)

    def _check_origin(self, path: str, finished: Finished) -> None:
        """Refuse what an engine drew otherwise than was expected when the cell was chosen."""
        planned = self._planned[path]
        if planned.mixes or not planned.is_foreign(finished.origin):
            return
        raise UserError(
            f"{planned.cell.key}: its stored samples were drawn on {planned.drawn_on}, and this "
            f"engine runs on {finished.origin}, which can change samples: give mix=true to go on, "
            "or make it run as those did; what was committed is safe"
        )

    async def _until_done(
        self, dispatcher: Dispatcher, committing: "asyncio.Task[None]"
    ) -> Sequence[str | None]:
        serving = asyncio.ensure_future(dispatcher.run())
        stopped = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({serving, stopped, committing}, return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                dispatcher.halt()
                await asyncio.wait({serving}, timeout=_HALT_S)
                serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                return await serving
            return ()
        finally:
            for task in (serving, stopped):
                task.cancel()
            await asyncio.gather(serving, stopped, return_exceptions=True)

    def _explained(self, error: BaseException) -> BaseException:
        if isinstance(error, ClaimLost):
            key = self._planned[str(error)].cell.key
            return UserError(
                f"{key} is drawn by another run by now, since this one stood still for longer than "
                f"{EXPIRY_S:g} s: give the same command again to wait for it; what was committed "
                "is safe"
            )
        if not isinstance(error, OSError):
            return error
        uri = self._cells[0].stored.store.uri
        return UserError(
            f"the store {uri} can no longer be written ({error}): make room "
            "or set `store`, and run the same command again; what was committed is safe"
        )
