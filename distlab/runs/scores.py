"""Problem scores of a verdict table: the arrays that every table row is computed from."""

from dataclasses import dataclass

import numpy as np

from distlab.analysis.answers import NONE, aggregate_delta, largest_delta, majority
from distlab.analysis.arrays import BoolArray, FloatArray
from distlab.analysis.passk import iid_curve, ranked_curve, reliable
from distlab.decoding.decoder import SampleOrder
from distlab.runs.scored import SampleFacts, VerdictTable
from distlab.scoring.types import CORRECT, NO_VERDICT


@dataclass(frozen=True, slots=True, eq=False)
class ProblemScores:
    """Scores of one cell under one judge, in [0, 1]; NaN where a problem has none.

    A problem that failed scores 0 everywhere; one with fewer than n judged samples has no score,
    for no k, so that all figures of a row share their problems (ours).

    In a cell that is drawn until solved, samples are missing because of what the others are: only
    pass@n is there, and of no problem if one is missing samples and not solved under this judge. In
    one that is drawn until decided no score is claimed: what can be said is in ``decisions``.

    Attributes:
        table: Where the scores are from.
        complete: [problems], all n samples judged.
        failed: [problems], listed as failed, and not complete.
        scored: [problems], complete or failed; solved, in a cell that is drawn until then.
        outside: [problems], sampled, but with a gold that the grader does not judge.
        curve: [problems, n], pass@1 to pass@n.
        majority: [problems], maj@n.
        largest_delta: [problems], CoT-decoding's ``max``; all NaN in other arms, and where samples
            have answers and none of these a Delta.
        aggregate_delta: [problems], CoT-decoding's ``agg``; all NaN where ``largest_delta`` is.
    """

    table: VerdictTable
    complete: BoolArray
    failed: BoolArray
    scored: BoolArray
    outside: BoolArray
    curve: FloatArray
    majority: FloatArray
    largest_delta: FloatArray
    aggregate_delta: FloatArray

    def pass_at(self, k: int) -> FloatArray:
        """[problems] pass@k; k is at most the cell's n."""
        return self.curve[:, k - 1]

    def cover_at(self, tau: float) -> FloatArray:
        """[problems]: 1 where at least the share ``tau`` of all n samples is correct, else 0."""
        counts = (self.table.codes == CORRECT).sum(axis=1)
        covered = reliable(counts, self.table.cell.n, tau)
        return np.where(self.failed, 0.0, np.where(self.complete, covered, np.nan))

    def continued(self) -> FloatArray:
        """[problems] share of samples that go on with what the prompt hid of the question.

        That of the first-ranked sample where samples are ranked, which is greedy. NaN where there
        is no score.
        """
        marks = self.table.facts.continued.astype(np.float64)
        ranked = self.table.cell.order == SampleOrder.RANKED
        shares = marks[:, 0] if ranked else marks.mean(axis=1)
        return np.where(self.failed, 0.0, np.where(self.complete, shares, np.nan))

    def costs(self) -> FloatArray:
        """[problems, n] new tokens of the first k samples, on average where draws are alike.

        NaN where samples are missing or nobody counted their tokens.
        """
        tokens = self.table.facts.tokens.astype(np.float64)
        known = self.complete & (tokens.sum(axis=1) > 0)
        spent = np.cumsum(tokens, axis=1)
        if self.table.cell.order != SampleOrder.RANKED:
            spent = tokens.mean(axis=1)[:, None] * np.arange(1, tokens.shape[1] + 1)
        return np.where(known[:, None], spent, np.nan)

    @property
    def one_answer(self) -> FloatArray:
        """[problems]: ``agg`` where samples have a Delta, maj@n elsewhere."""
        return self.aggregate_delta if self.table.cell.deltas else self.majority

    def sampled(self, values: FloatArray) -> FloatArray:
        """``values`` without the problems that failed."""
        return np.where(self.failed, np.nan, values)


def problem_scores(table: VerdictTable) -> ProblemScores:
    """Score every problem of a table."""
    correct = table.codes == CORRECT
    judged = table.codes != NO_VERDICT
    complete = judged.all(axis=1)
    failed = table.failed & ~complete
    curve = (
        ranked_curve(correct, judged)
        if table.cell.order == SampleOrder.RANKED
        else iid_curve(judged.sum(axis=1), correct.sum(axis=1), table.cell.n)
    )
    facts = table.facts
    nothing = np.full(complete.shape, np.nan)
    if table.cell.until_decided:
        return _unclaimed(table, complete, failed, nothing)
    if table.cell.until_solved:
        return _until_solved(table, complete, failed, correct.any(axis=1), nothing)

    def settle(values: FloatArray) -> FloatArray:
        wide = (slice(None), *[None] * (values.ndim - 1))
        return np.where(failed[wide], 0.0, np.where(complete[wide], values, np.nan))

    largest = aggregate = nothing
    if table.cell.deltas and _can_vote(facts):
        largest = settle(largest_delta(facts.answers, facts.deltas, correct))
        aggregate = settle(aggregate_delta(facts.answers, facts.deltas, correct))
    return ProblemScores(
        table=table,
        complete=complete,
        failed=failed,
        scored=complete | failed,
        outside=facts.present.any(axis=1) & ~judged.any(axis=1) & ~failed,
        curve=settle(curve),
        majority=settle(majority(facts.answers, correct)),
        largest_delta=largest,
        aggregate_delta=aggregate,
    )


def _can_vote(facts: SampleFacts) -> bool:
    """Whether an answer has a Delta, or there is none that lacks it."""
    answered = facts.answers != NONE
    return bool((answered & ~np.isnan(facts.deltas)).any() or not answered.any())


def _unclaimed(
    table: VerdictTable, complete: BoolArray, failed: BoolArray, nothing: FloatArray
) -> ProblemScores:
    judged = (table.codes != NO_VERDICT).any(axis=1)
    return ProblemScores(
        table=table,
        complete=complete,
        failed=failed,
        scored=np.zeros_like(complete),
        outside=table.facts.present.any(axis=1) & ~judged & ~failed,
        curve=np.full(table.codes.shape, np.nan),
        majority=nothing,
        largest_delta=nothing,
        aggregate_delta=nothing,
    )


def _until_solved(
    table: VerdictTable,
    complete: BoolArray,
    failed: BoolArray,
    solved: BoolArray,
    nothing: FloatArray,
) -> ProblemScores:
    scored = complete | failed | solved
    outside = table.facts.present.any(axis=1) & ~(table.codes != NO_VERDICT).any(axis=1) & ~failed
    curve = np.full(table.codes.shape, np.nan)
    if (scored | outside).all():
        curve[:, -1] = np.where(outside, np.nan, solved)
    return ProblemScores(
        table=table,
        complete=complete,
        failed=failed & ~solved,
        scored=scored,
        outside=outside,
        curve=curve,
        majority=nothing,
        largest_delta=nothing,
        aggregate_delta=nothing,
    )
