"""Would answers without reasoning solve as much?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from distlab.analysis.arrays import BoolArray, FloatArray
from distlab.analysis.claims import Claim, Explanation, Kind, exceeds, explains
from distlab.analysis.contrasts import Contrast, Mean, contrast
from distlab.analysis.estimate import Estimate
from distlab.analysis.gaps import Gap, paired_gap
from distlab.analysis.nulls import REASONING_CHARACTERS, any_correct, reasons
from distlab.analysis.shares import share_interval, solved_interval
from distlab.report.charts.kinds import Chart, Series, at_label, interval_chart
from distlab.report.gap_table import PAIRED_COLUMNS, headline_gaps
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.score_table import SCORES
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import between, judge_name, setting
from distlab.runs.pairing import ArmPair, metrics
from distlab.runs.scored import Judge, NullTable
from distlab.runs.scores import ProblemScores
from distlab.scoring.types import CORRECT, NO_VERDICT
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import percent, percent_interval, percent_range, points_interval

# Answers that are shown: the digits, and as many as the study draws samples.
_COUNTS: Final = (10, 20)


@dataclass(frozen=True, slots=True)
class NullRow:
    """What answering 0, 1, 2, ... to every problem of a dataset solves.

    Attributes:
        dataset: Name of the dataset.
        grader: Name of the grader.
        answers: Answers given: 10 are 0 to 9.
        problems: Problems whose gold the grader judges.
        solved: Share of them with the gold among the answers.
    """

    dataset: str
    grader: str
    answers: int
    problems: int
    solved: Estimate


def _null_rows(scored: ScoredStudy) -> Iterator[NullRow]:
    """What the null model solves of each dataset."""
    sources = {scores.table.cell.dataset: scores.table.sources for scores in scored.scores.values()}
    for table in scored.study.nulls:
        for count in _COUNTS:
            solved = _solved(table, count)
            judged = int((~np.isnan(solved)).sum())
            if judged:
                estimate = solved_interval(solved, sources.get(table.dataset))
                yield NullRow(table.dataset, table.grader, count, judged, estimate)


def _solved(table: NullTable, count: int) -> FloatArray:
    """[problems] of 0 or 1; NaN where the grader does not judge the gold."""
    codes = table.codes[:, :count]
    judged = (codes != NO_VERDICT).any(axis=1)
    return np.where(judged, any_correct(codes == CORRECT), np.nan)


_NULL_COLUMNS: Columns[NullRow] = (
    label("dataset", lambda row: row.dataset),
    label("grader", lambda row: row.grader),
    label("answers", lambda row: f"0 to {row.answers - 1}"),
    Column("problems", lambda row: str(row.problems)),
    Column("solved (95 %)", lambda row: percent_interval(row.solved)),
)
NULLS = Table("nulls", "Solved without reading, per cent", _null_rows, _NULL_COLUMNS)


@dataclass(frozen=True, slots=True)
class BeyondNullRow:
    """What an arm solves beyond the null model with as many answers, paired by problem.

    Attributes:
        cell: The arm's cell.
        judge: Extractor and grader.
        answers: Samples per problem, and as many answers of the null model.
        problems: Problems with a score.
        pass_n: Mean Pass@n of the arm.
        null: Mean of the null model on the same problems.
        excess: ``pass_n`` minus ``null``.
    """

    cell: Cell
    judge: Judge
    answers: int
    problems: int
    pass_n: float
    null: float
    excess: Contrast


def _beyond_null_rows(scored: ScoredStudy) -> Iterator[BeyondNullRow]:
    """Each cell's Pass@n beside the null model with n answers, problem by problem."""
    tables = {(table.dataset, table.grader): table for table in scored.study.nulls}
    for (_, judge), row in scored.scores.items():
        table = tables.get((row.table.cell.dataset, judge.grader))
        if table is None:
            continue
        answers = min(row.table.cell.n, table.codes.shape[1])
        gap = paired_gap(_solved(table, answers), row.pass_at(answers), row.table.sources)
        yield BeyondNullRow(
            cell=row.table.cell,
            judge=judge,
            answers=answers,
            problems=gap.problems,
            pass_n=gap.instruct,
            null=gap.base,
            excess=gap.difference,
        )


_BEYOND_NULL_COLUMNS: Columns[BeyondNullRow] = (
    label("cell", lambda row: row.cell.key),
    label("judge", lambda row: judge_name(row.judge)),
    Column("n", lambda row: str(row.answers)),
    Column("problems", lambda row: str(row.problems)),
    Column("Pass@n", lambda row: percent(row.pass_n)),
    Column("null, n answers", lambda row: percent(row.null)),
    Column("beyond the null (95 %)", lambda row: points_interval(row.excess.estimate)),
)
BEYOND_NULL = Table(
    "beyond_null", "Arms beyond the null model", _beyond_null_rows, _BEYOND_NULL_COLUMNS
)


