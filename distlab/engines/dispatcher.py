"""The dispatcher: a shared queue of draws, pulled by replicas under leases.

Every draw is in exactly one place: the queue, a lease, or done. A replica that dies hands its
leases back; a draw that was in flight at two deaths is set aside with its error.
"""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import ray
from ray.exceptions import RayError
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from distlab.decoding.types import Draw
from distlab.engines.replica import EngineFactory, Replica, vllm_factory
from distlab.engines.types import (
    CellWork,
    EngineSettings,
    Finished,
    Lease,
    ReplicaInfo,
)
from distlab.samples.cell import ProblemFailure

_DEATHS_TO_SET_ASIDE = 2
_HALT_S = 10.0

Work = tuple[str, Draw]


class EngineUnavailable(Exception):
    """No engine of a checkpoint can be loaded; what is sampled is safe."""


class Observer(Protocol):
    """Is told what the replicas do."""

    def loading(self, replica: int) -> None:
        """A replica starts to load its engine."""
        ...

    def loaded(self, replica: int, info: ReplicaInfo) -> None:
        """A replica is ready."""
        ...

    def died(self, replica: int, error: str) -> None:
        """A replica is gone; its leases went back to the queue."""
        ...


@dataclass(frozen=True, slots=True)
class ReplicaPlan:
    """The replicas of one checkpoint.

    Attributes:
        replicas: How many.
        cpus: Of each.
        gpus: Of each.
    """

    replicas: int
    cpus: float
    gpus: int


@dataclass(slots=True)
class _Running:
    """A replica with its leases."""

    index: int
    actor: Any
    group: PlacementGroup
    outstanding: int = 0
    leases: set["asyncio.Task[None]"] = field(default_factory=set)


