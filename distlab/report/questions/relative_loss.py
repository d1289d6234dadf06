"""Which share of what an arm solves is lost on perturbed problems?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from distlab.analysis.claims import Answer, Claim, Kind, differs
from distlab.analysis.contrasts import Contrast, Mean
from distlab.analysis.drops import Scores, paired_arms, paired_changes
from distlab.analysis.estimate import NOTHING, Estimate
from distlab.analysis.relative import (
    FEWEST_SOLVED,
    loss_difference,
    published_loss,
    relative_loss,
    unpaired_loss,
)
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.questions.drops import (
    Sides,
    arm_name,
    side_scores,
    sides_name,
    transitions,
    whole_sets,
)
from distlab.report.questions.paper import published_drop_figures
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import holm_note, judge_name
from distlab.runs.pairing import Metric, metrics
from distlab.runs.scored import Judge
from distlab.runs.scores import ProblemScores
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import (
    percent,
    percent_interval,
    percent_range,
    points_interval,
    points_range,
)

# The two cells of an arm that a loss is between.
Change = tuple[ProblemScores, ProblemScores]


@dataclass(frozen=True, slots=True)
class LossRow:
    """Relative loss of one arm.

    Attributes:
        cell: The arm's cell on the perturbed side.
        judge: Extractor and grader.
        metric: Name of the score, as in "Pass@20".
        sides: What the loss is between, as people read it.
        loss: 1 - perturbed / original, as a share.
        published: The paper's; NaN where it has none.
    """

    cell: Cell
    judge: Judge
    metric: str
    sides: str
    loss: Contrast
    published: Estimate


def _loss_rows(scored: ScoredStudy) -> Iterator[LossRow]:
    """Over pairs, and between whole sets as papers compare them."""
    for judge in scored.judges:
        for sides, first, second in transitions(judge, scored.scores):
            metric = _metric(first, second)
            pairs = paired_changes(*_scores(sides, metric, (first, second)))
            name = f"{sides_name(sides)}, paired"
            yield LossRow(
                second.table.cell, judge, metric.name, name, relative_loss(pairs), NOTHING
            )
        for first, second in whole_sets(judge, scored.scores):
            yield _whole_row(judge, first, second)


def _whole_row(judge: Judge, first: ProblemScores, second: ProblemScores) -> LossRow:
    cell, metric = second.table.cell, _metric(first, second)
    parts = (Mean(metric.of(row), row.table.sources) for row in (first, second))
    figures, published = published_drop_figures(cell, judge), NOTHING
    if figures is not None:
        before, after = figures
        assert before.instruct is not None
        assert after.instruct is not None
        published = published_loss(before.instruct, before.problems, after.instruct, after.problems)
    name = f"{first.table.cell.dataset} → {cell.dataset}, whole sets"
    return LossRow(cell, judge, metric.name, name, unpaired_loss(*parts), published)


def _metric(*rows: ProblemScores) -> Metric:
    cells = [row.table.cell for row in rows]
    return metrics(min(cell.n for cell in cells), any(cell.until_solved for cell in cells))[0]


def _scores(sides: Sides, metric: Metric, arm: Change) -> tuple[Scores, Scores]:
    first, second = arm
    return (
        side_scores(first, sides.before_side, metric.of(first)),
        side_scores(second, sides.after_side, metric.of(second)),
    )


_LOSS_COLUMNS: Columns[LossRow] = (
    label("family", lambda row: row.cell.family),
    label("arm", lambda row: row.cell.arm),
    label("prompt", lambda row: row.cell.prompt),
    label("between", lambda row: row.sides),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    Column("lost (95 %)", lambda row: percent_interval(row.loss.estimate)),
    Column("the paper (95 %)", lambda row: percent_interval(row.published)),
)
RELATIVE_LOSSES = Table(
    "relative_losses", "Share of what is solved that is lost, per cent", _loss_rows, _LOSS_COLUMNS
)


@dataclass(frozen=True, slots=True)
class LossDifferenceRow:
    """Relative loss of the instruct arm minus that of the base arm.

    Attributes:
        base: The base arm's cell on the perturbed side.
        instruct: The instruct arm's.
        judge: Extractor and grader.
        metric: Name of the score, as in "Pass@20".
        sides: The two problem sets.
        pairs: Pairs that both arms have.
        difference: Positive where instruct loses the larger share.
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
        """Under which it is claimed that one arm loses a larger share."""
        return self.base, self.instruct, self.judge, self.sides


def _difference_rows(scored: ScoredStudy) -> Iterator[LossDifferenceRow]:
    for judge in scored.judges:
        found = {
            (second.table.cell.key, sides): (first, second)
            for sides, first, second in transitions(judge, scored.scores)
        }
        for pair in scored.pairs:
            for (key, sides), base in found.items():
                instruct = found.get((pair.instruct.key, sides))
                if pair.primary and key == pair.base.key and instruct is not None:
                    yield _difference_row(judge, sides, base, instruct)


