"""What is lost on perturbed problems?"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from distlab.analysis.arrays import FloatArray
from distlab.analysis.claims import Answer, Claim, Decision, Kind, differs
from distlab.analysis.contrasts import Contrast, Mean
from distlab.analysis.drops import (
    Drop,
    Scores,
    drop_difference,
    paired_changes,
    paired_drop,
    pairing_difference,
    unpaired_drop,
)
from distlab.analysis.estimate import NOTHING, Estimate
from distlab.errors import counted
from distlab.problems.problem import Problem, Side
from distlab.report.charts.kinds import Chart, Role, Series, at_label, interval_chart
from distlab.report.gap_table import headline_gaps
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.questions.paper import DROP_SETS, published_drop_of
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import holm_note, judge_name
from distlab.runs.pairing import ArmPair, Metric, ScoreMap, metrics
from distlab.runs.scored import Judge
from distlab.runs.scores import ProblemScores
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import percent, points_interval, points_range

# The two cells of an arm that a change is between.
Change = tuple[ProblemScores, ProblemScores]
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


def sides_name(sides: Sides) -> str:
    """As in "math (seed) → math-perturb-hard (hard)", or "gsm-symbolic: seed → twin"."""
    if sides.before_dataset == sides.after_dataset:
        return f"{sides.before_dataset}: {sides.before_side} → {sides.after_side}"
    return (
        f"{sides.before_dataset} ({sides.before_side}) → {sides.after_dataset} ({sides.after_side})"
    )


def transitions(
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


def side_scores(scores: ProblemScores, side: Side, values: FloatArray) -> Scores:
    """The scores of a cell's problems that are on one side of a pair."""
    problems = scores.table.problems
    chosen = [
        row
        for row, problem in enumerate(problems)
        if problem.side == side and problem.pair is not None
    ]
    pairs = [problems[row].pair or "" for row in chosen]
    return Scores(pairs, values[chosen], scores.table.sources[chosen])


def change_scores(sides: Sides, metric: Metric, arm: Change) -> tuple[Scores, Scores]:
    """The scores of both cells of an arm, each on its side."""
    first, second = arm
    return (
        side_scores(first, sides.before_side, metric.of(first)),
        side_scores(second, sides.after_side, metric.of(second)),
    )


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
        pairing: ``unpaired`` minus the paired change.
    """

    cell: Cell
    judge: Judge
    metric: str
    sides: Sides
    drop: Drop
    unpaired: Contrast
    pairing: Contrast

    @property
    def key(self) -> tuple[Cell, Judge, Sides]:
        """Under which it is claimed that the arm changes."""
        return self.cell, self.judge, self.sides


def _drop_rows(scored: ScoredStudy) -> Iterator[DropRow]:
    """Every arm's drops, paired by problem."""
    for judge in scored.judges:
        for sides, first, second in transitions(judge, scored.scores):
            metric = metrics(min(first.table.cell.n, second.table.cell.n))[0]
            before, after = change_scores(sides, metric, (first, second))
            if drop := paired_drop(before, after):
                whole = whole_sets_of(sides, metric, first, second)
                yield DropRow(
                    cell=second.table.cell,
                    judge=judge,
                    metric=metric.name,
                    sides=sides,
                    drop=drop,
                    unpaired=unpaired_drop(*whole),
                    pairing=pairing_difference(*whole, paired_changes(before, after)),
                )


def whole_sets_of(
    sides: Sides, metric: Metric, first: ProblemScores, second: ProblemScores
) -> tuple[Mean, Mean]:
    """Whole datasets, as papers compare them; within one dataset, its sides."""
    before, after = metric.of(first), metric.of(second)
    if sides.before_dataset != sides.after_dataset:
        return Mean(before, first.table.sources), Mean(after, second.table.sources)
    one, two = change_scores(sides, metric, (first, second))
    return Mean(one.values, one.clusters), Mean(two.values, two.clusters)


_FAMILY: Column[DropRow] = label("family", lambda row: row.cell.family)
_ARM: Column[DropRow] = label("arm", lambda row: row.cell.arm)
_SCORED_PAIRS: Columns[DropRow] = (
    label("prompt", lambda row: row.cell.prompt),
    label("sides", lambda row: sides_name(row.sides)),
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
    Column("drop (95 %)", lambda row: points_interval(row.drop.change.estimate)),
    Column("unpaired (95 %)", lambda row: points_interval(row.unpaired.estimate)),
)
DROPS = Table("drops", "Perturbation drop, in points", _drop_rows, _DROP_COLUMNS)


