"""What is lost on perturbed problems?"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from distlab.analysis.arrays import FloatArray
from distlab.analysis.drops import Drop, Scores, drop_difference, paired_drop, unpaired_drop
from distlab.analysis.intervals import NOTHING, Estimate
from distlab.problems.problem import Problem, Side
from distlab.report.charts.kinds import Chart, Role, Series, at_label, interval_chart
from distlab.report.gap_table import headline_gaps
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.questions.paper import DROP_SETS, published_drop_of
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import judge_name
from distlab.runs.pairing import ArmPair, Metric, ScoreMap, metrics
from distlab.runs.scored import Judge
from distlab.runs.scores import ProblemScores
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import percent, points_interval, points_range

# Original and perturbed side of the drops that are shown.
_TRANSITIONS: Final[tuple[tuple[Side, Side], ...]] = (
    ("seed", "twin"),
    ("seed", "simple"),
    ("seed", "hard"),
    ("simple", "hard"),
)


@dataclass(frozen=True, slots=True)
class Sides:
    """The two problem sets of a perturbation drop."""

    before_dataset: str
    before_side: Side
    after_dataset: str
    after_side: Side


def _sides_name(sides: Sides) -> str:
    """As in "math (seed) → math-perturb-hard (hard)", or "gsm-symbolic: seed → twin"."""
    if sides.before_dataset == sides.after_dataset:
        return f"{sides.before_dataset}: {sides.before_side} → {sides.after_side}"
    return (
        f"{sides.before_dataset} ({sides.before_side}) → {sides.after_dataset} ({sides.after_side})"
    )


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


def _sides_of(first: Sequence[Problem], second: Sequence[Problem]) -> Iterator[tuple[Side, Side]]:
    """The transitions from a problem of ``first`` to its perturbation in ``second``."""
    before = {(problem.pair, problem.side) for problem in first if problem.pair is not None}
    after = {(problem.pair, problem.side) for problem in second if problem.pair is not None}
    for side, perturbed in _TRANSITIONS:
        here = {pair for pair, name in before if name == side}
        there = {pair for pair, name in after if name == perturbed}
        if here & there:
            yield side, perturbed


def _side_scores(problems: Sequence[Problem], side: Side, values: FloatArray) -> Scores:
    chosen = [
        row
        for row, problem in enumerate(problems)
        if problem.side == side and problem.pair is not None
    ]
    return Scores([problems[row].pair or "" for row in chosen], values[chosen])


@dataclass(frozen=True, slots=True)
class DropRow:
    """The perturbation drop of one arm.

    Attributes:
        cell: The arm's cell on the perturbed side.
        judge: Extractor and grader.
        metric: Name of the score, as in "Pass@20".
        sides: The two problem sets.
        drop: From the original side to the perturbed one, paired by problem.
        unpaired: Perturbed mean minus original mean over all problems of the two datasets' sides.
    """

    cell: Cell
    judge: Judge
    metric: str
    sides: Sides
    drop: Drop
    unpaired: Estimate


def _drop_rows(scored: ScoredStudy) -> Iterator[DropRow]:
    """Every arm's drops, paired by problem."""
    for judge in scored.judges:
        for sides, first, second in _transitions(judge, scored.scores):
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
                    unpaired=_unpaired_change(sides, metric, first, second),
                )


def _unpaired_change(
    sides: Sides, metric: Metric, first: ProblemScores, second: ProblemScores
) -> Estimate:
    """Over whole datasets, as papers do; within one dataset, over its sides."""
    before, after = metric.of(first), metric.of(second)
    if sides.before_dataset == sides.after_dataset:
        before = _side_scores(first.table.problems, sides.before_side, before).values
        after = _side_scores(second.table.problems, sides.after_side, after).values
    return unpaired_drop(before, after)


_FAMILY: Column[DropRow] = label("family", lambda row: row.cell.family)
_ARM: Column[DropRow] = label("arm", lambda row: row.cell.arm)
_SCORED_PAIRS: Columns[DropRow] = (
    label("prompt", lambda row: row.cell.prompt),
    label("sides", lambda row: _sides_name(row.sides)),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    Column("pairs", lambda row: str(row.drop.pairs)),
)
_DROP_COLUMNS: Columns[DropRow] = (
    _FAMILY,
    _ARM,
    *_SCORED_PAIRS,
    Column("original", lambda row: percent(row.drop.before)),
    Column("perturbed", lambda row: percent(row.drop.after)),
    Column("drop (95 %)", lambda row: points_interval(row.drop.change)),
    Column("unpaired (95 %)", lambda row: points_interval(row.unpaired)),
)
DROPS = Table("drops", "Perturbation drop, in points", _drop_rows, _DROP_COLUMNS)


