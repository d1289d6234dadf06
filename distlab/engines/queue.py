"""The requests of one checkpoint: which wait, which are leased, and which may kill an engine.

Pure bookkeeping, O(log n) per request. A request is in exactly one place: waiting, in flight,
suspected, accused, or gone (done, failed, set aside).

When an engine dies, every request in flight on it is a suspect. A suspect is served again once
nothing else waits, alone on its replica. If that engine dies too, the request is accused, and the
others of the first death are cleared. But engines also die of what no request did, so an accused
request is tried again, alone, after everything else, and set aside at its third lone death. So a
killer costs four engines, no request is set aside for what another did, and none for two deaths
that chance brought.
"""

import heapq
import itertools
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from distlab.engines.messages import CellRequest, CellWork
from distlab.store.cell import ProblemFailure

Key = tuple[str, str]
"""Cell key and problem id: what names a request."""

# Deaths of engines that drew nothing else after which a request is set aside (ours): where a
# machine kills engines in a row, two can meet the same request by chance.
_LONE_DEATHS = 3


@dataclass(frozen=True, slots=True)
class Taken:
    """Requests for a replica.

    Attributes:
        works: In the order to start them.
        alone: It may kill engines: the replica must draw nothing beside it.
    """

    works: tuple[CellRequest, ...]
    alone: bool = False


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A request that was in flight when an engine died.

    Attributes:
        work: The request.
        death: Number of that death.
        lone_deaths: Engines that have died since and drew nothing else.
    """

    work: CellRequest
    death: int
    lone_deaths: int = 0


class DrawQueue:
    """Longest expected first, since what starts last ends last."""

    def __init__(self, cells: Mapping[str, CellWork]) -> None:
        self._cells = dict(cells)
        self._heap: list[tuple[int, int, int, CellRequest]] = []
        self._order = itertools.count()
        self._flying: dict[Key, CellRequest] = {}
        # In the order they were leased.
        self._suspects: list[_Suspect] = []
        # In the order of their last deaths.
        self._accused: deque[_Suspect] = deque()
        # In flight, with nothing beside them.
        self._lone: dict[Key, _Suspect] = {}
        self._deaths = itertools.count()
        self.waiting = 0
        """Sequences that wait, those of suspects and accused requests included."""
        self.finished = 0
        """Requests that came back."""
        self.barren_deaths = 0
        """Deaths since a request came back last, but for those of requests accused already."""

    @property
    def cells(self) -> Mapping[str, CellWork]:
        """Cell key to what its requests share."""
        return self._cells

    @property
    def is_done(self) -> bool:
        """Whether nothing waits and nothing is in flight."""
        return not (self.waiting or self._flying)

    @property
    def draws_waiting(self) -> int:
        """Requests that wait, suspects and accused requests included."""
        return len(self._heap) + len(self._suspects) + len(self._accused)

    def add(self, works: Iterable[CellRequest]) -> None:
        """Let requests wait."""
        for work in works:
            cell, request = work
            cost = len(request.ranks) * self._cells[cell].decoding.max_tokens
            entry = (-cost, -len(request.prompt_ids), next(self._order), work)
            heapq.heappush(self._heap, entry)
            self.waiting += self._sequences(work)

    def take(self, room: int, *, is_idle: bool) -> Taken | None:
        """Requests for a replica.

        Args:
            room: Sequences it has room for; at least one request is taken where it is positive.
            is_idle: Whether nothing is in flight on it, so that it can draw a suspect alone.
        """
        if self._heap:
            return self._take_many(room) if room > 0 else None
        return self._take_alone() if is_idle and (self._suspects or self._accused) else None

    def _take_many(self, room: int) -> Taken:
        works = []
        while self._heap and room > 0:
            work = heapq.heappop(self._heap)[-1]
            room -= self._sequences(work)
            works.append(work)
        return self._lease(Taken(tuple(works)))

    def _take_alone(self) -> Taken:
        """The suspect leased last, as most killers kill at their first step; then the accused."""
        suspect = self._suspects.pop() if self._suspects else self._accused.popleft()
        self._lone[_key(suspect.work)] = suspect
        return self._lease(Taken((suspect.work,), alone=True))

    def _lease(self, taken: Taken) -> Taken:
        self.waiting -= self.sequences(taken)
        self._flying.update((_key(work), work) for work in taken.works)
        return taken

    def done(self, keys: Iterable[Key]) -> int:
        """Note what came back; returns the sequences that were leased for it."""
        sequences = 0
        for key in keys:
            sequences += self._sequences(self._flying.pop(key))
            self._lone.pop(key, None)
            self.finished += 1
            self.barren_deaths = 0
        return sequences

    def _sequences(self, work: CellRequest) -> int:
        cell, request = work
        return self._cells[cell].sequences(len(request.ranks))

    def sequences(self, taken: Taken) -> int:
        """Sequences in what was taken."""
        return sum(map(self._sequences, taken.works))

    def give_back(self, keys: Iterable[Key]) -> None:
        """Let requests wait again that were leased to a replica that is gone through no fault."""
        for key in keys:
            work = self._flying.pop(key)
            if (suspect := self._lone.pop(key, None)) is None:
                self.add([work])
            else:
                self._hold(suspect)

    def killed(self, keys: Iterable[Key], error: str) -> tuple[ProblemFailure, ...]:
        """An engine died with these requests in flight; returns those that are set aside."""
        among = set(keys)
        lost = [key for key in self._flying if key in among]
        if len(lost) == 1 and lost[0] in self._lone:
            return self._accuse(lost[0], error)
        self.barren_deaths += 1
        death = next(self._deaths)
        for key in lost:
            self._hold(_Suspect(self._flying.pop(key), death))
        return ()

    def _accuse(self, key: Key, error: str) -> tuple[ProblemFailure, ...]:
        """Note a lone death; returns the request if it was one too many."""
        suspect = self._lone.pop(key)
        del self._flying[key]
        self.barren_deaths += not suspect.lone_deaths
        self._clear(suspect.death)
        deaths = suspect.lone_deaths + 1
        if deaths < _LONE_DEATHS:
            self._hold(replace(suspect, lone_deaths=deaths))
            return ()
        why = f"{deaths} engines in turn died of it, each with nothing else to draw: {error}"
        return (ProblemFailure(*key, why, set_aside=True),)

    def _clear(self, death: int) -> None:
        """Let the suspects of a death wait with all others: it has its killer."""
        cleared = [suspect.work for suspect in self._suspects if suspect.death == death]
        self._suspects = [suspect for suspect in self._suspects if suspect.death != death]
        self.waiting -= sum(map(self._sequences, cleared))
        self.add(cleared)

    def _hold(self, suspect: _Suspect) -> None:
        (self._accused if suspect.lone_deaths else self._suspects).append(suspect)
        self.waiting += self._sequences(suspect.work)


def _key(work: CellRequest) -> Key:
    return work[0], work[1].problem_id
