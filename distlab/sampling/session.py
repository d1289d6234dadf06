"""The engines of a process and its claims on the store: samples that are missing are drawn here.

Ray starts with the first sample that is missing and then stays up, and so do engines until they are
released or others need their place.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from distlab.config.values import Cluster
from distlab.console.display import Display
from distlab.console.progress import CellProgress
from distlab.console.stopping import heard_by
from distlab.decoding.interface import SampleRequest
from distlab.engines.cluster import connected
from distlab.engines.events import EventLog
from distlab.engines.fleet import Fleet, ReplicaRecord
from distlab.engines.leasing import FollowUp
from distlab.sampling.outcome import Outcome
from distlab.sampling.planned import PlannedCell, merged
from distlab.sampling.sampler import Engines, sample
from distlab.store.claims import Claims, claiming
from distlab.store.store import Store

Pace = Callable[[Sequence[PlannedCell]], tuple[Sequence[PlannedCell], FollowUp | None]]
"""Cells with all that is missing, to what to draw first and what follows from what comes back."""

# Seconds between two looks at a cell that another run draws (ours).
_ASK_AGAIN_S = 5.0


def all_at_once(cells: Sequence[PlannedCell]) -> tuple[Sequence[PlannedCell], FollowUp | None]:
    """Everything that is missing."""
    return cells, None


@dataclass(slots=True)
class Session:
    """What stays up over the draws of a process.

    Attributes:
        store: Where samples go.
        cluster: Where engines run.
        run: Name that is stored with every sample and shown to other drivers of the store.
        events: File that says what happens to engines.
    """

    store: Store
    cluster: Cluster
    run: str
    events: Path
    _ray: ExitStack = field(default_factory=ExitStack)
    _joined: bool = False
    _fleet: Fleet | None = None

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the engines, and leave Ray."""
        self.release()
        self._ray.close()

    def draw(
        self, cells: Sequence[PlannedCell], display: Display, pace: Pace = all_at_once
    ) -> Outcome:
        """Draw what is missing of any cells, a cell that comes several times once.

        A cell that another run draws at this moment is waited for, and what that run leaves is
        drawn. A signal stops it; what is finished is committed and the outcome says so.

        Args:
            cells: Of any studies; the store has their folders.
            display: Shows it; gets a row per cell.
            pace: Of cells that are ours to draw, what to draw first and what to draw then.

        Raises:
            UserError: The store cannot be written, or the cluster cannot be had.
        """
        wanted = merged(cells)
        display.state.cells.update(cell_rows(wanted))
        outcome = Outcome()
        left = {planned.cell.path: planned for planned in wanted if planned.requests}
        if not left:
            return outcome
        with claiming(self.store, self.run) as claims:
            told: set[str] = set()
            while left and outcome.signal is None:
                ours = [p for p in left.values() if _take(claims, p, told, display)]
                for planned in ours:
                    del left[planned.cell.path]
                if ours:
                    outcome = outcome.joined(self._sample(ours, claims, display, pace))
                elif (stopped := _wait(display)) is not None:
                    outcome.signal = stopped
        return outcome

    def _sample(
        self, ours: Sequence[PlannedCell], claims: Claims, display: Display, pace: Pace
    ) -> Outcome:
        try:
            # Another run may have drawn some since they were looked up.
            fresh = [_look_again(planned) for planned in ours]
            display.state.cells.update(cell_rows(fresh))
            first, then = pace([planned for planned in fresh if planned.requests])
            if not any(planned.requests for planned in first):
                return Outcome()
            engines = Engines(self.cluster, self._up(display), EventLog(self.events), claims)
            return sample(first, engines, self.run, display, then)
        finally:
            for planned in ours:
                claims.release(planned.stored)

    def _up(self, display: Display) -> Fleet:
        if not self._joined:
            display.enter("starting Ray")
            self._ray.enter_context(connected(self.cluster, display.say))
            self._joined = True
        if self._fleet is None:
            self._fleet = Fleet()
        return self._fleet

    def release(self) -> tuple[ReplicaRecord, ...]:
        """Stop the engines, since others need their cores, and say where they ran. Ray stays up."""
        if self._fleet is None:
            return ()
        self._fleet.close()
        ran = tuple(self._fleet.records)
        self._fleet = None
        return ran


def _take(claims: Claims, planned: PlannedCell, told: set[str], display: Display) -> bool:
    other = claims.take(planned.stored)
    if other is not None and (line := f"{planned.cell.key} is being drawn by {other}") not in told:
        told.add(line)
        display.say(f"{line}: its samples will count here too, and what it leaves is drawn then")
    return other is None


def _wait(display: Display) -> int | None:
    """Give the other run time; returns the signal that ended the wait, None for none."""
    display.enter("waiting for the run that draws the rest")
    heard = _Heard()
    with heard_by(heard):
        heard.over.wait(_ASK_AGAIN_S)
    return heard.number


@dataclass(slots=True)
class _Heard:
    over: threading.Event = field(default_factory=threading.Event)
    number: int | None = None

    def __call__(self, number: int) -> None:
        self.number = number
        self.over.set()


def _look_again(planned: PlannedCell) -> PlannedCell:
    """The cell with what the store holds of it now."""
    held = planned.stored.ranks(planned.prompt_hashes)
    found = 0
    requests: list[SampleRequest] = []
    for request in planned.requests:
        ranks = tuple(
            rank for rank in request.ranks if rank not in held.get(request.problem_id, ())
        )
        found += len(request.ranks) - len(ranks)
        if ranks:
            requests.append(replace(request, ranks=ranks))
    origins = frozenset(origin for origin in planned.stored.origins() if origin is not None)
    return replace(planned, requests=tuple(requests), held=planned.held + found, origins=origins)


def cell_rows(cells: Iterable[PlannedCell]) -> dict[str, CellProgress]:
    """Path of each cell to what is wanted of it and what is missing.

    Args:
        cells: As ``merged``.
    """
    kept = merged(cells)
    several = len({planned.cell.family for planned in kept}) > 1
    return {planned.cell.path: _row(planned, several) for planned in kept}


def _row(planned: PlannedCell, with_family: bool) -> CellProgress:
    cell = planned.cell
    family = [cell.family] if with_family else []
    return CellProgress(
        label=" · ".join([*family, cell.arm, cell.dataset, cell.prompt]),
        problems=len(planned.prompt_hashes),
        samples=planned.held + sum(len(request.ranks) for request in planned.requests),
        done_problems=len(planned.prompt_hashes) - len(planned.requests),
        done_samples=planned.held,
        failed=len(planned.failures),
        max_tokens=planned.arm.decoding.max_tokens,
    )
