"""Until solved: exact Pass@n for fewer samples (``decoding.until=solved``).

The samples of a problem are drawn in waves, lowest ranks first, and judged as they come. A problem
stops once every judge (an extractor with a grader) has found a correct sample among those drawn:
"any correct among n" is then settled under each of them. Ranks and seeds are those of a run that
draws everything, and such a run later tops up the same cells. Draws that are independent requests
are even the same samples; siblings of a wave lead anew (``decoding.sibling_trie``).

A timeout or an error is not correct: such a problem is drawn on.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain, repeat

import pyarrow as pa

from distlab.decoding.interface import SampleRequest
from distlab.engines.messages import CellRequest, Finished
from distlab.errors import UserError
from distlab.problems.problem import Gold
from distlab.sampling.planned import PlannedCell
from distlab.scoring.panel import Candidate, Found, JudgeIndex, JudgePanel
from distlab.scoring.sampled_text import COLUMNS as OF_TEXT
from distlab.scoring.sampled_text import sampled_texts
from distlab.store.columns import token_counts

Key = tuple[str, str]
"""Cell path and problem id."""

Moved = Callable[[str, int, int], None]
"""Is told a cell's path, by how much its problems done change, and samples not needed any more."""

_COLUMNS = ["problem_id", "rank", "prompt_hash", "token_ids", "computed_tokens", *OF_TEXT]
# Stands for a gold that no grader judges: it is never solved, so everything is drawn.
_NOBODY = JudgeIndex(-1, -1)


@dataclass(frozen=True, slots=True)
class Spared:
    """What stopping early left undrawn.

    Attributes:
        samples: Samples that were asked for and not drawn.
        of: Samples that were asked for, those in the store included.
        tokens: Estimate of the new tokens in ``samples``: each problem's own mean length.
        most_tokens: The most that they could have had.
    """

    samples: int
    of: int
    tokens: int
    most_tokens: int

    @property
    def sentence(self) -> str:
        """For the manifest and the report."""
        return (
            f"decoding.until=solved left {self.samples} of {self.of} samples undrawn, since their "
            f"problems were solved: about {self.tokens} tokens, estimated by the mean length of "
            f"each problem's own samples, and {self.most_tokens} at most."
        )


@dataclass(slots=True)
class _OpenProblem:
    """A problem with samples missing when the run began.

    Attributes:
        request: Its prompt, and the ranks that were missing.
        gold: Its gold.
        missing: Ranks that are not drawn yet, ascending.
        unsolved: Judges that have found no correct sample so far.
        samples: Samples drawn.
        tokens: New tokens in them.
    """

    request: SampleRequest
    gold: Gold
    missing: list[int]
    unsolved: set[JudgeIndex]
    samples: int = 0
    tokens: int = 0


