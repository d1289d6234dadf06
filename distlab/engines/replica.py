"""The replica: one engine in one Ray actor; leases in, Arrow batches out."""

import asyncio
import contextlib
import os
import socket
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import ray

from distlab.decoding.cot import greedy_of
from distlab.decoding.decoder import StoppingCriteria
from distlab.decoding.interface import (
    Engine,
    EngineRequest,
    ManagedEngine,
    Sample,
    SampleRequest,
    TellsAttention,
)
from distlab.decoding.seeds import sample_seed
from distlab.decoding.thinking import parted
from distlab.decoding.turns import turn_end
from distlab.engines.environment import prepare
from distlab.engines.keeper import Drawing, Keeper, reach
from distlab.engines.messages import (
    CellRequest,
    CellWork,
    EngineSettings,
    Finished,
    Keep,
    Lease,
    Pulse,
    Reached,
    ReplicaInfo,
    Report,
    Site,
)
from distlab.engines.origins import origin_here
from distlab.engines.sharing import Sharing
from distlab.errors import UserError, summary
from distlab.importing import load_named
from distlab.store.batches import to_batch
from distlab.store.cell import ProblemFailure
from distlab.store.origin import Origin

# Finished requests travel together: one message per request would cost more than small models do.
_GATHER_S = 0.5