@dataclass(frozen=True, slots=True)
class DropDifferenceRow:
    """Drop of the instruct arm minus drop of the base arm, over pairs that both have."""

    base: Cell
    instruct: Cell
    judge: Judge
    metric: str
    sides: Sides
    pairs: int
    difference: Estimate


def _difference_rows(scored: ScoredStudy) -> Iterator[DropDifferenceRow]:
    """How much more the instruct arm loses than the base arm."""
    for judge in scored.judges:
        found = {
            (second.table.cell.key, sides): (first, second)
            for sides, first, second in _transitions(judge, scored.scores)
        }
        for pair in scored.pairs:
            for (key, sides), base in found.items():
                instruct = found.get((pair.instruct.key, sides))
                if key == pair.base.key and instruct is not None:
                    yield _difference_row(pair, judge, sides, base, instruct)


def _difference_row(
    pair: ArmPair,
    judge: Judge,
    sides: Sides,
    base: tuple[ProblemScores, ProblemScores],
    instruct: tuple[ProblemScores, ProblemScores],
) -> DropDifferenceRow:
    metric = metrics(min(scores.table.cell.n for scores in (*base, *instruct)))[0]

    def both(arm: tuple[ProblemScores, ProblemScores]) -> tuple[Scores, Scores]:
        before = _side_scores(arm[0].table.problems, sides.before_side, metric.of(arm[0]))
        after = _side_scores(arm[1].table.problems, sides.after_side, metric.of(arm[1]))
        return before, after

    count, difference = drop_difference(both(base), both(instruct))
    return DropDifferenceRow(pair.base, pair.instruct, judge, metric.name, sides, count, difference)


_DIFFERENCE_COLUMNS: Columns[DropDifferenceRow] = (
    label("family", lambda row: row.base.family),
    label("prompt", lambda row: row.base.prompt),
    label("sides", lambda row: _sides_name(row.sides)),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    label("base arm", lambda row: row.base.arm),
    label("instruct arm", lambda row: row.instruct.arm),
    Column("pairs", lambda row: str(row.pairs)),
    Column("drop of instruct − base (95 %)", lambda row: points_interval(row.difference)),
)
DROP_DIFFERENCES = Table(
    "drop_differences",
    "Drop of instruct − drop of base, in points",
    _difference_rows,
    _DIFFERENCE_COLUMNS,
)


@dataclass(frozen=True, slots=True)
class UnpairedDropRow:
    """The drop as papers give it: one dataset's mean minus another's, problems unpaired.

    Attributes:
        cell: The arm's cell on the perturbed side.
        judge: Extractor and grader.
        metric: Name of the score, as in "Pass@20".
        before: The dataset of originals.
        level: The one level of the perturbed set, where the originals are cut to it; else empty.
        before_problems: Problems of the originals with a score.
        after_problems: Problems of the perturbed set with a score.
        change: Perturbed mean minus original mean.
        published: The paper's figure of this family; NaN where it has none, and under a level.
    """

    cell: Cell
    judge: Judge
    metric: str
    before: str
    level: str
    before_problems: int
    after_problems: int
    change: Estimate
    published: Estimate


