"""What the samples of a problem answer: distinct answers, and single answers picked from many."""

import numpy as np
import numpy.typing as npt

from distlab.analysis.arrays import BoolArray, FloatArray, IntArray

# The code of "no answer found" in an answer matrix.
NONE = -1


def share(mask: BoolArray, among: BoolArray) -> float:
    """Share of the samples in ``among`` that are in ``mask``; NaN where there are none."""
    total = int(among.sum())
    return float((mask & among).sum()) / total if total else float("nan")


def distinct_answers(answers: IntArray) -> IntArray:
    """Number of different answers of each problem; a missing answer is not one.

    Args:
        answers: [problems, n] codes, the same for equal answers of a problem; ``NONE`` for no
            answer.

    Returns:
        [problems].
    """
    ordered = np.sort(answers, axis=1)
    new = np.ones(ordered.shape, dtype=np.bool_)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    counts: IntArray = (new & (ordered != NONE)).sum(axis=1)
    return counts


def majority(answers: IntArray, correct: BoolArray) -> FloatArray:
    """maj@n: whether the commonest answer of each problem is correct.

    Samples without an answer do not vote. A tie goes to the answer that came first (ours), and is
    not averaged over the tied ones: the answer is one that a user would be given. Draws come in
    random order, so both are right equally often. Of equal answers that a grader judges
    differently, the first counts.

    Args:
        answers: [problems, n] codes.
        correct: [problems, n], whether the sample's answer is correct.

    Returns:
        [problems] of 0 or 1; 0 where no sample has an answer.
    """
    return _elect(answers, np.ones(answers.shape), correct)


def aggregate_delta(answers: IntArray, deltas: npt.ArrayLike, correct: BoolArray) -> FloatArray:
    """CoT-decoding's ``agg``: whether the answer whose deltas sum highest is correct.

    Wang & Zhou, arXiv 2402.10200 (weighted aggregation). A branch without a delta does not vote
    (ours).

    Args:
        answers: [problems, n] codes.
        deltas: [problems, n], NaN where the branch has none.
        correct: [problems, n].

    Returns:
        [problems] of 0 or 1; 0 where no branch can vote.
    """
    weights = np.asarray(deltas, dtype=np.float64)
    return _elect(np.where(np.isnan(weights), NONE, answers), np.nan_to_num(weights), correct)


def largest_delta(answers: IntArray, deltas: npt.ArrayLike, correct: BoolArray) -> FloatArray:
    """CoT-decoding's ``max``: whether the branch of the largest delta is correct.

    Wang & Zhou, arXiv 2402.10200. Only branches with an answer and a delta are candidates, and a
    tie goes to the better rank (ours).

    Args:
        answers: [problems, n] codes.
        deltas: [problems, n], NaN where the branch has none.
        correct: [problems, n].

    Returns:
        [problems] of 0 or 1; 0 where there is no candidate.
    """
    weights = np.asarray(deltas, dtype=np.float64)
    return _pick(weights, (answers != NONE) & ~np.isnan(weights), correct)


def _elect(answers: IntArray, weights: FloatArray, correct: BoolArray) -> FloatArray:
    """Give every sample the weight of all samples with its answer, then pick the heaviest."""
    if answers.size == 0:
        return np.zeros(answers.shape[0])
    rows = np.broadcast_to(np.arange(answers.shape[0])[:, None], answers.shape)
    order = np.lexsort((answers.ravel(), rows.ravel()))
    ballots = np.stack([rows.ravel()[order], answers.ravel()[order]])
    starts = np.concatenate([[True], (ballots[:, 1:] != ballots[:, :-1]).any(axis=0)])
    group = np.empty(answers.size, dtype=np.int64)
    group[order] = np.cumsum(starts) - 1
    totals = np.bincount(group, weights=weights.ravel())
    own = np.asarray(totals[group], dtype=np.float64).reshape(answers.shape)
    return _pick(own, answers != NONE, correct)


def _pick(weights: FloatArray, candidates: BoolArray, correct: BoolArray) -> FloatArray:
    """Verdict of the heaviest candidate of each row, the first one where weights are equal."""
    if weights.shape[1] == 0:
        return np.zeros(weights.shape[0])
    chosen = np.argmax(np.where(candidates, weights, -np.inf), axis=1)
    rows = np.arange(weights.shape[0])
    verdict = correct[rows, chosen] & candidates[rows, chosen]
    return np.asarray(verdict, dtype=np.float64)