class UntilSolved:
    """Says which samples to draw next.

    Args:
        cells: As planned, with every missing sample; cells of one sample per problem stay so.
        golds: Dataset to the golds of its problems, by id.
        bench: Who judges.
        waves: Samples of each wave; the last one is repeated.
        moved: Is told how far it is.
    """

    def __init__(
        self,
        cells: Iterable[PlannedCell],
        golds: Mapping[str, Mapping[str, Gold]],
        bench: JudgePanel,
        waves: Sequence[int],
        moved: Moved = lambda path, done, spared: None,
    ) -> None:
        self._cells = {planned.cell.path: planned for planned in cells}
        self._bench = bench
        self._waves = tuple(waves)
        self._moved = moved
        self._problems = {
            (path, request.problem_id): self._problem(
                request, golds[planned.cell.dataset][request.problem_id]
            )
            for path, planned in self._cells.items()
            if planned.cell.until_solved
            for request in planned.requests
        }
        self._waiting: list[Finished] = []
        self._turn = asyncio.Lock()
        self.trouble: str | None = None
        """Why nothing is judged any more and everything is drawn; None while all is well."""

    def start(self) -> tuple[PlannedCell, ...]:
        """Judge what the store holds of the problems; returns the cells with their first waves."""
        return tuple(map(self._first, self._cells.values()))

    async def follow_up(self, finished: Finished) -> Sequence[CellRequest]:
        """The requests that follow from what came back."""
        self._waiting.append(finished)
        async with self._turn:
            # Whoever has the turn judges for all that wait.
            batch, self._waiting = self._waiting, []
            drawn = [pair for one in batch for pair in one.batches.items()]
            candidates = [c for path, samples in drawn for c in self._noted(path, samples)]
            if candidates and self.trouble is None:
                try:
                    self._settle(await self._bench.judge_beside(candidates))
                except (UserError, OSError) as error:
                    self._give_up(error)
        works = list(self._next(finished.done))
        for path, _ in works:
            self._moved(path, -1, 0)
        return works

    def settled(self, path: str) -> tuple[str, ...]:
        """Problems of a cell that stopped before all their samples were drawn."""
        return tuple(
            problem_id
            for (cell, problem_id), problem in self._problems.items()
            if cell == path and problem.missing and not problem.unsolved
        )

    def spared(self) -> Spared:
        """What was left undrawn, of problems that are solved."""
        solved = [
            (problem, self._cells[path].arm.decoding.max_tokens)
            for (path, _), problem in self._problems.items()
            if not problem.unsolved
        ]
        tokens = sum(len(p.missing) * p.tokens / p.samples for p, _ in solved if p.samples)
        return Spared(
            samples=sum(len(problem.missing) for problem, _ in solved),
            of=sum(
                planned.cell.n * len(planned.prompt_hashes)
                for planned in self._cells.values()
                if planned.cell.until_solved
            ),
            tokens=round(tokens),
            most_tokens=sum(len(problem.missing) * most for problem, most in solved),
        )

    def _problem(self, request: SampleRequest, gold: Gold) -> _OpenProblem:
        return _OpenProblem(
            request, gold, list(request.ranks), self._bench.judges(gold) or {_NOBODY}
        )

    def _first(self, planned: PlannedCell) -> PlannedCell:
        if not planned.cell.until_solved:
            return planned
        path = planned.cell.path
        candidates = self._noted(path, _held(planned))
        if candidates and self.trouble is None:
            try:
                self._settle(self._bench.judge(candidates))
            except (UserError, OSError) as error:
                self._give_up(error)
        keys = [(path, request.problem_id) for request in planned.requests]
        requests = tuple(request for _, request in self._next(keys))
        self._moved(path, len(keys) - len(requests), 0)
        return replace(planned, requests=requests)

    def _noted(self, path: str, samples: pa.Table | pa.RecordBatch) -> list[Candidate]:
        """Note samples as drawn; those of problems that are not solved yet are to be judged."""
        candidates = []
        lengths = token_counts(samples).to_pylist()
        columns = [samples.column(name).to_pylist() for name in ("problem_id", "rank")]
        rows = zip(*columns, lengths, sampled_texts(samples), strict=True)
        for problem_id, rank, tokens, sampled in rows:
            problem = self._problems.get((path, problem_id))
            if problem is None:
                continue
            problem.samples += 1
            problem.tokens += tokens
            if rank in problem.missing:
                problem.missing.remove(rank)
            if problem.unsolved:
                candidates.append(Candidate((path, problem_id), problem.gold, sampled))
        return candidates

    def _settle(self, found: Found) -> None:
        for key, judges in found.items():
            self._problems[key].unsolved -= judges

    def _give_up(self, error: Exception) -> None:
        self.trouble = (
            f"samples could not be judged as they came ({error}), so problems were drawn in full"
        )

    def _next(self, keys: Iterable[Key]) -> Iterator[CellRequest]:
        """The next wave of problems that came back and are not solved."""
        for path, problem_id in keys:
            problem = self._problems.get((path, problem_id))
            if problem is None:
                continue
            ranks = self._wave(problem) if problem.unsolved else ()
            if not problem.unsolved:
                self._moved(path, 0, len(problem.missing))
            if ranks:
                yield path, replace(problem.request, ranks=ranks)

    def _wave(self, problem: _OpenProblem) -> tuple[int, ...]:
        """The missing ranks up to the end of the first wave that lacks any."""
        if self.trouble is not None or not problem.missing:
            return tuple(problem.missing)
        ends = accumulate(chain(self._waves, repeat(self._waves[-1])))
        end = next(end for end in ends if problem.missing[0] < end)
        return tuple(rank for rank in problem.missing if rank < end)


def _held(planned: PlannedCell) -> pa.Table:
    """Stored samples of the problems that lack some."""
    table = planned.stored.samples(_COLUMNS)
    hashes = {
        request.problem_id: planned.prompt_hashes[request.problem_id]
        for request in planned.requests
    }
    keys = (table.column(name).to_pylist() for name in ("problem_id", "rank", "prompt_hash"))
    wanted = [
        hashes.get(problem_id) == prompt and rank < planned.cell.n
        for problem_id, rank, prompt in zip(*keys, strict=True)
    ]
    return table.filter(pa.array(wanted, pa.bool_()))
