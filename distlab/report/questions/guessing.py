"""Could it be had without reasoning?"""

import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from distlab.analysis.answers import share
from distlab.analysis.arrays import FloatArray
from distlab.analysis.codes import CORRECT, MISSING
from distlab.analysis.gaps import paired_gap
from distlab.analysis.intervals import proportion_interval
from distlab.analysis.nulls import any_correct, reasons
from distlab.report.charts.kinds import Chart, Series, at_label, interval_chart
from distlab.report.records import (
    ExcessRow,
    NullRow,
    ReasonedGapRow,
    ReasoningRow,
    Statement,
    StudyTables,
)
from distlab.report.wording import cannot_say, judge_name, setting
from distlab.runs.pairing import Comparison, ScoreMap, metrics
from distlab.runs.records import Judge, NullTable
from distlab.runs.scores import ProblemScores
from distlab.tables.column import Column, label
from distlab.tables.numbers import percent, percent_interval, percent_range, points_interval


def say_guessing(study: StudyTables) -> Iterator[Statement]:
    """What answers without reading solve, and what each arm solves beyond them."""
    if not study.nulls:
        yield cannot_say("the null model was not graded; run python -m distlab.score on this run")
    for dataset, grader in dict.fromkeys((row.dataset, row.grader) for row in study.nulls):
        rows = [r for r in study.nulls if (r.dataset, r.grader) == (dataset, grader)]
        listed = ", ".join(
            f"0 to {row.answers - 1} solves {percent_range(row.solved)} per cent" for row in rows
        )
        yield Statement(f"{dataset} ({grader}), without reading a question: answering {listed}.")
    for row in study.reasoning:
        if row.judge == study.headlines[row.cell.key] and not math.isnan(row.pass_n.value):
            yield Statement(
                f"{row.cell.arm}, {setting(row.cell)}: {percent(row.share)} per cent of the "
                f"samples reason before they answer; Pass@{row.cell.n} is "
                f"{percent_range(row.pass_n)}, and {percent_range(row.reasoned)} counting "
                "those samples alone."
            )


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


REASONING_COLUMNS: tuple[Column[ReasoningRow], ...] = (
    label("cell", lambda row: row.cell.key),
    label("judge", lambda row: judge_name(row.judge)),
    Column("n", lambda row: str(row.cell.n)),
    Column("samples that reason", lambda row: percent(row.share)),
    Column("Pass@n (95 %)", lambda row: percent_interval(row.pass_n)),
    Column("Pass@n, those alone (95 %)", lambda row: percent_interval(row.reasoned)),
)
REASONED_GAP_COLUMNS: tuple[Column[ReasonedGapRow], ...] = (
    label("family", lambda row: row.base.family),
    label("dataset", lambda row: row.base.dataset),
    label("prompt", lambda row: row.base.prompt),
    label("base arm", lambda row: row.base.arm),
    label("instruct arm", lambda row: row.instruct.arm),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    Column("problems", lambda row: str(row.gap.problems)),
    Column("base", lambda row: percent(row.gap.base)),
    Column("instruct", lambda row: percent(row.gap.instruct)),
    Column("gap (95 %)", lambda row: points_interval(row.gap.difference)),
)
NULL_COLUMNS: tuple[Column[NullRow], ...] = (
    label("dataset", lambda row: row.dataset),
    label("grader", lambda row: row.grader),
    label("answers", lambda row: f"0 to {row.answers - 1}"),
    Column("problems", lambda row: str(row.problems)),
    Column("solved (95 %)", lambda row: percent_interval(row.solved)),
)
EXCESS_COLUMNS: tuple[Column[ExcessRow], ...] = (
    label("cell", lambda row: row.cell.key),
    label("judge", lambda row: judge_name(row.judge)),
    Column("n", lambda row: str(row.answers)),
    Column("problems", lambda row: str(row.problems)),
    Column("Pass@n", lambda row: percent(row.pass_n)),
    Column("null, n answers", lambda row: percent(row.null)),
    Column("beyond the null (95 %)", lambda row: points_interval(row.excess)),
)


def null_charts(study: StudyTables) -> Iterator[Chart]:
    """Pass@n of every arm and of the null model on the same set."""
    arms = [row for row in study.arms if row.judge == study.headlines[row.cell.key]]
    if not arms or not study.nulls:
        return
    series = [
        Series(
            arm,
            "base" if arm.startswith("base/") else "instruct",
            tuple(at_label(setting(row.cell), row.pass_n) for row in arms if row.cell.arm == arm),
        )
        for arm in dict.fromkeys(row.cell.arm for row in arms)
    ]
    solved = {(row.dataset, row.grader, row.answers): row.solved for row in study.nulls}
    graders = {setting(row.cell): study.headlines[row.cell.key].grader for row in arms}
    datasets = {setting(row.cell): row.cell.dataset for row in arms}
    for answers in dict.fromkeys(row.answers for row in study.nulls):
        marks = tuple(
            at_label(where, solved[datasets[where], grader, answers])
            for where, grader in graders.items()
            if (datasets[where], grader, answers) in solved
        )
        series.append(Series(f"answering 0 to {answers - 1} unread", "null", marks))
    title = "Pass@n of every arm, and of answering without reading"
    yield from interval_chart("nulls", title, "per cent of problems solved", series)


def reasoning_row(judge: Judge, scores: ProblemScores) -> ReasoningRow:
    """Pass@n of a cell without the samples that give an answer and no reasoning."""
    table = scores.table
    return ReasoningRow(
        cell=table.cell,
        judge=judge,
        share=share(reasons(table.facts.answers, table.facts.starts), table.facts.present),
        pass_n=proportion_interval(scores.pass_at(table.cell.n)),
        reasoned=proportion_interval(_reasoned(scores, table.cell.n)),
    )


def reasoned_gap_rows(
    pairs: Sequence[Comparison], judges: Sequence[Judge], scores: ScoreMap
) -> Iterator[ReasonedGapRow]:
    """The study's gaps, counting only samples that reason before they answer."""
    for pair in pairs:
        for judge in judges:
            base = scores.get((pair.base.key, judge))
            instruct = scores.get((pair.instruct.key, judge))
            if pair.primary and base is not None and instruct is not None:
                k = min(pair.base.n, pair.instruct.n)
                gap = paired_gap(_reasoned(base, k), _reasoned(instruct, k))
                yield ReasonedGapRow(pair.base, pair.instruct, judge, metrics(k)[0].name, gap)


def _reasoned(scores: ProblemScores, k: int) -> FloatArray:
    """[problems]: a correct sample that reasons among the first k; NaN where there is no score."""
    table = scores.table
    solved = (table.codes == CORRECT) & reasons(table.facts.answers, table.facts.starts)
    return np.where(scores.scored, any_correct(solved[:, :k]), np.nan)