@dataclass(frozen=True, slots=True)
class ReasoningRow:
    """Pass@n of one cell over all samples, and over those that reason before they answer.

    Attributes:
        cell: The cell whose samples they are.
        judge: Extractor and grader.
        share: Share of samples that reason.
        pass_n: Pass@n over all samples.
        reasoned: Share of problems with a correct sample that reasons.
    """

    cell: Cell
    judge: Judge
    share: Estimate
    pass_n: Estimate
    reasoned: Estimate


def _reasoning_rows(scored: ScoredStudy) -> Iterator[ReasoningRow]:
    yield from (_reasoning_row(judge, row) for (_, judge), row in scored.whole.items())


def _reasoning_row(judge: Judge, scores: ProblemScores) -> ReasoningRow:
    """Pass@n of a cell without the samples that give an answer and no reasoning."""
    table, sources = scores.table, scores.table.sources
    present, reasoned = table.facts.present, _reasoning(scores)
    return ReasoningRow(
        cell=table.cell,
        judge=judge,
        share=share_interval(reasoned.sum(axis=1), present.sum(axis=1), sources),
        pass_n=solved_interval(scores.pass_at(table.cell.n), sources),
        reasoned=solved_interval(_reasoned(scores, table.cell.n), sources),
    )


def _reasoning(scores: ProblemScores) -> BoolArray:
    """[problems, n]: samples that reason before they answer."""
    facts = scores.table.facts
    return reasons(facts.answers, facts.starts) & facts.present


def _reasoned(scores: ProblemScores, k: int) -> FloatArray:
    """[problems]: a correct sample that reasons among the first k; NaN where there is no score."""
    table = scores.table
    solved = (table.codes == CORRECT) & reasons(table.facts.answers, table.facts.starts)
    return np.where(scores.scored, any_correct(solved[:, :k]), np.nan)


_REASONING_COLUMNS: Columns[ReasoningRow] = (
    label("cell", lambda row: row.cell.key),
    label("judge", lambda row: judge_name(row.judge)),
    Column("n", lambda row: str(row.cell.n)),
    Column("samples that reason (95 %)", lambda row: percent_interval(row.share)),
    Column("Pass@n (95 %)", lambda row: percent_interval(row.pass_n)),
    Column("Pass@n, those alone (95 %)", lambda row: percent_interval(row.reasoned)),
)
REASONING = Table("reasoning", "Pass@n of samples that reason", _reasoning_rows, _REASONING_COLUMNS)


@dataclass(frozen=True, slots=True)
class ReasonedGapRow:
    """The study's gap over samples that reason: answers given at once count for nobody.

    Attributes:
        base: The study's base arm.
        instruct: The study's instruct arm.
        judge: Extractor and grader.
        metric: Name of the score, as in "Pass@20".
        gap: Over all problems scored in both arms.
        all_samples: The same gap over all samples.
        change: ``all_samples`` minus ``gap``: what answers without reasoning make of it.
        base_reasoned: Samples of the base arm that reason.
        instruct_reasoned: Samples of the instruct arm that reason.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    metric: str
    gap: Gap
    all_samples: Contrast
    change: Contrast
    base_reasoned: int
    instruct_reasoned: int

    @property
    def silent(self) -> tuple[Cell, ...]:
        """Arms of which no sample reasons: over what reasons there is nothing to compare."""
        arms = (self.base, self.base_reasoned), (self.instruct, self.instruct_reasoned)
        return tuple(cell for cell, reasoned in arms if not reasoned)


def _reasoned_gap_rows(scored: ScoredStudy) -> Iterator[ReasonedGapRow]:
    """The study's gaps, counting only samples that reason before they answer."""
    for pair, judge, base, instruct in scored.own_arms():
        if not (pair.base.stops_early or pair.instruct.stops_early):
            yield _reasoned_gap(pair, judge, base, instruct)


def _reasoned_gap(
    pair: ArmPair, judge: Judge, base: ProblemScores, instruct: ProblemScores
) -> ReasonedGapRow:
    k, sources = min(pair.base.n, pair.instruct.n), base.table.sources
    one, two = _reasoned(base, k), _reasoned(instruct, k)
    everything = instruct.pass_at(k) - base.pass_at(k)
    return ReasonedGapRow(
        base=pair.base,
        instruct=pair.instruct,
        judge=judge,
        metric=metrics(k)[0].name,
        gap=paired_gap(one, two, sources),
        all_samples=contrast(Mean(everything, sources)),
        change=contrast(Mean(everything - (two - one), sources, bound=2.0)),
        base_reasoned=int(_reasoning(base).sum()),
        instruct_reasoned=int(_reasoning(instruct).sum()),
    )


