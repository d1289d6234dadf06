"""Draws what is missing: engines up, samples into the store, whatever happens committed."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from distlab.config.values import Cluster
from distlab.console.progress import ReplicaProgress, State, View, format_seconds
from distlab.engines.dispatcher import Dispatcher, FollowUp, Limits
from distlab.engines.events import EngineEvent, EventKind, EventLog
from distlab.engines.fleet import Fleet
from distlab.engines.metrics import Metrics
from distlab.engines.nodes import live_nodes
from distlab.engines.types import Finished, Pulse
from distlab.errors import UserError
from distlab.sampling.jobs import plan_jobs
from distlab.sampling.outcome import Drawn, Outcome
from distlab.sampling.planned import PlannedCell
from distlab.store.committer import Committer

_HALT_S = 25.0


def sample(
    cells: Sequence[PlannedCell],
    cluster: Cluster,
    run: str,
    fleet: Fleet,
    state: State,
    view: View,
    events: EventLog,
    follow_up: FollowUp | None = None,
) -> Outcome:
    """Draw every missing sample of cells of any studies and families, all at once.

    Each checkpoint's engines are started once and stay in the fleet. A cell that several studies
    share is drawn once. SIGINT and SIGTERM stop it: what is finished is committed and the outcome
    says so.

    Args:
        cells: What to draw.
        cluster: Where engines run.
        run: Name of the run, stored with every sample.
        fleet: Engines that are up already, and in the end those that are up then.
        state: What the view shows; rows by the cells' paths.
        view: Shows it.
        events: Where to note what happens to engines.
        follow_up: Asks for further draws in the light of what came back.

    Raises:
        UserError: An engine fits no node or group of nodes, or the store cannot be written any
            more; what was committed is safe.
    """
    sampler = _Sampler(cluster, run, fleet, state, view, events, follow_up)
    return asyncio.run(sampler.run(cells))


class _Sampler:
    """Ties dispatcher, committer and view together; is the dispatcher's observer."""

    def __init__(
        self,
        cluster: Cluster,
        run: str,
        fleet: Fleet,
        state: State,
        view: View,
        events: EventLog,
        follow_up: FollowUp | None,
    ) -> None:
        self._cluster = cluster
        self._run = run
        self._fleet = fleet
        self._state = state
        self._view = view
        self._events = events
        self._metrics = Metrics(run)
        self._restarts: dict[str, list[int]] = {}
        self._follow_up = follow_up
        self._stop = asyncio.Event()
        self._outcome = Outcome()
        self._names: Mapping[str, str] = {}
        self._last_s = 0.0

    async def run(self, cells: Sequence[PlannedCell]) -> Outcome:
        wanted = [planned for planned in cells if planned.draws]
        self._outcome.cells = {planned.cell.path: Drawn() for planned in wanted}
        self._names = {planned.cell.path: planned.cell.key for planned in wanted}
        self._state.sampling_since, self._state.drawn, self._state.tokens = None, 0, 0
        starts = self._fleet.starts
        try:
            with self._signals():
                await self._draw(wanted)
        finally:
            self._state.replicas.clear()
            self._outcome.starts = self._fleet.starts - starts
            if self._state.sampling_since is not None:
                self._outcome.engine_s = max(0.0, self._last_s - self._state.sampling_since)
        return self._outcome

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal, number)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _on_signal(self, number: int) -> None:
        self._outcome.signal = number
        self._show("stopping: committing what is finished")
        self._stop.set()

    async def _draw(self, cells: Sequence[PlannedCell]) -> None:
        jobs = plan_jobs(cells, self._cluster, live_nodes(self._fleet.held()), self._run)
        committer = Committer({planned.cell.path: planned.stored for planned in cells})
        dispatcher = Dispatcher(
            self._fleet,
            jobs,
            Limits(self._cluster.replicas, self._cluster.hang_s, self._cluster.wait_for_nodes_s),
            lambda finished: self._take(finished, committer),
            self,
            self._follow_up,
        )
        committing = asyncio.ensure_future(committer.run())
        try:
            errors = await self._until_done(dispatcher, committing)
        finally:
            committer.close()
            await asyncio.wait({committing})
        if (error := committing.exception()) is not None:
            raise self._explained(error, cells) from error
        for job, sentence in zip(jobs, errors, strict=False):
            for path in job.cells:
                self._outcome.cells[path].error = sentence

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

    def _explained(self, error: BaseException, cells: Sequence[PlannedCell]) -> BaseException:
        if not isinstance(error, OSError):
            return error
        return UserError(
            f"the store {cells[0].stored.store.uri} can no longer be written ({error}): make room "
            "or set `store`, and run the same command again; what was committed is safe"
        )

    def _take(self, finished: Finished, committer: Committer) -> None:
        self._last_s = time.monotonic()
        problems: dict[str, int] = {}
        for path, _ in finished.done:
            problems[path] = problems.get(path, 0) + 1
        for path, batch in finished.batches.items():
            committer.add(path, batch)
            self._count(path, batch.num_rows, finished.tokens[path], problems[path])
        for failure in finished.failures:
            named = replace(failure, cell=self._names[failure.cell])
            self._outcome.cells[failure.cell].failures.append(named)
            self._state.cells[failure.cell].failed += 1
            self._metrics.failed(named.cell)
        self._view.refresh(self._state)

    def _count(self, path: str, samples: int, tokens: int, problems: int) -> None:
        drawn, row = self._outcome.cells[path], self._state.cells[path]
        self._metrics.drawn(self._names[path], samples, tokens)
        drawn.samples += samples
        drawn.tokens += tokens
        self._state.drawn += samples
        self._state.tokens += tokens
        row.done_samples += samples
        row.done_problems += problems

    def _show(self, stage: str) -> None:
        self._state.stage = stage
        self._view.refresh(self._state)

    def event(self, event: EngineEvent) -> None:
        """Note, count and show what happens to engines."""
        self._events.write(event)
        self._metrics.event(event)
        self._show_replica(event)
        where = f" on {' and '.join(dict.fromkeys(event.nodes))}" if event.nodes else ""
        match event.kind:
            case EventKind.LOADING if self._state.sampling_since is None:
                self._show(f"loading {event.model} into vLLM")
            case EventKind.LOADED:
                self._outcome.load_s.append(float(event.detail))
                took = format_seconds(float(event.detail))
                self._view.say(f"engine of {event.model}{where} loaded in {took}")
                self._on_ready()
            case EventKind.REUSED:
                self._on_ready()
            case EventKind.DIED | EventKind.HUNG:
                self._outcome.deaths += 1
                self._view.say(
                    f"warning: an engine of {event.model}{where} {event.kind} and is rebuilt: "
                    f"{event.detail}"
                )
            case EventKind.LOAD_FAILED:
                self._view.say(
                    f"warning: an engine of {event.model}{where} did not load: {event.detail}"
                )
            case EventKind.WAITING:
                self._view.say(f"{event.model} waits for {event.detail}")
            case EventKind.SET_ASIDE:
                self._view.say(f"warning: {event.detail} kills engines and is set aside")

    def _on_ready(self) -> None:
        if self._state.sampling_since is None:
            self._state.sampling_since = time.monotonic()
        self._show("sampling")

    def _show_replica(self, event: EngineEvent) -> None:
        """Keep the replicas' rows; who takes a dead one's place inherits its restarts."""
        if event.replica is None:
            return
        rows, restarts = self._state.replicas, self._restarts.setdefault(event.model, [])
        match event.kind:
            case EventKind.LOADING | EventKind.REUSED:
                rows[event.replica] = ReplicaProgress(
                    event.model,
                    nodes=tuple(dict.fromkeys(event.nodes)),
                    restarts=restarts.pop() if restarts else 0,
                )
                if event.kind is EventKind.REUSED:
                    rows[event.replica].state = "sampling"
            case EventKind.LOADED:
                rows[event.replica].state = "sampling"
            case EventKind.DIED | EventKind.HUNG | EventKind.LOAD_FAILED:
                restarts.append(rows.pop(event.replica).restarts + 1)
            case EventKind.STOPPED:
                rows.pop(event.replica, None)

    def pulse(self, replica: str, pulse: Pulse, draws: int) -> None:
        """Show how a replica is doing."""
        row, vitals = self._state.replicas[replica], pulse.vitals
        row.told(time.monotonic(), vitals.tokens)
        row.leases, row.running, row.waiting = draws, vitals.running, vitals.waiting
        self._metrics.replica(replica, row.model, draws, row.tokens_per_s)
        self._view.refresh(self._state)
