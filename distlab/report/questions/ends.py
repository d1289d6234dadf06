"""Where do samples end?"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from distlab.analysis.arrays import BoolArray, FloatArray, IntArray
from distlab.analysis.claims import Answer, Claim, Kind, differs
from distlab.analysis.contrasts import Contrast, Mean, contrast
from distlab.analysis.estimate import Estimate
from distlab.analysis.shares import mean_score, share_interval
from distlab.report.charts.kinds import (
    MOST_ROWS,
    BarChart,
    Chart,
    Ending,
    Line,
    LineChart,
    Part,
    cut_rows,
    small_multiples,
)
from distlab.report.question import Question, Statement, cannot_say, samples_of
from distlab.report.table import ScoredStudy, StudyTables, Table
from distlab.report.wording import between, data_of, holm_note, judge_name, setting
from distlab.runs.scored import Judge
from distlab.runs.scores import ProblemScores
from distlab.scoring.types import CORRECT, ERROR, INCORRECT, NO_ANSWER, NO_VERDICT, TIMEOUT
from distlab.store.cell import Cell, CellVariant
from distlab.tables.column import Column, Columns, label
from distlab.tables.flat import Record, flat
from distlab.tables.numbers import (
    DASH,
    percent,
    percent_interval,
    percent_range,
    points_interval,
)

# Share of samples cut off or unanswered from which an arm is named (ours).
_MANY: Final = 0.10
# The k of the curve table (ours), beside the largest n.
_CURVE_KS = (1, 2, 5, 10, 20)


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
    correct: Estimate
    wrong: Estimate
    no_answer: Estimate
    truncated: Estimate
    unjudged: Estimate


def _outcome_rows(scored: ScoredStudy) -> Iterator[OutcomeRow]:
    yield from (_outcome_row(judge, row) for (_, judge), row in scored.whole.items())


def _outcome_row(judge: Judge, scores: ProblemScores) -> OutcomeRow:
    """Where the samples of a cell end; a sample that is cut off and correct is correct."""
    codes, truncated = scores.table.codes, scores.table.facts.truncated
    judged = codes != NO_VERDICT
    correct = codes == CORRECT
    whole = judged & ~correct & ~truncated
    among, sources = judged.sum(axis=1), scores.table.sources

    def share(ending: BoolArray) -> Estimate:
        return share_interval((ending & judged).sum(axis=1), among, sources)

    return OutcomeRow(
        cell=scores.table.cell,
        judge=judge,
        samples=int(judged.sum()),
        correct=share(correct),
        wrong=share(whole & (codes == INCORRECT)),
        no_answer=share(whole & (codes == NO_ANSWER)),
        truncated=share(truncated & ~correct),
        unjudged=share(whole & np.isin(codes, (TIMEOUT, ERROR))),
    )


_OUTCOME_COLUMNS: Columns[OutcomeRow] = (
    label("cell", lambda row: row.cell.key),
    label("judge", lambda row: judge_name(row.judge)),
    Column("samples", lambda row: str(row.samples)),
    Column("correct", lambda row: percent_interval(row.correct)),
    Column("wrong", lambda row: percent_interval(row.wrong)),
    Column("no answer", lambda row: percent_interval(row.no_answer)),
    Column("truncated", lambda row: percent_interval(row.truncated)),
    Column("unjudged", lambda row: percent_interval(row.unjudged)),
)
OUTCOMES = Table("outcomes", "Where samples end, per cent", _outcome_rows, _OUTCOME_COLUMNS)


@dataclass(frozen=True, slots=True)
class EndingRow:
    """How much more often samples of the study's instruct arm end in a way than its base arm's.

    Attributes:
        base: The study's base arm.
        instruct: The study's instruct arm.
        judge: Extractor and grader.
        ending: "cut off at max_tokens", "without an answer" or "not judged".
        first: Share of the base arm's samples that end so, mean over problems.
        second: The same of the instruct arm.
        difference: Instruct minus base, paired by problem.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    ending: str
    first: Estimate
    second: Estimate
    difference: Contrast

    @property
    def key(self) -> tuple[Cell, Cell, Judge, str]:
        """Under which it is claimed that the arms differ."""
        return self.base, self.instruct, self.judge, self.ending


def _ending_rows(scored: ScoredStudy) -> Iterator[EndingRow]:
    for pair, judge, base, instruct in scored.own_arms():
        if pair.base.stops_early or pair.instruct.stops_early:
            continue
        sources = base.table.sources
        for ending, of in _LOST.items():
            lost, lost_too = of(base), of(instruct)
            if of is _unjudged and not (lost.any() or lost_too.any()):
                continue  # Graders seldom fail; nothing to say of those that did not.
            first, second = _rates(base, lost), _rates(instruct, lost_too)
            yield EndingRow(
                base=pair.base,
                instruct=pair.instruct,
                judge=judge,
                ending=ending,
                first=mean_score(first, sources),
                second=mean_score(second, sources),
                difference=contrast(Mean(second - first, sources)),
            )