_REASONED_GAP_COLUMNS: Columns[ReasonedGapRow] = (
    *PAIRED_COLUMNS,
    Column("gap (95 %)", lambda row: points_interval(row.gap.difference.estimate)),
)
REASONED_GAPS = Table(
    "reasoned_gaps",
    "Gap over samples that reason, in points",
    _reasoned_gap_rows,
    _REASONED_GAP_COLUMNS,
)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """What answers without reading solve, and what each arm solves beyond them."""
    if not study.rows(NULLS):
        yield cannot_say("the null model was not graded; run python -m distlab.score on this run")
    for dataset, grader in dict.fromkeys((row.dataset, row.grader) for row in study.rows(NULLS)):
        rows = [r for r in study.rows(NULLS) if (r.dataset, r.grader) == (dataset, grader)]
        listed = ", ".join(
            f"0 to {row.answers - 1} solves {percent_range(row.solved)} per cent" for row in rows
        )
        yield Statement(f"{dataset} ({grader}), without reading a question: answering {listed}.")
    for row in study.rows(REASONING):
        if study.is_headline(row.cell, row.judge) and not math.isnan(row.pass_n.value):
            yield Statement(
                f"{row.cell.arm}, {setting(row.cell)}: {percent_range(row.share)} per cent of the "
                f"samples reason before they answer; Pass@{row.cell.n} is "
                f"{percent_range(row.pass_n)}, and {percent_range(row.reasoned)} counting "
                "those samples alone."
            )


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That the study's arms solve more than the null model, and that answers at once explain it."""
    own = {cell for row in headline_gaps(study) for cell in (row.base, row.instruct)}
    for excess in study.rows(BEYOND_NULL):
        if excess.cell in own and study.is_headline(excess.cell, excess.judge) and excess.problems:
            where = f"{excess.cell.arm}, {setting(excess.cell)}"
            one = (excess.cell, excess.judge)
            yield exceeds(Kind.BEYOND_NULL, one, where, excess.excess)
    for row in study.rows(REASONED_GAPS):
        told = row.gap.problems and not row.silent
        if told and study.is_headline(row.instruct, row.judge):
            key = (row.base, row.instruct, row.judge)
            where = f"{between(row.base, row.instruct)}, {row.metric}"
            split = Explanation(row.all_samples, row.change, row.gap.difference)
            margin = study.margins.equivalence
            yield explains(Kind.GUESSING_EXPLAINS, key, where, split, margin)


def _charts(study: StudyTables) -> Iterator[Chart]:
    """Pass@n of every arm and of the null model on the same set."""
    arms = [row for row in study.rows(SCORES) if study.is_headline(row.cell, row.judge)]
    if not arms or not study.rows(NULLS):
        return
    series = [
        Series(
            arm,
            "base" if arm.startswith("base/") else "instruct",
            tuple(at_label(setting(row.cell), row.pass_n) for row in arms if row.cell.arm == arm),
        )
        for arm in dict.fromkeys(row.cell.arm for row in arms)
    ]
    solved = {(row.dataset, row.grader, row.answers): row.solved for row in study.rows(NULLS)}
    graders = {setting(row.cell): study.headlines[row.cell.key].grader for row in arms}
    datasets = {setting(row.cell): row.cell.dataset for row in arms}
    for answers in dict.fromkeys(row.answers for row in study.rows(NULLS)):
        marks = tuple(
            at_label(where, solved[datasets[where], grader, answers])
            for where, grader in graders.items()
            if (datasets[where], grader, answers) in solved
        )
        series.append(
            Series(f"answering 0 to {answers - 1} without reading the question", "null", marks)
        )
    title = "Pass@n of every arm, and of answering without reading"
    yield from interval_chart("nulls", title, "per cent of problems solved", series, True)


_TERMS: Final[tuple[Term, ...]] = (
    (
        "samples that reason",
        f"those with at least {REASONING_CHARACTERS} characters of text before the answer (ours).",
    ),
    (
        "null; beyond the null",
        "share of problems that answering 0, 1, 2, ... to every one of them solves, graded by the "
        "same graders; Pass@n minus that with n answers, paired by problem.",
    ),
)
QUESTION = Question(
    name="guessing",
    text="Would answers without reasoning solve as much?",
    tables=(NULLS, BEYOND_NULL, REASONING, REASONED_GAPS),
    statements=_statements,
    charts=_charts,
    claims=_claims,
    terms=_TERMS,
)
