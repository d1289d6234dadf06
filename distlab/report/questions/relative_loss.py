"""Which share of what an arm solves is lost on perturbed problems?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from distlab.analysis.claims import Answer, Claim, Kind, differs
from distlab.analysis.contrasts import Contrast, Mean
from distlab.analysis.drops import paired_arms, paired_changes
from distlab.analysis.estimate import NOTHING, Estimate
from distlab.analysis.relative import (
    FEWEST_SOLVED,
    loss_difference,
    published_loss,
    relative_loss,
    unpaired_loss,
)
from distlab.errors import counted
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.questions.drops import (
    ChangeDifferenceRow,
    arm_name,
    change_scores,
    difference_columns,
    pair_changes,
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
    points_range,
)


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
            pairs = paired_changes(*change_scores(sides, metric, (first, second)))
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


def _difference_rows(scored: ScoredStudy) -> Iterator[ChangeDifferenceRow]:
    """How much larger a share the instruct arm loses than the base arm."""
    for pair, judge, sides, base, instruct in pair_changes(scored):
        if not pair.primary:
            continue
        metric = _metric(*base, *instruct)
        arms = (change_scores(sides, metric, arm) for arm in (base, instruct))
        one, two = paired_arms(*arms)
        yield ChangeDifferenceRow(
            base=pair.base,
            instruct=pair.instruct,
            judge=judge,
            metric=metric.name,
            sides=sides,
            pairs=one.before.size,
            difference=loss_difference(one, two),
        )


RELATIVE_LOSS_DIFFERENCES = Table(
    "relative_loss_differences",
    "Relative loss of instruct − relative loss of base, in points",
    _difference_rows,
    difference_columns("instruct − base (95 %)"),
)


def _headline_losses(study: StudyTables) -> list[LossRow]:
    rows = study.rows(RELATIVE_LOSSES)
    return [row for row in rows if study.is_headline(row.cell, row.judge)]


def _headline_differences(study: StudyTables) -> list[ChangeDifferenceRow]:
    rows = study.rows(RELATIVE_LOSS_DIFFERENCES)
    return [row for row in rows if study.is_headline(row.instruct, row.judge)]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That one arm loses a larger share."""
    for row in _headline_differences(study):
        if not math.isnan(row.difference.p):
            margin = study.margins.equivalence
            yield differs(Kind.RELATIVE_LOSS, row.key, _where(row), row.difference, margin)


def _where(row: ChangeDifferenceRow) -> str:
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


def _difference_statement(study: StudyTables, row: ChangeDifferenceRow) -> Statement:
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
        f"{counted(row.pairs, 'pair')}.",
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