class Replica:
    """Runs inside a Ray actor (async); see ``dispatcher`` for the other side."""

    def __init__(self, settings: EngineSettings, site: Site) -> None:
        self._settings = settings
        self._site = site
        self._engine: ManagedEngine | None = None
        self._origin: Origin | None = None
        self._halted = asyncio.Event()
        self._keeper: Keeper | None = None
        self._warm: dict[tuple[int, ...], asyncio.Task[None]] = {}
        self._sharing: dict[str, Sharing] = {}
        self._in_flight = 0
        self._steps = 0
        self._stepped = time.monotonic()

    async def process(self) -> int:
        """Process id of the actor."""
        return os.getpid()

    async def start(self) -> ReplicaInfo:
        """Load the engine."""
        context = ray.get_runtime_context()
        prepare(os.environ, self._settings, self._site, context.gcs_address)
        began = time.monotonic()
        self._engine = engine = _make_engine(self._settings, self._site)
        attention = await engine.attention() if isinstance(engine, TellsAttention) else ""
        self._origin = origin_here(self._settings, attention)
        gpus = tuple(map(str, context.get_accelerator_ids().get("GPU", ())))
        return ReplicaInfo(socket.gethostname(), os.getpid(), time.monotonic() - began, gpus)

    async def sample(self, lease: Lease) -> AsyncIterator[Finished]:
        """Sample a lease, yielding whole requests as they finish.

        A dead engine raises here, and the driver returns what was not yielded to the queue. After
        ``halt`` it yields what is finished and ends.
        """
        tasks = self._begin(lease)
        try:
            while tasks:
                done = await self._next(set(tasks))
                if finished := [(tasks.pop(task), task) for task in done]:
                    self._in_flight -= len(finished)
                    yield await self._gather(lease.cells, finished)
                if self._halted.is_set():
                    return
        finally:
            self._in_flight -= len(tasks)
            for task in tasks:
                task.cancel()

    def _begin(self, lease: Lease) -> dict[Drawing, CellRequest]:
        tasks = {
            asyncio.ensure_future(self._draw(key, lease.cells[key], request)): (key, request)
            for key, request in lease.requests
        }
        if not self._in_flight:
            self._stepped = time.monotonic()
        self._in_flight += len(tasks)
        return tasks

    async def keep(self, keep: Keep) -> Reached:
        """Get ready to commit what is lent from now on; may come before ``start``."""
        try:
            store, probe = await asyncio.to_thread(reach, keep)
        except (OSError, UserError) as error:
            return Reached(trouble=summary(error))
        if self._keeper is not None:
            await self._keeper.end()
        self._keeper = Keeper(keep, store)
        return Reached(probe)

    async def lend(self, lease: Lease) -> None:
        """Begin to draw a lease, of which ``report`` tells."""
        assert self._keeper is not None, "keep() comes first"
        for task, request in self._begin(lease).items():
            self._keeper.expect(task, request, lease.cells)
            task.add_done_callback(self._on_drawn)

    def _on_drawn(self, _: Drawing) -> None:
        self._in_flight -= 1

    async def report(self, gather_s: float, leases: Sequence[Lease] = ()) -> Report:
        """What of all leases was finished and committed, once there is something.

        A dead engine raises here; what it had finished and not told is drawn again.

        Args:
            gather_s: Seconds in which more may join it.
            leases: To be lent first.
        """
        assert self._keeper is not None, "keep() comes first"
        self._keeper.hear()
        for lease in leases:
            await self.lend(lease)
        report = await self._keeper.report(gather_s, self._gather)
        return replace(report, pulse=self._take_pulse())

    async def flush(self) -> None:
        """Commit at once what is finished."""
        assert self._keeper is not None, "keep() comes first"
        self._keeper.flush()

    async def _next(self, tasks: set[Drawing]) -> set[Drawing]:
        """Wait for the first to finish or a halt, then a moment for others to join it."""
        halted = asyncio.ensure_future(self._halted.wait())
        try:
            await asyncio.wait({*tasks, halted}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            halted.cancel()
        if not self._halted.is_set():
            await asyncio.wait(tasks, timeout=_GATHER_S)
        return {task for task in tasks if task.done()}

    async def _gather(
        self, works: Mapping[str, CellWork], finished: Sequence[tuple[CellRequest, Drawing]]
    ) -> Finished:
        samples: dict[str, list[Sample]] = defaultdict(list)
        done, failures = [], []
        for (key, request), task in finished:
            error = task.exception()
            if error is None:
                for cell, drawn in task.result().items():
                    samples[cell].extend(drawn)
                    done.append((cell, request.problem_id))
                continue
            await self._raise_if_dead()
            failures += [
                ProblemFailure(cell, request.problem_id, f"{type(error).__name__}: {error}")
                for cell in (key, request.greedy if request.ranks[0] == 0 else None)
                if cell is not None
            ]
        return Finished(
            batches={key: to_batch(rows, works[key].run) for key, rows in samples.items()},
            done=tuple(done),
            tokens={key: sum(s.tokens for s in rows) for key, rows in samples.items()},
            computed={
                key: sum(s.computed_tokens or 0 for s in rows) for key, rows in samples.items()
            },
            failures=tuple(failures),
            origin=self._origin,
            unshared={
                key: self._sharing[key].saves
                for key in samples
                if key in self._sharing and self._sharing[key].is_over
            },
        )

    async def _raise_if_dead(self) -> None:
        assert self._engine is not None
        await self._engine.check()

    async def _draw(
        self, key: str, work: CellWork, request: SampleRequest
    ) -> dict[str, list[Sample]]:
        assert self._engine is not None, "start() comes first"
        drawn = {key: await self._sampled(key, work, request)}
        if request.greedy is not None and request.ranks[0] == 0:
            stopping = StoppingCriteria(work.decoding.max_tokens, work.stop)
            greedy = await asyncio.to_thread(greedy_of, drawn[key][0], self._engine, stopping)
            drawn[request.greedy] = [greedy]
        return await asyncio.to_thread(_with_ends, drawn, self._engine, work)

    async def _sampled(self, key: str, work: CellWork, request: SampleRequest) -> list[Sample]:
        assert self._engine is not None, "start() comes first"
        if work.prefix:
            await self._warm_up(request.prompt_ids[: work.prefix])
        decoding = work.decoding
        stopping = StoppingCriteria(decoding.max_tokens, work.stop)
        name = decoding.decoder.seed_name
        seed_of = partial(sample_seed, work.study_seed, work.checkpoint, request.problem_id, name)
        together = self._sharing.setdefault(key, Sharing(decoding))
        if len(request.ranks) == 1 or not together.begin():
            return await decoding.decoder.sample(self._engine, request, stopping, seed_of)
        samples = await decoding.decoder.share(self._engine, request, stopping, seed_of)
        together.note(samples)
        return samples

    async def _warm_up(self, prefix: tuple[int, ...]) -> None:
        """Have the engine read a shared prefix once, before all that start with it come at once."""
        if prefix not in self._warm:
            self._warm[prefix] = asyncio.ensure_future(self._read(prefix))
        await asyncio.shield(self._warm[prefix])

    async def _read(self, prefix: tuple[int, ...]) -> None:
        assert self._engine is not None
        # What is wrong with the engine shows in the requests themselves.
        with contextlib.suppress(Exception):
            await self._engine.generate(EngineRequest(prefix, max_tokens=1))

    async def pulse(self) -> Pulse:
        """How it is doing; ask often, since a stall is measured between steps."""
        if self._keeper is not None:
            self._keeper.hear()
        return self._take_pulse()

    def _take_pulse(self) -> Pulse:
        assert self._engine is not None
        vitals, now = self._engine.vitals(), time.monotonic()
        if vitals.steps != self._steps or not self._in_flight:
            self._steps, self._stepped = vitals.steps, now
        return Pulse(vitals, now - self._stepped)

    async def check(self) -> None:
        """Raise if the engine is dead."""
        await self._raise_if_dead()

    async def halt(self) -> None:
        """Make every running ``sample`` yield what is finished and end; ``report`` tells it too."""
        self._halted.set()
        if self._keeper is not None:
            self._keeper.halt()

    async def stop(self) -> None:
        """Commit what is finished, and shut the engine down; then the driver kills the actor."""
        if self._keeper is not None:
            await self._keeper.end()
        if self._engine is not None:
            with contextlib.suppress(Exception):
                self._engine.shutdown()


def _with_ends(
    drawn: Mapping[str, Sequence[Sample]], engine: Engine, work: CellWork
) -> dict[str, list[Sample]]:
    """The samples with where their turns and their reasoning end."""
    return {key: [_with_end(sample, engine, work) for sample in drawn[key]] for key in drawn}


def _with_end(sample: Sample, engine: Engine, work: CellWork) -> Sample:
    sample = replace(sample, turn_end=turn_end(engine, sample, work.stop))
    if work.thinking is None:
        return sample
    return parted(engine, sample, work.stop, work.thinking)


def _make_engine(settings: EngineSettings, site: Site) -> ManagedEngine:
    engine: ManagedEngine = load_named("cluster.engine", settings.engine)(settings, site)
    return engine