@dataclass(frozen=True, slots=True)
class ChangeDifferenceRow:
    """How a change between two problem sets differs between the arms of a pair.

    Attributes:
        base: The base arm's cell.
        instruct: The instruct arm's.
        judge: Extractor and grader.
        metric: Name of the score, as in "Pass@20".
        sides: The two problem sets.
        pairs: Pairs of problems that both arms have.
        difference: Positive where the instruct arm loses more.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    metric: str
    sides: Sides
    pairs: int
    difference: Contrast

    @property
    def key(self) -> tuple[Cell, Cell, Judge, Sides]:
        """Under which it is claimed that one arm loses more."""
        return self.base, self.instruct, self.judge, self.sides


def pair_changes(
    scored: ScoredStudy,
) -> Iterator[tuple[ArmPair, Judge, Sides, Change, Change]]:
    """The changes of both arms of every pair, where both have them: base, then instruct."""
    for judge in scored.judges:
        found = {
            (second.table.cell.key, sides): (first, second)
            for sides, first, second in transitions(judge, scored.scores)
        }
        for pair in scored.pairs:
            for (key, sides), base in found.items():
                instruct = found.get((pair.instruct.key, sides))
                if key == pair.base.key and instruct is not None:
                    yield pair, judge, sides, base, instruct


def _difference_rows(scored: ScoredStudy) -> Iterator[ChangeDifferenceRow]:
    """How much more the instruct arm loses than the base arm."""
    for pair, judge, sides, base, instruct in pair_changes(scored):
        metric = metrics(min(scores.table.cell.n for scores in (*base, *instruct)))[0]
        arms = (change_scores(sides, metric, arm) for arm in (base, instruct))
        count, difference = drop_difference(*arms)
        yield ChangeDifferenceRow(
            pair.base, pair.instruct, judge, metric.name, sides, count, difference
        )


def difference_columns(title: str) -> Columns[ChangeDifferenceRow]:
    """What a table of such rows shows, the difference under ``title``."""
    return (
        label("family", lambda row: row.base.family),
        label("prompt", lambda row: row.base.prompt),
        label("sides", lambda row: sides_name(row.sides)),
        label("judge", lambda row: judge_name(row.judge)),
        label("score", lambda row: row.metric),
        label("base arm", lambda row: row.base.arm),
        label("instruct arm", lambda row: row.instruct.arm),
        Column("pairs", lambda row: str(row.pairs)),
        Column(title, lambda row: points_interval(row.difference.estimate)),
    )


DROP_DIFFERENCES = Table(
    "drop_differences",
    "Drop of instruct − drop of base, in points",
    _difference_rows,
    difference_columns("drop of instruct − base (95 %)"),
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
    change: Contrast
    published: Estimate

    @property
    def key(self) -> tuple[Cell, Judge]:
        """Under which it is claimed that the arm changes between the sets."""
        return self.cell, self.judge


def whole_sets(judge: Judge, scores: ScoreMap) -> Iterator[tuple[ProblemScores, ProblemScores]]:
    """The cells of one arm and prompt on the two sets between which the paper gives a drop."""
    mine = [row for (_, other), row in scores.items() if other == judge]
    for first, second in product(mine, mine):
        one, two = first.table.cell, second.table.cell
        same_arm = (one.family, one.arm, one.prompt) == (two.family, two.arm, two.prompt)
        if same_arm and (one.dataset, two.dataset) == DROP_SETS:
            yield first, second


def _unpaired_rows(scored: ScoredStudy) -> Iterator[UnpairedDropRow]:
    """The paper's comparison of two whole sets, and the same at the level that both have."""
    for judge in scored.judges:
        for first, second in whole_sets(judge, scored.scores):
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
        before = np.where(kept, before, np.nan)
    return UnpairedDropRow(
        cell=cell,
        judge=judge,
        metric=metric.name,
        before=first.table.cell.dataset,
        level=level,
        before_problems=int((~np.isnan(before)).sum()),
        after_problems=int((~np.isnan(after)).sum()),
        change=unpaired_drop(Mean(before, first.table.sources), Mean(after, second.table.sources)),
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
    Column("drop (95 %)", lambda row: points_interval(row.change.estimate)),
    Column("paper's drop (95 %)", lambda row: points_interval(row.published)),
)
UNPAIRED_DROPS = Table(
    "unpaired_drops",
    "Drop between whole sets, as papers give it, in points",
    _unpaired_rows,
    _UNPAIRED_COLUMNS,
)


def _headline_drops(study: StudyTables) -> list[DropRow]:
    return [row for row in study.rows(DROPS) if study.is_headline(row.cell, row.judge)]


def _headline_differences(study: StudyTables) -> list[ChangeDifferenceRow]:
    rows = study.rows(DROP_DIFFERENCES)
    return [row for row in rows if study.is_headline(row.instruct, row.judge) and row.pairs]