class Dispatcher:
    """Serves the draws of one checkpoint with its replicas."""

    def __init__(
        self,
        settings: EngineSettings,
        cells: Mapping[str, CellWork],
        draws: Iterable[Work],
        sink: Callable[[Finished], None],
        observer: Observer,
        factory: EngineFactory = vllm_factory,
    ) -> None:
        self._settings = settings
        self._cells = cells
        self._queue = deque(sorted(draws, key=lambda work: _cost(cells, work), reverse=True))
        self._sink = sink
        self._observer = observer
        self._factory = factory
        self._deaths: Counter[tuple[str, str]] = Counter()
        self._changed = asyncio.Condition()
        self._in_flight = 0
        self._halted = False
        self._running: list[_Running] = []

    async def run(self, plan: ReplicaPlan) -> None:
        """Serve until every draw is done, set aside, or ``halt`` was called.

        Raises:
            EngineUnavailable: A replica could not be loaded twice in a row.
        """
        servers = [asyncio.ensure_future(self._serve(i, plan)) for i in range(plan.replicas)]
        try:
            await asyncio.gather(*servers)
        finally:
            for server in servers:
                server.cancel()
            await asyncio.gather(*servers, return_exceptions=True)

    async def halt(self) -> None:
        """Stop leasing; replicas yield what is finished, and ``run`` returns."""
        self._halted = True
        for running in self._running:
            with contextlib.suppress(RayError):
                running.actor.halt.remote()
        await self._notify()

    @property
    def _idle(self) -> bool:
        return self._halted or not (self._queue or self._in_flight)

    async def _serve(self, index: int, plan: ReplicaPlan) -> None:
        """Keep one replica loaded and busy, rebuilding it when it dies."""
        while not self._idle:
            running = await self._start(index, plan)
            try:
                await self._feed(running)
            except RayError as error:
                self._observer.died(index, _first_line(error))
            finally:
                await self._discard(running)

    async def _start(self, index: int, plan: ReplicaPlan) -> _Running:
        last: RayError | None = None
        for _ in range(2):
            self._observer.loading(index)
            running = await self._place(index, plan)
            try:
                info = await running.actor.start.remote()
            except RayError as error:
                last = error
                self._observer.died(index, _first_line(error))
                await self._discard(running)
            except BaseException:
                await self._discard(running)
                raise
            else:
                self._observer.loaded(index, info)
                self._running.append(running)
                return running
        raise EngineUnavailable(
            f"the engine of {self._settings.model} did not load, twice: {_first_line(last)}"
        ) from last

    async def _place(self, index: int, plan: ReplicaPlan) -> _Running:
        bundle: dict[str, float] = {"CPU": plan.cpus}
        if plan.gpus:
            bundle["GPU"] = plan.gpus
        group = placement_group([bundle], strategy="STRICT_PACK")
        try:
            await group.ready()
        except BaseException:
            remove_placement_group(group)
            raise
        actor = (
            ray.remote(Replica)
            .options(
                num_cpus=plan.cpus,
                num_gpus=plan.gpus,
                max_restarts=0,
                scheduling_strategy=PlacementGroupSchedulingStrategy(
                    group, placement_group_capture_child_tasks=True
                ),
            )
            .remote(self._settings, self._factory)
        )
        return _Running(index, actor, group)

    async def _discard(self, running: _Running) -> None:
        if running in self._running:
            self._running.remove(running)
        for lease in running.leases:
            lease.cancel()
        await asyncio.gather(*running.leases, return_exceptions=True)
        with contextlib.suppress(RayError, asyncio.TimeoutError):
            await asyncio.wait_for(running.actor.stop.remote(), _HALT_S)
        ray.kill(running.actor)
        remove_placement_group(running.group)

    async def _feed(self, running: _Running) -> None:
        """Lease draws whenever the replica has room; returns when there is nothing left."""
        room = 2 * self._settings.max_num_seqs
        while True:
            async with self._changed:
                await self._changed.wait_for(
                    lambda: (
                        self._idle
                        or (self._queue and running.outstanding < room)
                        or any(lease.done() for lease in running.leases)
                    )
                )
            await self._reap(running)
            if self._halted:
                await asyncio.wait(running.leases, timeout=_HALT_S) if running.leases else None
                return
            if self._idle:
                return
            if taken := self._take(room - running.outstanding):
                running.outstanding += sum(len(draw.ranks) for _, draw in taken)
                running.leases.add(asyncio.ensure_future(self._consume(running, taken)))

    async def _reap(self, running: _Running) -> None:
        for lease in [lease for lease in running.leases if lease.done()]:
            running.leases.remove(lease)
            await lease

    def _take(self, samples: int) -> list[Work]:
        taken: list[Work] = []
        while self._queue and samples > 0:
            work = self._queue.popleft()
            samples -= len(work[1].ranks)
            taken.append(work)
        self._in_flight += len(taken)
        return taken

    async def _consume(self, running: _Running, taken: list[Work]) -> None:
        """Take one lease's results; what is missing at its end goes back."""
        open_work = {(key, draw.problem_id): draw for key, draw in taken}
        cells = {key: self._cells[key] for key, _ in taken}
        died = False
        try:
            stream = running.actor.sample.options(num_returns="streaming").remote(
                Lease(cells, tuple(taken))
            )
            async for ref in stream:
                finished = await ref
                self._sink(finished)
                for done in _finished_keys(finished):
                    running.outstanding -= len(open_work.pop(done).ranks)
                    self._in_flight -= 1
                await self._notify()
        except RayError:
            died = True
            raise
        finally:
            self._give_back(open_work, died)
            await self._notify()

    def _give_back(self, open_work: Mapping[tuple[str, str], Draw], died: bool) -> None:
        self._in_flight -= len(open_work)
        set_aside = []
        for (key, problem_id), draw in open_work.items():
            self._deaths[key, problem_id] += died
            if self._deaths[key, problem_id] < _DEATHS_TO_SET_ASIDE:
                self._queue.append((key, draw))
            else:
                set_aside.append(
                    ProblemFailure(key, problem_id, "was in flight when two engines died")
                )
        if set_aside:
            self._sink(Finished({}, tuple(set_aside)))

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def _cost(cells: Mapping[str, CellWork], work: Work) -> tuple[int, int]:
    """Upper bound of new tokens, then prompt length: the longest start first."""
    key, draw = work
    return len(draw.ranks) * cells[key].decoding.max_tokens, len(draw.prompt_ids)


def _finished_keys(finished: Finished) -> set[tuple[str, str]]:
    keys = {(failure.cell, failure.problem_id) for failure in finished.failures}
    for key, batch in finished.batches.items():
        keys.update((key, problem_id) for problem_id in batch.column("problem_id").to_pylist())
    return keys


def _first_line(error: BaseException | None) -> str:
    cause = getattr(error, "cause", None) or error
    lines = str(cause).strip().splitlines()
    return f"{type(cause).__name__}: {lines[-1] if lines else ''}"