def _cut(scores: ProblemScores) -> BoolArray:
    wrong: BoolArray = scores.table.codes != CORRECT
    return scores.table.facts.truncated & wrong


def _unanswered(scores: ProblemScores) -> BoolArray:
    unanswered: BoolArray = scores.table.codes == NO_ANSWER
    return unanswered & ~scores.table.facts.truncated


def _unjudged(scores: ProblemScores) -> BoolArray:
    failed: BoolArray = np.isin(scores.table.codes, (TIMEOUT, ERROR))
    return failed & ~scores.table.facts.truncated


_LOST: Final[Mapping[str, Callable[[ProblemScores], BoolArray]]] = {
    "cut off at max_tokens": _cut,
    "without an answer": _unanswered,
    "not judged": _unjudged,
}


def _rates(scores: ProblemScores, ending: BoolArray) -> FloatArray:
    """[problems]: share of the judged samples; NaN where there are none."""
    judged = scores.table.codes != NO_VERDICT
    count = judged.sum(axis=1)
    shares = (ending & judged).sum(axis=1) / np.maximum(count, 1)
    return np.where(count > 0, shares, np.nan)


_ENDING_COLUMNS: Columns[EndingRow] = (
    label("family", lambda row: row.base.family),
    label("dataset", lambda row: row.base.dataset),
    label("prompt", lambda row: row.base.prompt),
    label("judge", lambda row: judge_name(row.judge)),
    label("samples that end", lambda row: row.ending),
    Column("base (95 %)", lambda row: percent_interval(row.first)),
    Column("instruct (95 %)", lambda row: percent_interval(row.second)),
    Column("instruct − base (95 %)", lambda row: points_interval(row.difference.estimate)),
)
ENDING_DIFFERENCES = Table(
    "ending_differences", "Samples lost by arm, per cent", _ending_rows, _ENDING_COLUMNS
)


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That samples of one arm are lost more often."""
    for row in _headline_differences(study):
        where = f"{between(row.base, row.instruct)}, samples {row.ending}"
        margin = study.margins.equivalence
        yield differs(Kind.ENDS, row.key, where, row.difference, margin)


def _headline_differences(study: StudyTables) -> list[EndingRow]:
    return [
        row
        for row in study.rows(ENDING_DIFFERENCES)
        if study.is_headline(row.instruct, row.judge) and not math.isnan(row.difference.value)
    ]


@dataclass(frozen=True, slots=True)
class ThinkingRow:
    """How much the samples of one cell reason before they answer.

    Attributes:
        cell: The cell; its prompts ask for reasoning.
        samples: Samples whose reasoning was counted.
        tokens: Tokens of reasoning per sample, mean over problems.
        none: Share of these samples without any.
    """

    cell: Cell
    samples: int
    tokens: Estimate
    none: Estimate


def _thinking_rows(scored: ScoredStudy) -> Iterator[ThinkingRow]:
    seen: set[Cell] = set()
    for row in scored.whole.values():
        thinking, sources = row.table.facts.thinking, row.table.sources
        counted = ~np.isnan(thinking)
        if row.table.cell in seen or not counted.any():
            continue
        seen.add(row.table.cell)
        among = counted.sum(axis=1)
        sums = np.where(counted, thinking, 0).sum(axis=1, dtype=np.float64)
        means = np.where(among > 0, sums / np.maximum(among, 1), np.nan)
        yield ThinkingRow(
            cell=row.table.cell,
            samples=int(among.sum()),
            tokens=mean_score(means, sources),
            none=share_interval((thinking == 0).sum(axis=1), among, sources),
        )


_THINKING_COLUMNS: Columns[ThinkingRow] = (
    label("cell", lambda row: row.cell.key),
    Column("samples", lambda row: str(row.samples)),
    Column("thinking tokens per sample", lambda row: f"{row.tokens.value:.0f}"),
    Column("without thinking, per cent", lambda row: percent_interval(row.none)),
)
THINKING = Table("thinking", "Reasoning before the answer", _thinking_rows, _THINKING_COLUMNS)


@dataclass(frozen=True, slots=True, eq=False)
class CurveRow:
    """pass@1 to pass@n of one cell under one judge; ``values[k - 1]`` is pass@k."""

    cell: Cell
    judge: Judge
    values: tuple[Estimate, ...]


def _curve_rows(scored: ScoredStudy) -> Iterator[CurveRow]:
    for (_, judge), row in scored.scores.items():
        yield CurveRow(row.table.cell, judge, _column_means(row.curve, row.table.sources))


def _column_means(curve: FloatArray, sources: IntArray) -> tuple[Estimate, ...]:
    """Mean of every column over the problems without a NaN."""
    scored = ~np.isnan(curve).any(axis=1)
    kept, among = curve[scored], np.ones(int(scored.sum()))
    return tuple(share_interval(column, among, sources[scored]) for column in kept.T)


def _curve_columns(study: StudyTables) -> Columns[CurveRow]:
    """A column for some k, and for the largest n."""
    longest = max((row.cell.n for row in study.rows(CURVES)), default=0)

    def at(k: int) -> Column[CurveRow]:
        return Column(
            f"k = {k}", lambda row: percent_interval(row.values[k - 1]) if k <= row.cell.n else DASH
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
        {**labels, "k": k, **dict(flat("pass_at_k", value))}
        for k, value in enumerate(row.values, start=1)
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
        early = any(cell.stops_early for cell in study.manifest.cells)
        yield cannot_say("the study stopped early" if early else "no sample has a verdict")
        return
    for row in rows:
        if max(_losses(row)) >= _MANY:
            yield Statement(
                f"{row.cell.arm}, {setting(row.cell)}: {percent_range(row.correct)} per cent of "
                f"{row.samples} samples are correct, {percent_range(row.wrong)} wrong, "
                f"{percent_range(row.no_answer)} without an answer, "
                f"{percent_range(row.truncated)} cut off, "
                f"{percent_range(row.unjudged)} not judged.",
                samples=samples_of(row.cell, truncated="yes"),
            )
    for thinking in study.rows(THINKING):
        yield Statement(
            f"{thinking.cell.arm}, {setting(thinking.cell)}: {thinking.tokens.value:.0f} thinking "
            "tokens per sample."
        )
    calm = [row for row in rows if max(_losses(row)) < _MANY]
    if calm:
        lost = max(sum(_losses(row)) for row in calm)
        others = "the other arm" if len(calm) == 1 else f"the other {len(calm)} arms"
        which = "every arm" if len(calm) == len(rows) else others
        yield Statement(
            f"In {which}, at most {percent(lost)} per cent of the samples are cut off, without an "
            "answer or not judged."
        )
    yield from (_difference_statement(study, row) for row in _headline_differences(study))


def _difference_statement(study: StudyTables, row: EndingRow) -> Statement:
    """Of which arm more samples are lost in one way, as far as it can be told."""
    decision = study.decision(Kind.ENDS, row.key)
    arm = (row.instruct if decision.direction > 0 else row.base).variant
    said = {
        Answer.YES: f"more samples of the {arm} arm are {row.ending} ({holm_note(decision)})",
        Answer.NO: (
            f"as many samples of either arm are {row.ending}, within "
            f"{percent(study.margins.equivalence)} points"
        ),
        Answer.CANNOT_TELL: f"of which arm more samples are {row.ending} cannot be told here",
    }[decision.answer]
    return Statement(
        f"{between(row.base, row.instruct)}: {said}: {percent_range(row.first)} per cent of "
        f"{row.base.arm} and {percent_range(row.second)} of {row.instruct.arm}."
    )


def _losses(row: OutcomeRow) -> tuple[float, float, float]:
    return row.truncated.value, row.no_answer.value, row.unjudged.value


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
            Part(name, role, tuple(100 * getattr(row, role).value for row in rows))
            for role, name in _ENDINGS.items()
        ),
    )


def _curve_charts(study: StudyTables) -> Iterator[Chart]:
    """pass@k of the arms of one family, dataset and prompt."""
    for place, (where, panels) in enumerate(small_multiples(_curves(study))):
        yield LineChart(
            name=f"curves-{place}",
            title=f"pass@k: {where}",
            x_axis="k samples",
            y_axis="per cent of problems solved",
            panels=panels,
        )


def _curves(study: StudyTables) -> Iterator[tuple[str, str, Line]]:
    drawn: Counter[tuple[str, CellVariant]] = Counter()
    for row in study.rows(CURVES):
        cell = row.cell
        values = [value.value for value in row.values]
        if not study.is_headline(cell, row.judge) or np.isnan(values).all() or cell.n < 2:
            continue
        ks = tuple(map(float, range(1, cell.n + 1)))
        ys = tuple(100 * value for value in values)
        style = drawn[setting(cell), cell.variant]
        yield cell.family, data_of(cell), Line(cell.arm, cell.variant, style, ks, ys)
        drawn[setting(cell), cell.variant] += 1


QUESTION = Question(
    name="ends",
    samples="samples?truncated=yes",
    text="Where do samples end?",
    tables=(OUTCOMES, ENDING_DIFFERENCES, THINKING, CURVES),
    statements=_statements,
    charts=_charts,
    claims=_claims,
)
