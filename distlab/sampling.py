"""Draws what is missing: engines up, samples into the store, whatever happens committed."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from distlab.cells import PlannedCell
from distlab.config.values import Cluster
from distlab.console.progress import ReplicaProgress, State, View, format_seconds
from distlab.decoding.types import DecodingKind, Draw
from distlab.engines.dispatcher import Dispatcher, FollowUp, Job, Limits
from distlab.engines.events import EngineEvent, EventKind, EventLog
from distlab.engines.fleet import Fleet
from distlab.engines.metrics import Metrics
from distlab.engines.nodes import live_nodes
from distlab.engines.settings import engine_settings
from distlab.engines.splitting import choose_group
from distlab.engines.types import CellWork, EngineSettings, Finished, Pulse, Work
from distlab.errors import UserError
from distlab.placement.placement import Node
from distlab.samples.cell import Cell, ProblemFailure
from distlab.samples.committer import Committer

_HALT_S = 25.0
# A shared start of fewer tokens is read faster than it is waited for.
_LEAST_PREFIX = 64


@dataclass(slots=True)
class Drawn:
    """What one cell got.

    Attributes:
        samples: Drawn.
        tokens: New tokens in them.
        failures: Problems that got no samples.
        error: Why its checkpoint could not be served; None where it could.
    """

    samples: int = 0
    tokens: int = 0
    failures: list[ProblemFailure] = field(default_factory=list)
    error: str | None = None


@dataclass(slots=True)
class Outcome:
    """What sampling did.

    Attributes:
        cells: Path of each cell in the store to what it got.
        signal: The signal that stopped it, None if it ran to its end.
        starts: Engines that were started; one that was up already is not.
        deaths: Engines that died or hung.
        load_s: Seconds each engine took to load.
        engine_s: Wall seconds from the first engine's being ready to the last sample.
    """

    cells: dict[str, Drawn] = field(default_factory=dict)
    signal: int | None = None
    starts: int = 0
    deaths: int = 0
    load_s: list[float] = field(default_factory=list)
    engine_s: float = 0.0

    @property
    def samples(self) -> int:
        """Drawn and committed."""
        return sum(drawn.samples for drawn in self.cells.values())

    @property
    def tokens(self) -> int:
        """New tokens in the samples."""
        return sum(drawn.tokens for drawn in self.cells.values())

    @property
    def failures(self) -> list[ProblemFailure]:
        """Problems that got no samples."""
        return [failure for drawn in self.cells.values() for failure in drawn.failures]

    @property
    def errors(self) -> list[str]:
        """Checkpoints that could not be served, one sentence each."""
        return list(dict.fromkeys(d.error for d in self.cells.values() if d.error is not None))

    def of(self, cells: Iterable[Cell]) -> "Outcome":
        """The part of it that is about some cells; engines are counted as a whole."""
        paths = {cell.path for cell in cells}
        return replace(self, cells={p: drawn for p, drawn in self.cells.items() if p in paths})

    def joined(self, other: "Outcome") -> "Outcome":
        """Both outcomes as one, of different cells; the later signal counts."""
        return Outcome(
            {**self.cells, **other.cells},
            other.signal if other.signal is not None else self.signal,
            self.starts + other.starts,
            self.deaths + other.deaths,
            self.load_s + other.load_s,
            self.engine_s + other.engine_s,
        )


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


def plan_jobs(
    cells: Sequence[PlannedCell], cluster: Cluster, nodes: Sequence[Node], run: str
) -> list[Job]:
    """Cells grouped by the engine that draws them; a cell that comes twice is drawn once.

    Args:
        cells: With something to draw.
        cluster: How engines are built.
        nodes: Of the live cluster.
        run: Name of the run.
    """
    groups: dict[EngineSettings, list[PlannedCell]] = {}
    for planned in cells:
        settings = _settings(planned, cluster, nodes)
        # Limits alone do not make another engine: the group gets the widest of its cells.
        groups.setdefault(replace(settings, max_model_len=0, max_logprobs=0), []).append(planned)
    return [_job(group, cluster, nodes, run) for group in groups.values()]


def _settings(planned: PlannedCell, cluster: Cluster, nodes: Sequence[Node]) -> EngineSettings:
    group = choose_group(planned.family, cluster, nodes)
    branches = planned.arm.n if planned.arm.decoding.kind is DecodingKind.COT else 0
    return engine_settings(planned.family, planned.checkpoint, cluster, group, branches)


def _job(cells: Sequence[PlannedCell], cluster: Cluster, nodes: Sequence[Node], run: str) -> Job:
    settings = _settings(cells[0], cluster, nodes)
    for planned in cells[1:]:
        settings = settings.widened(_settings(planned, cluster, nodes))
    draws: dict[tuple[str, str], Draw] = {}
    for planned in cells:
        for draw in planned.draws:
            key = (planned.cell.path, draw.problem_id)
            draws[key] = _both(draws[key], draw) if key in draws else draw
    work: list[Work] = [(path, draw) for (path, _), draw in draws.items()]
    return Job(
        name=cells[0].checkpoint.id,
        settings=settings,
        cells={planned.cell.path: _cell_work(planned, run) for planned in cells},
        draws=work,
    )


def _both(one: Draw, other: Draw) -> Draw:
    return replace(one, ranks=tuple(sorted({*one.ranks, *other.ranks})))


def _cell_work(planned: PlannedCell, run: str) -> CellWork:
    prompts = [draw.prompt_ids for draw in planned.draws]
    shared = _shared_start(min(prompts), max(prompts)) if len(prompts) > 1 else 0
    return CellWork(
        decoding=planned.arm.decoding,
        stop=planned.stop,
        study_seed=planned.seed,
        checkpoint=planned.checkpoint.digest,
        run=run,
        prefix=shared if shared >= _LEAST_PREFIX else 0,
    )


def _shared_start(first: tuple[int, ...], last: tuple[int, ...]) -> int:
    """Of the first and the last in order, and so of all between them."""
    pairs = enumerate(zip(first, last, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(first), len(last)))
