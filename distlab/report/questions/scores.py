"""What every arm scores."""

import math

import numpy as np

from distlab.analysis.answers import distinct_answers, share
from distlab.analysis.codes import CORRECT, ERROR, NO_ANSWER, TIMEOUT
from distlab.analysis.intervals import mean_interval, proportion_interval
from distlab.report.records import ArmRow
from distlab.report.wording import judge_name
from distlab.runs.pairing import ScoreMap
from distlab.runs.records import Judge
from distlab.runs.scores import ProblemScores
from distlab.tables.column import Column, label
from distlab.tables.numbers import decimal, percent, percent_interval


def headlines(scores: ScoreMap) -> dict[str, Judge]:
    """Cell key to the judge that scored the most of its problems."""
    most: dict[str, int] = {}
    headlines: dict[str, Judge] = {}
    for (key, judge), row in scores.items():
        scored = int(row.scored.sum())
        if scored > most.get(key, -1):
            most[key], headlines[key] = scored, judge
    return headlines


def arm_row(judge: Judge, scores: ProblemScores) -> ArmRow:
    """What an arm scores under a judge."""
    table, facts = scores.table, scores.table.facts
    codes, present = table.codes, scores.table.facts.present
    distinct = distinct_answers(facts.answers[scores.complete])
    if table.cell.until_solved:
        present, distinct = np.zeros_like(present), distinct[:0]
    return ArmRow(
        cell=table.cell,
        judge=judge,
        problems=len(table.problems),
        scored=int(scores.scored.sum()),
        failed=int(scores.failed.sum()),
        outside=int(scores.outside.sum()),
        incomplete=int((~scores.scored & ~scores.outside).sum()),
        pass_n=proportion_interval(scores.pass_at(table.cell.n)),
        pass_1=mean_interval(scores.pass_at(1)),
        majority=proportion_interval(scores.majority),
        largest_delta=proportion_interval(scores.largest_delta),
        aggregate_delta=proportion_interval(scores.aggregate_delta),
        samples=int(facts.present.sum()),
        no_answer=share(codes == NO_ANSWER, present),
        truncated=share(facts.truncated, present),
        distinct=float(distinct.mean()) if distinct.size else math.nan,
        unjudged=int(np.isin(codes, (TIMEOUT, ERROR)).sum()),
        missed=share(facts.gold_in_text & (codes != CORRECT), present),
    )


def arm_columns(pass_n: str) -> tuple[Column[ArmRow], ...]:
    """The arms; ``pass_n`` is "Pass@20" or "Pass@n"."""
    return (
        label("family", lambda row: row.cell.family),
        label("arm", lambda row: row.cell.arm),
        label("dataset", lambda row: row.cell.dataset),
        label("prompt", lambda row: row.cell.prompt),
        label("judge", lambda row: judge_name(row.judge)),
        Column("n", lambda row: str(row.cell.n)),
        Column("problems", lambda row: str(row.problems)),
        Column("scored", lambda row: str(row.scored)),
        Column(pass_n, lambda row: percent_interval(row.pass_n)),
        Column("pass@1", lambda row: percent_interval(row.pass_1)),
        Column(pass_n.replace("Pass", "maj"), lambda row: percent(row.majority.value)),
        Column("max", lambda row: percent(row.largest_delta.value)),
        Column("agg", lambda row: percent(row.aggregate_delta.value)),
        Column("no answer", lambda row: percent(row.no_answer)),
        Column("truncated", lambda row: percent(row.truncated)),
        Column("distinct", lambda row: decimal(row.distinct)),
        Column("unjudged", lambda row: str(row.unjudged)),
        Column("gold missed", lambda row: percent(row.missed)),
        Column("failed", lambda row: str(row.failed)),
        Column("not judged", lambda row: str(row.outside)),
        Column("incomplete", lambda row: str(row.incomplete)),
    )


def compact_arm_columns(pass_n: str) -> tuple[Column[ArmRow], ...]:
    """The arms, for a terminal."""
    return (
        label("arm", lambda row: row.cell.arm),
        label("family", lambda row: row.cell.family),
        label("dataset", lambda row: row.cell.dataset),
        label("prompt", lambda row: row.cell.prompt),
        label("judge", lambda row: judge_name(row.judge)),
        *([Column("n", lambda row: str(row.cell.n))] if pass_n == "Pass@n" else []),
        Column("problems", _problems),
        Column(pass_n, lambda row: percent(row.pass_n.value)),
        Column("pass@1", lambda row: percent(row.pass_1.value)),
        Column(pass_n.replace("Pass", "maj"), lambda row: percent(row.majority.value)),
        Column("no answer", lambda row: percent(row.no_answer)),
        Column("truncated", lambda row: percent(row.truncated)),
        Column("distinct", lambda row: decimal(row.distinct)),
        Column("failed", lambda row: str(row.failed)),
    )


def _problems(row: ArmRow) -> str:
    if row.scored == row.problems:
        return str(row.problems)
    return f"{row.scored} of {row.problems}"
