"""Where do samples end?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from distlab.analysis.answers import share
from distlab.analysis.arrays import FloatArray
from distlab.report.charts.kinds import (
    MOST_ROWS,
    BarChart,
    Chart,
    Ending,
    Line,
    LineChart,
    Part,
    cut_rows,
)
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import ScoredStudy, StudyTables, Table
from distlab.report.wording import judge_name, setting
from distlab.runs.scored import Judge
from distlab.runs.scores import ProblemScores
from distlab.scoring.types import CORRECT, ERROR, INCORRECT, NO_ANSWER, NO_VERDICT, TIMEOUT
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.flat import Record, flat
from distlab.tables.numbers import DASH, percent

# Share of samples cut off or unanswered from which an arm is named (ours).
_MANY: Final = 0.10
# The k of the curve table (ours), beside the largest n.
_CURVE_KS = (1, 2, 5, 10, 20)
# Panels of curves that are drawn (ours); the table has them all.
_MOST_CURVES: Final = 6


_ENDINGS: Final[Mapping[Ending, str]] = {
    "correct": "correct",
    "wrong": "wrong",
    "no_answer": "no answer",
    "truncated": "truncated",
    "unjudged": "not judged",
}


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """Where the samples of one cell end under one judge; shares that add up to 1.

    Attributes:
        cell: The cell whose samples they are.
        judge: Extractor and grader.
        samples: Samples with a verdict; the shares are NaN without any.
        correct: Share judged correct.
        wrong: Share with a whole text and a wrong answer.
        no_answer: Share with a whole text and no answer.
        truncated: Share cut off at max_tokens and not correct.
        unjudged: Share with a whole text on which the grader timed out or tripped.
    """

    cell: Cell
    judge: Judge
    samples: int
    correct: float
    wrong: float
    no_answer: float
    truncated: float
    unjudged: float


def _outcome_rows(scored: ScoredStudy) -> Iterator[OutcomeRow]:
    yield from (_outcome_row(judge, row) for (_, judge), row in scored.whole.items())


def _outcome_row(judge: Judge, scores: ProblemScores) -> OutcomeRow:
    """Where the samples of a cell end; a sample that is cut off and correct is correct."""
    codes, truncated = scores.table.codes, scores.table.facts.truncated
    judged = codes != NO_VERDICT
    correct = codes == CORRECT
    whole = judged & ~correct & ~truncated
    return OutcomeRow(
        cell=scores.table.cell,
        judge=judge,
        samples=int(judged.sum()),
        correct=share(correct, judged),
        wrong=share(whole & (codes == INCORRECT), judged),
        no_answer=share(whole & (codes == NO_ANSWER), judged),
        truncated=share(truncated & ~correct, judged),
        unjudged=share(whole & np.isin(codes, (TIMEOUT, ERROR)), judged),
    )


_OUTCOME_COLUMNS: Columns[OutcomeRow] = (
    label("cell", lambda row: row.cell.key),
    label("judge", lambda row: judge_name(row.judge)),
    Column("samples", lambda row: str(row.samples)),
    Column("correct", lambda row: percent(row.correct)),
    Column("wrong", lambda row: percent(row.wrong)),
    Column("no answer", lambda row: percent(row.no_answer)),
    Column("truncated", lambda row: percent(row.truncated)),
    Column("unjudged", lambda row: percent(row.unjudged)),
)
OUTCOMES = Table("outcomes", "Where samples end, per cent", _outcome_rows, _OUTCOME_COLUMNS)


@dataclass(frozen=True, slots=True, eq=False)
class CurveRow:
    """pass@1 to pass@n of one cell under one judge; ``values[k - 1]`` is pass@k."""

    cell: Cell
    judge: Judge
    values: FloatArray


def _curve_rows(scored: ScoredStudy) -> Iterator[CurveRow]:
    for (_, judge), row in scored.scores.items():
        yield CurveRow(row.table.cell, judge, _column_means(row.curve))


def _column_means(curve: FloatArray) -> FloatArray:
    """Mean of every column, NaN left out."""
    scored = ~np.isnan(curve).any(axis=1)
    if not scored.any():
        return np.full(curve.shape[1], np.nan)
    return np.asarray(curve[scored].mean(axis=0), dtype=np.float64)


def _curve_columns(study: StudyTables) -> Columns[CurveRow]:
    """A column for some k, and for the largest n."""
    longest = max((row.cell.n for row in study.rows(CURVES)), default=0)

    def at(k: int) -> Column[CurveRow]:
        return Column(
            f"k = {k}", lambda row: percent(row.values[k - 1]) if k <= row.cell.n else DASH
        )

    return (
        label("cell", lambda row: row.cell.key),
        label("judge", lambda row: judge_name(row.judge)),
        *(at(k) for k in (*(k for k in _CURVE_KS if k < longest), longest)),
    )


def _curve_records(row: CurveRow) -> Iterator[Record]:
    """One record per k."""
    labels = dict(flat("cell", row.cell)) | dict(flat("judge", row.judge))
    yield from (
        {**labels, "k": k, "pass_at_k": float(value)} for k, value in enumerate(row.values, start=1)
    )


CURVES = Table("curves", "pass@k, per cent", _curve_rows, _curve_columns, _curve_records)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """Arms with many samples cut off or unanswered."""
    rows = [
        row
        for row in study.rows(OUTCOMES)
        if study.is_headline(row.cell, row.judge) and row.samples
    ]
    if not rows:
        drawn = any(cell.until_solved for cell in study.manifest.cells)
        yield cannot_say("samples were drawn until solved" if drawn else "no sample has a verdict")
        return
    for row in rows:
        if max(row.truncated, row.no_answer, row.unjudged) >= _MANY:
            yield Statement(
                f"{row.cell.arm}, {setting(row.cell)}: {percent(row.correct)} per cent of "
                f"{row.samples} samples are correct, {percent(row.wrong)} wrong, "
                f"{percent(row.no_answer)} without an answer, {percent(row.truncated)} cut off, "
                f"{percent(row.unjudged)} not judged."
            )
    calm = [r for r in rows if max(r.truncated, r.no_answer, r.unjudged) < _MANY]
    if calm:
        lost = max(row.truncated + row.no_answer + row.unjudged for row in calm)
        which = "every arm" if len(calm) == len(rows) else f"the other {len(calm)} arms"
        yield Statement(
            f"In {which}, at most {percent(lost)} per cent of the samples are cut off, without an "
            "answer or not judged."
        )


def _charts(study: StudyTables) -> Iterator[Chart]:
    yield from _end_charts(study)
    yield from _curve_charts(study)


def _end_charts(study: StudyTables) -> Iterator[Chart]:
    """Shares of samples by how they end."""
    found = [
        row
        for row in study.rows(OUTCOMES)
        if study.is_headline(row.cell, row.judge) and row.samples
    ]
    if not found:
        return
    rows = found[:MOST_ROWS]
    yield BarChart(
        name="ends",
        title=cut_rows("Where samples end", len(found)),
        axis="per cent of samples",
        bars=tuple(f"{row.cell.arm}: {setting(row.cell)}" for row in rows),
        parts=tuple(
            Part(name, role, tuple(100 * getattr(row, role) for row in rows))
            for role, name in _ENDINGS.items()
        ),
    )


def _curve_charts(study: StudyTables) -> Iterator[Chart]:
    """pass@k of the arms of one family, dataset and prompt."""
    groups: dict[str, list[Line]] = {}
    for row in study.rows(CURVES):
        cell = row.cell
        if not study.is_headline(cell, row.judge) or np.isnan(row.values).all() or cell.n < 2:
            continue
        lines = groups.setdefault(setting(cell), [])
        style = sum(line.role == cell.variant for line in lines)
        ks = tuple(map(float, range(1, cell.n + 1)))
        ys = tuple((100 * row.values).tolist())
        lines.append(Line(cell.arm, cell.variant, style, ks, ys))
    for place, (where, lines) in enumerate(list(groups.items())[:_MOST_CURVES]):
        yield LineChart(
            name=f"curves-{place}",
            title=f"pass@k: {where}",
            x_axis="k samples",
            y_axis="per cent of problems solved",
            lines=tuple(lines),
        )


QUESTION = Question(
    name="ends",
    text="Where do samples end?",
    tables=(OUTCOMES, CURVES),
    statements=_statements,
    charts=_charts,
)