def _headline_sets(study: StudyTables) -> list[UnpairedDropRow]:
    """The drops between whole sets."""
    return [
        row
        for row in study.rows(UNPAIRED_DROPS)
        if not row.level
        and study.is_headline(row.cell, row.judge)
        and not math.isnan(row.change.value)
    ]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That arms change, that one loses more, and that pairing matters."""
    margin = study.margins.equivalence
    for row in _headline_drops(study):
        where = f"{arm_name(row.cell)}, {sides_name(row.sides)}"
        yield differs(Kind.DROP, row.key, where, row.drop.change, margin)
        yield differs(Kind.PAIRING, row.key, where, row.pairing, margin)
    for gap in _headline_differences(study):
        where = f"{gap.base.family} ({gap.base.prompt}), {sides_name(gap.sides)}"
        yield differs(Kind.DROP_DIFFERENCE, gap.key, where, gap.difference, margin)
    for whole in _headline_sets(study):
        where = f"{arm_name(whole.cell)}, {_whole_sets(whole)}"
        yield differs(Kind.UNPAIRED_DROP, whole.key, where, whole.change, margin)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """Every drop, and how much more one arm loses."""
    rows = _headline_drops(study)
    if not rows:
        yield cannot_say("no two problems of this run are a pair of original and perturbation")
    yield from (_drop_statement(study, row) for row in rows)
    yield from (_difference_statement(study, gap) for gap in _headline_differences(study))
    yield from (_whole_statement(study, row) for row in _headline_sets(study))


def _drop_statement(study: StudyTables, row: DropRow) -> Statement:
    decision = study.decision(Kind.DROP, row.key)
    text = (
        f"{arm_name(row.cell)}, {sides_name(row.sides)}: "
        f"{_change_verdict(study, decision, 'on the perturbed side')}: {row.metric} "
        f"{points_range(row.drop.change.estimate)} points over {counted(row.drop.pairs, 'pair')} "
        f"({judge_name(row.judge)})."
    )
    pairing = study.decision(Kind.PAIRING, row.key)
    said = {
        Answer.YES: f"another figure than the paired one ({holm_note(pairing)})",
        Answer.NO: (f"the paired figure again, within {percent(study.margins.equivalence)} points"),
        Answer.CANNOT_TELL: "whether that is another figure than the paired one cannot be told",
    }[pairing.answer]
    differ = points_range(row.unpaired.estimate)
    beside = f"Unpaired, the two sets differ by {differ} points: {said}."
    if pairing.answer is Answer.YES:
        return Statement(text, warnings=(beside,))
    return Statement(text, controls=(beside,))


def _change_verdict(study: StudyTables, decision: Decision, where: str) -> str:
    """That an arm solves more or less somewhere, the same, or that it cannot be told."""
    more = "more" if decision.direction > 0 else "less"
    said = {
        Answer.YES: f"solves {more} {where} ({holm_note(decision)})",
        Answer.NO: (f"solves as much {where}, within {percent(study.margins.equivalence)} points"),
        Answer.CANNOT_TELL: f"whether it solves less {where} cannot be told here",
    }
    return said[decision.answer]


def _difference_statement(study: StudyTables, gap: ChangeDifferenceRow) -> Statement:
    decision = study.decision(Kind.DROP_DIFFERENCE, gap.key)
    loser = (gap.base if decision.direction > 0 else gap.instruct).variant
    said = {
        Answer.YES: f"the {loser} arm loses more ({holm_note(decision)})",
        Answer.NO: (f"both arms lose as much, within {percent(study.margins.equivalence)} points"),
        Answer.CANNOT_TELL: "which arm loses more cannot be told here",
    }
    return Statement(
        f"{gap.base.family} ({gap.base.prompt}), {sides_name(gap.sides)}: "
        f"{said[decision.answer]}; drop of {gap.instruct.arm} minus drop of {gap.base.arm} is "
        f"{points_range(gap.difference.estimate)} points over {counted(gap.pairs, 'pair')}."
    )


def _whole_statement(study: StudyTables, row: UnpairedDropRow) -> Statement:
    cut = [
        f"From level {r.level} alone, as all of {r.cell.dataset} is: "
        f"{points_range(r.change.estimate)} points."
        for r in study.rows(UNPAIRED_DROPS)
        if r.level and (r.cell, r.judge) == (row.cell, row.judge)
    ]
    if not math.isnan(row.published.value):
        cut.append(f"The paper's figure, unpaired too: {points_range(row.published)}.")
    decision = study.decision(Kind.UNPAIRED_DROP, row.key)
    return Statement(
        f"{arm_name(row.cell)}, as the paper compares, from all of {row.before} to all of "
        f"{row.cell.dataset}: {_change_verdict(study, decision, 'on the second set')}: "
        f"{points_range(row.change.estimate)} points.",
        tuple(cut),
    )


def arm_name(cell: Cell) -> str:
    """As in "qwen3-8b base/cot (zero-shot)"."""
    return f"{cell.family} {cell.arm} ({cell.prompt})"


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
        labels = [_drop_label(row.cell, sides_name(row.sides)) for row in mine]
        paired = [
            at_label(name, row.drop.change.estimate) for name, row in zip(labels, mine, strict=True)
        ]
        unpaired = [
            at_label(name, row.unpaired.estimate) for name, row in zip(labels, mine, strict=True)
        ]
        unpaired += [
            at_label(_drop_label(row.cell, _whole_sets(row)), row.change.estimate)
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
    claims=_claims,
    terms=_TERMS,
)
