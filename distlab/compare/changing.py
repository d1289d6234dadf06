"""Verdict tables of two sides in; the verdicts that are others out, each with an example."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from distlab.analysis.arrays import CodeArray
from distlab.compare.comparison import ChangeRow, Pair, Shared
from distlab.compare.side import Side
from distlab.runs.scored import Judge, SampleKey, VerdictTable
from distlab.scoring.types import BY_CODE, CORRECT, NO_VERDICT


class Tables(NamedTuple):
    """The verdicts of two cells that are compared."""

    first: VerdictTable
    second: VerdictTable


class _Change(NamedTuple):
    """A row, and the samples that it shows."""

    row: ChangeRow
    first: SampleKey
    second: SampleKey


def change_rows(
    pair: Pair, together: Sequence[Tables], sides: tuple[Side, Side]
) -> tuple[ChangeRow, ...]:
    """What changed in tables that go together, with what was read off a sample of each side.

    Cells that hold the same samples are compared sample by sample, others by problem.
    """
    changes = [change for both in together for change in _changes(pair, both)]
    before = sides[0].answers({change.first for change in changes})
    after = sides[1].answers({change.second for change in changes})
    return tuple(
        replace(row, before_answer=before.get(first, ""), after_answer=after.get(second, ""))
        for row, first, second in changes
    )


def _changes(pair: Pair, both: Tables) -> Iterator[_Change]:
    shared = pair.problems(both.first.cell, both.second.cell)
    same = both.first.cell.fingerprint == both.second.cell.fingerprint
    yield from (_samples if same else _problems)(shared, both)


def _samples(shared: Shared, both: Tables) -> Iterator[_Change]:
    """Samples that both sides hold, with another verdict."""
    n = min(both.first.cell.n, both.second.cell.n)
    before, after = both.first.codes[shared.first, :n], both.second.codes[shared.second, :n]
    changed = (before != after) & (before != NO_VERDICT) & (after != NO_VERDICT)
    way = (after == CORRECT).astype(int) - (before == CORRECT)
    for place, rank in zip(*(axis.tolist() for axis in np.nonzero(changed)), strict=True):
        told = BY_CODE[before[place, rank]].value, BY_CODE[after[place, rank]].value
        row = replace(_row(shared, both, place, told), rank=rank, way=int(way[place, rank]))
        yield _Change(row, *_keys(row, (rank, rank)))


def _problems(shared: Shared, both: Tables) -> Iterator[_Change]:
    """Problems that one side solves and the other does not, from different samples."""
    before, after = both.first.codes[shared.first], both.second.codes[shared.second]
    judged = (before != NO_VERDICT).any(axis=1) & (after != NO_VERDICT).any(axis=1)
    solved = (before == CORRECT).any(axis=1), (after == CORRECT).any(axis=1)
    for place in np.flatnonzero(judged & (solved[0] != solved[1])).tolist():
        told = _share(before[place]), _share(after[place])
        row = replace(_row(shared, both, place, told), way=1 if solved[1][place] else -1)
        yield _Change(row, *_keys(row, (_example(before[place]), _example(after[place]))))


def _share(codes: CodeArray) -> str:
    return f"{int((codes == CORRECT).sum())} of {int((codes != NO_VERDICT).sum())} correct"


def _example(codes: CodeArray) -> int:
    """The sample that stands for a problem: a correct one, if there is one."""
    correct = np.flatnonzero(codes == CORRECT)
    return int((correct if correct.size else np.flatnonzero(codes != NO_VERDICT))[0])


def _keys(row: ChangeRow, ranks: tuple[int, int]) -> tuple[SampleKey, SampleKey]:
    return (
        SampleKey(row.cell, row.judge.extractor, row.problem, ranks[0]),
        SampleKey(row.other, row.by.extractor, row.other_id, ranks[1]),
    )


def _row(shared: Shared, both: Tables, place: int, told: tuple[str, str]) -> ChangeRow:
    """A problem's row, before it is said which of its samples changed."""
    problem = both.first.problems[int(shared.first[place])]
    other = both.second.problems[int(shared.second[place])]
    return ChangeRow(
        cell=both.first.cell.key,
        other=both.second.cell.key,
        judge=Judge(both.first.extractor, both.first.grader),
        by=Judge(both.second.extractor, both.second.grader),
        problem=problem.id,
        other_id=other.id,
        rank=-1,
        before=told[0],
        after=told[1],
        before_answer="",
        after_answer="",
        gold=problem.gold.text,
        question=problem.question or other.question,
        way=0,
    )
