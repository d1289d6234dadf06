"""The table of scores: what every arm solves, which several questions read."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from distlab.analysis.answers import distinct_answers
from distlab.analysis.arrays import BoolArray
from distlab.analysis.estimate import Estimate
from distlab.analysis.shares import mean_score, share_interval, solved_interval
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import judge_name
from distlab.runs.scored import Judge
from distlab.runs.scores import ProblemScores
from distlab.scoring.types import CORRECT, ERROR, NO_ANSWER, TIMEOUT
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import decimal, percent_interval


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One cell under one judge.

    Attributes:
        cell: The cell that is scored.
        judge: Extractor and grader.
        problems: Problems of the dataset.
        scored: Problems with a score: all samples judged, or failed.
        failed: Problems that could not be sampled; scored as unsolved.
        outside: Problems whose gold the grader does not judge; they have no score.
        incomplete: Other problems with fewer than n judged samples; they have no score.
        pass_n: Share of the scored problems with any correct sample among n.
        pass_1: Mean pass@1.
        majority: Mean maj@n over the scored problems.
        largest_delta: Mean score of CoT-decoding's ``max``; NaN in other arms.
        aggregate_delta: Mean score of CoT-decoding's ``agg``; NaN in other arms.
        samples: Number of stored samples.
        no_answer: Share of samples where the extractor found nothing.
        truncated: Share of samples cut off at max_tokens.
        distinct: Mean number of different answers per problem with all samples.
        unjudged: Samples on which the grader timed out or tripped; counted as not correct.
        missed: Share of samples with the gold in the text and no correct verdict.
    """

    cell: Cell
    judge: Judge
    problems: int
    scored: int
    failed: int
    outside: int
    incomplete: int
    pass_n: Estimate
    pass_1: Estimate
    majority: Estimate
    largest_delta: Estimate
    aggregate_delta: Estimate
    samples: int
    no_answer: Estimate
    truncated: Estimate
    distinct: float
    unjudged: int
    missed: Estimate


def _rows(scored: ScoredStudy) -> Iterator[ScoreRow]:
    yield from (_row(judge, row) for (_, judge), row in scored.scores.items())


def _row(judge: Judge, scores: ProblemScores) -> ScoreRow:
    table, facts = scores.table, scores.table.facts
    sources = table.sources
    codes, present = table.codes, scores.table.facts.present
    distinct = distinct_answers(facts.answers[scores.complete])
    if table.cell.until_solved:
        present, distinct = np.zeros_like(present), distinct[:0]

    def share(counted: BoolArray) -> Estimate:
        shown = counted & present
        return share_interval(shown.sum(axis=1), present.sum(axis=1), sources)

    return ScoreRow(
        cell=table.cell,
        judge=judge,
        problems=len(table.problems),
        scored=int(scores.scored.sum()),
        failed=int(scores.failed.sum()),
        outside=int(scores.outside.sum()),
        incomplete=int((~scores.scored & ~scores.outside).sum()),
        pass_n=solved_interval(scores.pass_at(table.cell.n), sources),
        pass_1=mean_score(scores.pass_at(1), sources),
        majority=solved_interval(scores.majority, sources),
        largest_delta=solved_interval(scores.largest_delta, sources),
        aggregate_delta=solved_interval(scores.aggregate_delta, sources),
        samples=int(facts.present.sum()),
        no_answer=share(codes == NO_ANSWER),
        truncated=share(facts.truncated),
        distinct=float(distinct.mean()) if distinct.size else math.nan,
        unjudged=int(np.isin(codes, (TIMEOUT, ERROR)).sum()),
        missed=share(facts.gold_in_text & (codes != CORRECT)),
    )


def score_name(study: StudyTables) -> str:
    """As in "Pass@20" where every cell has n = 20, else "Pass@n"."""
    sizes = {row.cell.n for row in study.rows(SCORES)}
    return f"Pass@{next(iter(sizes))}" if len(sizes) == 1 else "Pass@n"


def _columns(study: StudyTables) -> Columns[ScoreRow]:
    pass_n = score_name(study)
    return (
        label("family", lambda row: row.cell.family),
        label("arm", lambda row: row.cell.arm),
        label("dataset", lambda row: row.cell.dataset),
        label("prompt", lambda row: row.cell.prompt),
        label("judge", lambda row: judge_name(row.judge)),
        Column("n", lambda row: str(row.cell.n), spare=1),
        Column("problems", lambda row: str(row.problems), spare=1),
        Column("scored", lambda row: str(row.scored)),
        Column(pass_n, lambda row: percent_interval(row.pass_n)),
        Column("pass@1", lambda row: percent_interval(row.pass_1)),
        Column(pass_n.replace("Pass", "maj"), lambda row: percent_interval(row.majority), spare=1),
        Column("max", lambda row: percent_interval(row.largest_delta), spare=1),
        Column("agg", lambda row: percent_interval(row.aggregate_delta), spare=1),
        Column("no answer", lambda row: percent_interval(row.no_answer)),
        Column("truncated", lambda row: percent_interval(row.truncated)),
        Column("distinct", lambda row: decimal(row.distinct), spare=1),
        Column("unjudged", lambda row: str(row.unjudged), spare=1),
        Column("gold missed", lambda row: percent_interval(row.missed), spare=1),
        Column("failed", lambda row: str(row.failed), spare=1),
        Column("not judged", lambda row: str(row.outside), spare=1),
        Column("incomplete", lambda row: str(row.incomplete), spare=1),
    )


SCORE_TERMS: Final[tuple[Term, ...]] = (
    ("arm; n", "variant / decoding; samples per problem."),
    (
        "problems; scored",
        "problems of the dataset; those that the scores are means over: all n samples judged, or "
        "failed.",
    ),
    (
        "failed",
        "problems that could not be sampled (prompt too long, ...); they count as unsolved.",
    ),
    (
        "not judged; incomplete",
        "problems whose gold the grader does not judge; problems with fewer than n judged samples "
        "(an interrupted run). Both are in no score.",
    ),
    (
        "Pass@n",
        "share of problems with at least one correct sample among n, with Wilson's 95 % interval.",
    ),
    (
        "pass@1",
        "mean share of correct samples; for CoT-decoding the top-ranked branch's verdict, which is "
        "greedy decoding.",
    ),
    ("maj@n", "share of problems whose commonest answer is correct."),
    (
        "max; agg",
        "CoT-decoding's own single answers: the branch of largest delta, and the answer whose "
        "deltas sum highest.",
    ),
    (
        "no answer; truncated; unjudged",
        "share of stored samples where the extractor found nothing; that ended at max_tokens; "
        "samples on which the grader timed out or tripped, which are not correct. Where samples "
        "end, the shares add up: a correct sample counts as correct even if it was cut off.",
    ),
    (
        "gold missed",
        "share of stored samples that hold the gold's text without a correct verdict: an upper "
        "bound on what extraction and grading lose (a short gold turns up by chance).",
    ),
    ("distinct", "mean number of different answers per problem."),
)
SCORES = Table("scores", "Scores of every arm, per cent", _rows, _columns)
