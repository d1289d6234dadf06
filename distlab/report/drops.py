"""Drop tables: a score on original problems against the same score on perturbed ones."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

import numpy as np

from distlab.analysis.arrays import FloatArray
from distlab.analysis.drops import Scores, drop_difference, paired_drop, unpaired_drop
from distlab.analysis.intervals import NOTHING, Estimate
from distlab.problems.types import Problem
from distlab.report.pairing import Comparison, Metric, ScoreMap, metrics
from distlab.report.published import DROP_SETS, published_drop_of
from distlab.report.records import DropGapRow, DropRow, Judge, Sides, UnpairedRow
from distlab.report.scores import ProblemScores

# Original and perturbed side of the drops that are shown.
TRANSITIONS: Final = (("seed", "twin"), ("seed", "simple"), ("seed", "hard"), ("simple", "hard"))


def drop_rows(judges: Sequence[Judge], scores: ScoreMap) -> Iterator[DropRow]:
    """Every arm's drops, paired by problem."""
    for judge in judges:
        for sides, first, second in _transitions(judge, scores):
            metric = metrics(min(first.table.cell.n, second.table.cell.n))[0]
            before = _side_scores(first.table.problems, sides.before_side, metric.of(first))
            after = _side_scores(second.table.problems, sides.after_side, metric.of(second))
            if drop := paired_drop(before, after):
                yield DropRow(
                    cell=second.table.cell,
                    judge=judge,
                    metric=metric.name,
                    sides=sides,
                    drop=drop,
                    unpaired=_unpaired(sides, metric, first, second),
                )


def drop_gap_rows(
    pairs: Sequence[Comparison], judges: Sequence[Judge], scores: ScoreMap
) -> Iterator[DropGapRow]:
    """How much more the instruct arm loses than the base arm."""
    for judge in judges:
        found = {
            (second.table.cell.key, sides): (first, second)
            for sides, first, second in _transitions(judge, scores)
        }
        for pair in pairs:
            for (key, sides), base in found.items():
                instruct = found.get((pair.instruct.key, sides))
                if key == pair.base.key and instruct is not None:
                    yield _drop_gap_row(pair, judge, sides, base, instruct)


def unpaired_rows(judges: Sequence[Judge], scores: ScoreMap) -> Iterator[UnpairedRow]:
    """The paper's comparison of two whole sets, and the same at the level that both have."""
    for judge in judges:
        mine = [row for (_, other), row in scores.items() if other == judge]
        for first, second in product(mine, mine):
            one, two = first.table.cell, second.table.cell
            same_arm = (one.family, one.arm, one.prompt) == (two.family, two.arm, two.prompt)
            if same_arm and (one.dataset, two.dataset) == DROP_SETS:
                yield _unpaired_row(judge, first, second, "")
                levels = {problem.strata.get("level", "") for problem in second.table.problems}
                if len(levels) == 1 and (level := levels.pop()):
                    yield _unpaired_row(judge, first, second, level)


def _unpaired_row(
    judge: Judge, first: ProblemScores, second: ProblemScores, level: str
) -> UnpairedRow:
    cell = second.table.cell
    metric = metrics(min(first.table.cell.n, cell.n))[0]
    before, after = metric.of(first), metric.of(second)
    if level:
        kept = [problem.strata.get("level") == level for problem in first.table.problems]
        before = before[np.array(kept, dtype=np.bool_)]
    return UnpairedRow(
        cell=cell,
        judge=judge,
        metric=metric.name,
        before=first.table.cell.dataset,
        level=level,
        before_problems=int((~np.isnan(before)).sum()),
        after_problems=int((~np.isnan(after)).sum()),
        change=unpaired_drop(before, after),
        published=NOTHING if level else published_drop_of(cell, judge),
    )


def _unpaired(
    sides: Sides, metric: Metric, first: ProblemScores, second: ProblemScores
) -> Estimate:
    """Over whole datasets, as papers do; within one dataset, over its sides."""
    before, after = metric.of(first), metric.of(second)
    if sides.before_dataset == sides.after_dataset:
        before = _side_scores(first.table.problems, sides.before_side, before).values
        after = _side_scores(second.table.problems, sides.after_side, after).values
    return unpaired_drop(before, after)


def _drop_gap_row(
    pair: Comparison,
    judge: Judge,
    sides: Sides,
    base: tuple[ProblemScores, ProblemScores],
    instruct: tuple[ProblemScores, ProblemScores],
) -> DropGapRow:
    metric = metrics(min(scores.table.cell.n for scores in (*base, *instruct)))[0]

    def both(arm: tuple[ProblemScores, ProblemScores]) -> tuple[Scores, Scores]:
        before = _side_scores(arm[0].table.problems, sides.before_side, metric.of(arm[0]))
        after = _side_scores(arm[1].table.problems, sides.after_side, metric.of(arm[1]))
        return before, after

    count, difference = drop_difference(both(base), both(instruct))
    return DropGapRow(pair.base, pair.instruct, judge, metric.name, sides, count, difference)


def _transitions(
    judge: Judge, scores: ScoreMap
) -> Iterator[tuple[Sides, ProblemScores, ProblemScores]]:
    """Every (original, perturbed) pair of cells of one arm and prompt that share pairs."""
    mine = [row for (_, other), row in scores.items() if other == judge]
    for first in mine:
        for second in mine:
            one, two = first.table.cell, second.table.cell
            if (one.family, one.arm, one.prompt) != (two.family, two.arm, two.prompt):
                continue
            for before, after in _sides_of(first.table.problems, second.table.problems):
                yield Sides(one.dataset, before, two.dataset, after), first, second


def _sides_of(first: Sequence[Problem], second: Sequence[Problem]) -> Iterator[tuple[str, str]]:
    """The transitions from a problem of ``first`` to its perturbation in ``second``."""
    before = {(problem.pair, problem.side) for problem in first if problem.pair is not None}
    after = {(problem.pair, problem.side) for problem in second if problem.pair is not None}
    for side, perturbed in TRANSITIONS:
        here = {pair for pair, name in before if name == side}
        there = {pair for pair, name in after if name == perturbed}
        if here & there:
            yield side, perturbed


def _side_scores(problems: Sequence[Problem], side: str, values: FloatArray) -> Scores:
    chosen = [
        row
        for row, problem in enumerate(problems)
        if problem.side == side and problem.pair is not None
    ]
    return Scores([problems[row].pair or "" for row in chosen], values[chosen])
