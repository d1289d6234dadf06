"""The draws of one checkpoint: which wait, which are leased, and which may kill an engine.

Pure bookkeeping, O(log n) a draw. A draw is in exactly one place: waiting, in flight, suspected,
or gone (done, failed, set aside).

When an engine dies, every draw in flight on it is a suspect. A suspect is drawn again once
nothing else waits, alone on its replica: if that engine dies too, the draw is the one that kills
them, and it is set aside; the others of its death are cleared. So a killer costs two engines, and
no draw is set aside for what another did.
"""

import heapq
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from distlab.engines.types import CellWork, Work
from distlab.store.cell import ProblemFailure

Key = tuple[str, str]
"""Cell key and problem id: what names a draw."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Draws for a replica.

    Attributes:
        works: In the order to start them.
        alone: A suspect: the replica must draw nothing beside it.
    """

    works: tuple[Work, ...]
    alone: bool = False

    @property
    def samples(self) -> int:
        """Samples in them."""
        return sum(len(draw.ranks) for _, draw in self.works)


class DrawQueue:
    """Longest expected first, since what starts last ends last."""

    def __init__(self, cells: Mapping[str, CellWork]) -> None:
        self._cells = dict(cells)
        self._heap: list[tuple[int, int, int, Work]] = []
        self._order = itertools.count()
        self._flying: dict[Key, Work] = {}
        # Suspects in the order they were leased, each with the number of its engine's death.
        self._suspects: list[tuple[int, Work]] = []
        self._deaths = itertools.count()
        self._lone: dict[Key, int] = {}
        self.waiting = 0
        """Samples that wait, suspected ones included."""
        self.finished = 0
        """Draws that came back."""

    @property
    def cells(self) -> Mapping[str, CellWork]:
        """Cell key to what its draws share."""
        return self._cells

    @property
    def is_done(self) -> bool:
        """Whether nothing waits and nothing is in flight."""
        return not (self.waiting or self._flying)

    @property
    def draws_waiting(self) -> int:
        """Draws that wait, suspected ones included."""
        return len(self._heap) + len(self._suspects)

    def add(self, works: Iterable[Work]) -> None:
        """Let draws wait."""
        for work in works:
            cell, draw = work
            cost = len(draw.ranks) * self._cells[cell].decoding.max_tokens
            entry = (-cost, -len(draw.prompt_ids), next(self._order), work)
            heapq.heappush(self._heap, entry)
            self.waiting += len(draw.ranks)

    def take(self, room: int, *, is_idle: bool) -> Taken | None:
        """Draws for a replica.

        Args:
            room: Samples it has room for; at least one draw is taken where it is positive.
            is_idle: Whether nothing is in flight on it, so that it can draw a suspect alone.
        """
        if self._heap:
            return self._take_many(room) if room > 0 else None
        return self._take_suspect() if self._suspects and is_idle else None

    def _take_many(self, room: int) -> Taken:
        works = []
        while self._heap and room > 0:
            work = heapq.heappop(self._heap)[-1]
            room -= len(work[1].ranks)
            works.append(work)
        return self._lease(Taken(tuple(works)))

    def _take_suspect(self) -> Taken:
        """The suspect leased last: most killers kill at their first step."""
        death, work = self._suspects.pop()
        self._lone[_key(work)] = death
        return self._lease(Taken((work,), alone=True))

    def _lease(self, taken: Taken) -> Taken:
        self.waiting -= taken.samples
        self._flying.update((_key(work), work) for work in taken.works)
        return taken

    def done(self, keys: Iterable[Key]) -> int:
        """Note what came back; returns the samples that were asked for in it."""
        samples = 0
        for key in keys:
            samples += len(self._flying.pop(key)[1].ranks)
            self._lone.pop(key, None)
            self.finished += 1
        return samples

    def give_back(self, keys: Iterable[Key]) -> None:
        """Let draws wait again that were leased to a replica that is gone through no fault."""
        for key in keys:
            death = self._lone.pop(key, None)
            work = self._flying.pop(key)
            if death is None:
                self.add([work])
            else:
                self._suspect(death, work)

    def killed(self, keys: Iterable[Key], error: str) -> tuple[ProblemFailure, ...]:
        """An engine died with these draws in flight; returns those that are set aside."""
        lost = [key for key in keys if key in self._flying]
        if len(lost) == 1 and lost[0] in self._lone:
            return (self._convict(lost[0], error),)
        death = next(self._deaths)
        for key in lost:
            self._suspect(death, self._flying.pop(key))
        return ()

    def _convict(self, key: Key, error: str) -> ProblemFailure:
        death = self._lone.pop(key)
        del self._flying[key]
        cleared = [work for number, work in self._suspects if number == death]
        self._suspects = [entry for entry in self._suspects if entry[0] != death]
        self.waiting -= Taken(tuple(cleared)).samples
        self.add(cleared)
        return ProblemFailure(*key, f"an engine died of it twice, the second time alone: {error}")

    def _suspect(self, death: int, work: Work) -> None:
        self._suspects.append((death, work))
        self.waiting += len(work[1].ranks)


def _key(work: Work) -> Key:
    return work[0], work[1].problem_id
