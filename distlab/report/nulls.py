"""Null tables: what answering without reading solves, and what arms solve beyond it."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from distlab.analysis.arrays import FloatArray
from distlab.analysis.codes import CORRECT, MISSING
from distlab.analysis.gaps import paired_gap
from distlab.analysis.intervals import proportion_interval
from distlab.analysis.nulls import any_correct
from distlab.report.pairing import ScoreMap
from distlab.report.records import ExcessRow, NullRow, NullTable

# Answers that are shown: the digits, and as many as the study draws samples.
_COUNTS: Final = (10, 20)


def null_rows(nulls: Sequence[NullTable]) -> Iterator[NullRow]:
    """What the null model solves of each dataset."""
    for table in nulls:
        for count in _COUNTS:
            solved = _solved(table, count)
            judged = int((~np.isnan(solved)).sum())
            if judged:
                estimate = proportion_interval(solved)
                yield NullRow(table.dataset, table.grader, count, judged, estimate)


def excess_rows(nulls: Sequence[NullTable], scores: ScoreMap) -> Iterator[ExcessRow]:
    """Each cell's Pass@n beside the null model with n answers, problem by problem."""
    tables = {(table.dataset, table.grader): table for table in nulls}
    for (_, judge), row in scores.items():
        table = tables.get((row.table.cell.dataset, judge.grader))
        if table is None:
            continue
        answers = min(row.table.cell.n, table.codes.shape[1])
        gap = paired_gap(_solved(table, answers), row.pass_at(answers))
        yield ExcessRow(
            cell=row.table.cell,
            judge=judge,
            answers=answers,
            problems=gap.problems,
            pass_n=gap.instruct,
            null=gap.base,
            excess=gap.difference,
        )


def _solved(table: NullTable, count: int) -> FloatArray:
    """[problems] of 0 or 1; NaN where the grader does not judge the gold."""
    codes = table.codes[:, :count]
    judged = (codes != MISSING).any(axis=1)
    return np.where(judged, any_correct(codes == CORRECT), np.nan)