def _difference_row(
    judge: Judge, sides: Sides, base: Change, instruct: Change
) -> LossDifferenceRow:
    metric = _metric(*base, *instruct)
    one, two = paired_arms(_scores(sides, metric, base), _scores(sides, metric, instruct))
    return LossDifferenceRow(
        base=base[1].table.cell,
        instruct=instruct[1].table.cell,
        judge=judge,
        metric=metric.name,
        sides=sides,
        pairs=one.before.size,
        difference=loss_difference(one, two),
    )


_DIFFERENCE_COLUMNS: Columns[LossDifferenceRow] = (
    label("family", lambda row: row.base.family),
    label("prompt", lambda row: row.base.prompt),
    label("sides", lambda row: sides_name(row.sides)),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    label("base arm", lambda row: row.base.arm),
    label("instruct arm", lambda row: row.instruct.arm),
    Column("pairs", lambda row: str(row.pairs)),
    Column("instruct − base (95 %)", lambda row: points_interval(row.difference.estimate)),
)
RELATIVE_LOSS_DIFFERENCES = Table(
    "relative_loss_differences",
    "Relative loss of instruct − relative loss of base, in points",
    _difference_rows,
    _DIFFERENCE_COLUMNS,
)


def _headline_losses(study: StudyTables) -> list[LossRow]:
    rows = study.rows(RELATIVE_LOSSES)
    return [row for row in rows if study.is_headline(row.cell, row.judge)]


def _headline_differences(study: StudyTables) -> list[LossDifferenceRow]:
    rows = study.rows(RELATIVE_LOSS_DIFFERENCES)
    return [row for row in rows if study.is_headline(row.instruct, row.judge)]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That one arm loses a larger share."""
    for row in _headline_differences(study):
        if not math.isnan(row.difference.p):
            margin = study.margins.equivalence
            yield differs(Kind.RELATIVE_LOSS, row.key, _where(row), row.difference, margin)


def _where(row: LossDifferenceRow) -> str:
    return f"{row.base.family} ({row.base.prompt}), {sides_name(row.sides)}"


def _statements(study: StudyTables) -> Iterator[Statement]:
    """Who loses the larger share, then every arm's own."""
    losses = _headline_losses(study)
    if not losses:
        yield cannot_say("no two problems of this run are a pair of original and perturbation")
    for row in _headline_differences(study):
        yield _difference_statement(study, row)
    for loss in losses:
        theirs = (
            "not published" if math.isnan(loss.published.value) else percent_range(loss.published)
        )
        if math.isnan(loss.loss.value):
            few = f"the originals that it solves are fewer than {FEWEST_SOLVED}"
            yield cannot_say(f"which share {arm_name(loss.cell)} loses ({loss.sides}), since {few}")
            continue
        yield Statement(
            f"{arm_name(loss.cell)}, {loss.sides}: of what it solves it loses "
            f"{percent_range(loss.loss.estimate)} per cent in {loss.metric} "
            f"({judge_name(loss.judge)}); the paper's figure: {theirs}."
        )


def _difference_statement(study: StudyTables, row: LossDifferenceRow) -> Statement:
    decision = study.family.find(Kind.RELATIVE_LOSS, row.key)
    if decision is None:
        few = f"an arm solves fewer than {FEWEST_SOLVED} originals"
        return cannot_say(f"which arm loses the larger share of {_where(row)}, since {few}")
    loser = (row.instruct if decision.direction > 0 else row.base).variant
    said = {
        Answer.YES: f"the {loser} arm loses the larger share ({holm_note(decision)})",
        Answer.NO: (
            f"both arms lose the same share, within {percent(study.margins.equivalence)} points"
        ),
        Answer.CANNOT_TELL: "which arm loses the larger share cannot be told here",
    }
    return Statement(
        f"{_where(row)}: {said[decision.answer]}; the share that {row.instruct.arm} loses minus "
        f"that of {row.base.arm} is {points_range(row.difference.estimate)} points over "
        f"{row.pairs} pairs.",
        ("The paper's figure of this difference: not published.",),
    )


_TERMS: Final[tuple[Term, ...]] = (
    (
        "lost",
        "1 − perturbed / original: the share of what an arm solves that it loses, negative where "
        "it gains. The interval is the delta method's for a ratio.",
    ),
)
QUESTION = Question(
    name="relative-loss",
    text="Which share of what an arm solves is lost on perturbed problems?",
    tables=(RELATIVE_LOSSES, RELATIVE_LOSS_DIFFERENCES),
    statements=_statements,
    claims=_claims,
    terms=_TERMS,
)