def _unpaired_rows(scored: ScoredStudy) -> Iterator[UnpairedDropRow]:
    """The paper's comparison of two whole sets, and the same at the level that both have."""
    for judge in scored.judges:
        mine = [row for (_, other), row in scored.scores.items() if other == judge]
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
) -> UnpairedDropRow:
    cell = second.table.cell
    metric = metrics(min(first.table.cell.n, cell.n))[0]
    before, after = metric.of(first), metric.of(second)
    if level:
        kept = [problem.strata.get("level") == level for problem in first.table.problems]
        before = before[np.array(kept, dtype=np.bool_)]
    return UnpairedDropRow(
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


_UNPAIRED_COLUMNS: Columns[UnpairedDropRow] = (
    label("family", lambda row: row.cell.family),
    label("arm", lambda row: row.cell.arm),
    label("prompt", lambda row: row.cell.prompt),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    label("from", lambda row: f"{row.before}, level {row.level}" if row.level else row.before),
    label("to", lambda row: row.cell.dataset),
    Column("problems", lambda row: f"{row.before_problems} → {row.after_problems}"),
    Column("drop (95 %)", lambda row: points_interval(row.change)),
    Column("paper's drop (95 %)", lambda row: points_interval(row.published)),
)
UNPAIRED_DROPS = Table(
    "unpaired_drops",
    "Drop between whole sets, as papers give it, in points",
    _unpaired_rows,
    _UNPAIRED_COLUMNS,
)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """Every drop, and how much more one arm loses."""
    rows = [row for row in study.rows(DROPS) if study.is_headline(row.cell, row.judge)]
    if not rows:
        yield cannot_say("no two problems of this run are a pair of original and perturbation")
    yield from (_drop_statement(row) for row in rows)
    for gap in study.rows(DROP_DIFFERENCES):
        if study.is_headline(gap.instruct, gap.judge):
            who = {1: "the base arm loses more", -1: "the instruct arm loses more"}
            yield Statement(
                f"{gap.base.family} ({gap.base.prompt}), {_sides_name(gap.sides)}: "
                f"{who.get(gap.difference.sign, 'neither arm is shown to lose more')}; drop of "
                f"{gap.instruct.arm} minus drop of {gap.base.arm} is "
                f"{points_range(gap.difference)} points over {gap.pairs} pairs."
            )
    yield from _unpaired_statements(study)


def _drop_statement(row: DropRow) -> Statement:
    change = row.drop.change
    said = {1: "solves more", -1: "solves less"}.get(change.sign, "is not shown to change")
    text = (
        f"{row.cell.family} {row.cell.arm} ({row.cell.prompt}), {_sides_name(row.sides)}: "
        f"{said} on the perturbed side: {row.metric} {points_range(change)} points over "
        f"{row.drop.pairs} pairs ({judge_name(row.judge)})."
    )
    beside = f"Unpaired, the two sets differ by {points_range(row.unpaired)} points"
    if row.unpaired.sign and row.unpaired.sign != change.sign:
        return Statement(text, warnings=(f"{beside}; that does not hold problem by problem.",))
    return Statement(text, controls=(f"{beside}.",))


def _unpaired_statements(study: StudyTables) -> Iterator[Statement]:
    for row in study.rows(UNPAIRED_DROPS):
        if not row.level and study.is_headline(row.cell, row.judge):
            cut = [
                f"From level {r.level} alone, as all of {r.cell.dataset} is: "
                f"{points_range(r.change)} points."
                for r in study.rows(UNPAIRED_DROPS)
                if r.level and (r.cell, r.judge) == (row.cell, row.judge)
            ]
            if not math.isnan(row.published.value):
                cut.append(f"The paper's figure: {points_range(row.published)}.")
            yield Statement(
                f"{row.cell.family} {row.cell.arm} ({row.cell.prompt}), as the paper compares, "
                f"from all of {row.before} to all of {row.cell.dataset}: "
                f"{points_range(row.change)} points.",
                tuple(cut),
            )


def _charts(study: StudyTables) -> Iterator[Chart]:
    """The drops of the study's own arms, paired and not, and the paper's."""
    gaps = headline_gaps(study)
    own = {cell.arm for row in gaps for cell in (row.base, row.instruct)}
    drops = [row for row in study.rows(DROPS) if study.is_headline(row.cell, row.judge)]
    sets = [row for row in study.rows(UNPAIRED_DROPS) if study.is_headline(row.cell, row.judge)]
    series = []
    arms = [row.cell.arm for row in drops] + [row.cell.arm for row in sets]
    for arm in dict.fromkeys(arms):
        if own and arm not in own:
            continue
        mine = [row for row in drops if row.cell.arm == arm]
        labels = [_drop_label(row.cell, _sides_name(row.sides)) for row in mine]
        paired = [at_label(name, row.drop.change) for name, row in zip(labels, mine, strict=True)]
        unpaired = [at_label(name, row.unpaired) for name, row in zip(labels, mine, strict=True)]
        unpaired += [
            at_label(_drop_label(row.cell, _whole_sets(row)), row.change)
            for row in sets
            if row.cell.arm == arm
        ]
        role: Role = "base" if arm.startswith("base/") else "instruct"
        series.append(Series(f"{arm}, paired by problem", role, tuple(paired)))
        series.append(Series(f"{arm}, unpaired", role, tuple(unpaired)))
    published = tuple(
        at_label(_drop_label(row.cell, _whole_sets(row)), row.published)
        for row in sets
        if not np.isnan(row.published.value)
    )
    series.append(Series("the paper, unpaired", "paper", published))
    title = "Change from original to perturbed problems"
    yield from interval_chart("drops", title, "points; left of zero the arm solves less", series)


def _drop_label(cell: Cell, sides: str) -> str:
    return f"{cell.family} ({cell.prompt}): {sides}"


def _whole_sets(row: UnpairedDropRow) -> str:
    level = f", level {row.level}" if row.level else ""
    return f"{row.before}{level} → {row.cell.dataset}, whole sets"


_TERMS: Final[tuple[Term, ...]] = (
    (
        "drop",
        "perturbed − original in percentage points, paired by problem; negative is worse. "
        "unpaired: difference of the two sets' means, as papers give it; the sets differ in more "
        "than the perturbation.",
    ),
)
QUESTION = Question(
    name="drops",
    text="What is lost on perturbed problems?",
    tables=(DROPS, DROP_DIFFERENCES, UNPAIRED_DROPS),
    statements=_statements,
    charts=_charts,
    terms=_TERMS,
)
