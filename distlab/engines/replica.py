"""The replica: one engine in one Ray actor; leases in, Arrow batches out."""

import asyncio
import contextlib
import os
import socket
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from distlab.decoding.cot import sample_cot
from distlab.decoding.seeds import sample_seed
from distlab.decoding.stochastic import sample_greedy, sample_stochastic
from distlab.decoding.types import DecodingKind, Draw, Engine, Sample
from distlab.engines.types import (
    CellWork,
    EngineSettings,
    Finished,
    Lease,
    ReplicaInfo,
)
from distlab.problems.types import GoldKind
from distlab.samples.batches import to_batch
from distlab.samples.cell import ProblemFailure
from distlab.scoring.extractors.rules import Rules

# Finished draws travel together: one message a draw would cost more than small models do.
_GATHER_S = 0.2


class ManagedEngine(Engine, Protocol):
    """An engine with a life of its own."""

    async def check(self) -> None:
        """Raise if the engine is dead."""
        ...

    def shutdown(self) -> None:
        """Stop the engine's processes."""
        ...


EngineFactory = Callable[[EngineSettings], ManagedEngine]


def vllm_factory(settings: EngineSettings) -> ManagedEngine:
    """The real engine."""
    from distlab.engines.vllm_engine import VLLMEngine

    return VLLMEngine(settings)


class Replica:
    """Runs inside a Ray actor (async); see ``dispatcher`` for the other side."""

    def __init__(self, settings: EngineSettings, factory: EngineFactory = vllm_factory) -> None:
        self._settings = settings
        self._factory = factory
        self._engine: ManagedEngine | None = None
        self._halted = asyncio.Event()
        self._answers = Rules()

    async def start(self) -> ReplicaInfo:
        """Load the engine."""
        began = time.monotonic()
        self._engine = self._factory(self._settings)
        return ReplicaInfo(socket.gethostname(), os.getpid(), time.monotonic() - began)

    async def sample(self, lease: Lease) -> AsyncIterator[Finished]:
        """Draw a lease, yielding whole draws as they finish.

        A dead engine raises here, and the driver returns what was not yielded to the queue. After
        ``halt`` it yields what is finished and ends.
        """
        assert self._engine is not None, "start() comes first"
        tasks = {
            asyncio.ensure_future(self._draw(lease.cells[key], draw)): (key, draw)
            for key, draw in lease.draws
        }
        try:
            while tasks:
                done = await self._next(set(tasks))
                if finished := [(tasks.pop(task), task) for task in done]:
                    yield await self._gather(lease, finished)
                if self._halted.is_set():
                    return
        finally:
            for task in tasks:
                task.cancel()

    async def _next(
        self, tasks: set["asyncio.Task[list[Sample]]"]
    ) -> set[asyncio.Task[list[Sample]]]:
        """Wait for the first to finish or a halt, then a moment for others to join it."""
        halted = asyncio.ensure_future(self._halted.wait())
        try:
            await asyncio.wait({*tasks, halted}, return_when=asyncio.FIRST_COMPLETED)
            if not self._halted.is_set():
                await asyncio.wait(
                    {*tasks, halted}, timeout=_GATHER_S, return_when=asyncio.ALL_COMPLETED
                )
        finally:
            halted.cancel()
        return {task for task in tasks if task.done()}

    async def _gather(
        self,
        lease: Lease,
        finished: list[tuple[tuple[str, Draw], "asyncio.Task[list[Sample]]"]],
    ) -> Finished:
        samples: dict[str, list[Sample]] = defaultdict(list)
        failures = []
        for (key, draw), task in finished:
            error = task.exception()
            if error is None:
                samples[key].extend(task.result())
                continue
            await self._raise_if_dead()
            failures.append(
                ProblemFailure(key, draw.problem_id, f"{type(error).__name__}: {error}")
            )
        batches = {key: to_batch(rows, lease.cells[key].run) for key, rows in samples.items()}
        return Finished(batches, tuple(failures))

    async def _raise_if_dead(self) -> None:
        assert self._engine is not None
        await self._engine.check()

    async def _draw(self, work: CellWork, draw: Draw) -> list[Sample]:
        assert self._engine is not None
        spec = work.decoding
        match spec.kind:
            case DecodingKind.COT:
                kind = GoldKind(draw.answer_kind)
                return await sample_cot(
                    self._engine, draw, spec, work.stop, lambda text: self._span(text, kind)
                )
            case DecodingKind.GREEDY:
                return await sample_greedy(self._engine, draw, spec, work.stop)
            case DecodingKind.STOCHASTIC:
                identity = f"{spec.kind}:{spec.temperature}:{spec.top_p}"
                return await sample_stochastic(
                    self._engine,
                    draw,
                    spec,
                    work.stop,
                    lambda rank: sample_seed(
                        work.study_seed, work.checkpoint, draw.problem_id, identity, rank
                    ),
                )

    def _span(self, text: str, kind: GoldKind) -> tuple[int, int] | None:
        found = self._answers.extract(text, kind)
        return (
            None if found.answer is None or found.end <= found.start else (found.start, found.end)
        )

    async def halt(self) -> None:
        """Make every running ``sample`` yield what is finished and end."""
        self._halted.set()

    async def stop(self) -> None:
        """Shut the engine down; the driver kills the actor after it."""
        if self._engine is not None:
            with contextlib.suppress(Exception):
                self._engine.shutdown()
