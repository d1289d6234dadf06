"""pass@k: unbiased for i.i.d. samples, the rank prefix for ranked branches; and cover@tau."""

import numpy as np

from distlab.analysis.arrays import BoolArray, FloatArray, IntArray


def iid_curve(samples: IntArray, correct: IntArray, k_max: int) -> FloatArray:
    """pass@1 to pass@k_max of every problem, for samples drawn independently.

    The unbiased estimator 1 - C(n-c, k) / C(n, k) of Chen et al. 2021 (arXiv 2107.03374,
    equation 1), as the running product over j < k of (n - c - j) / (n - j).

    Args:
        samples: [problems], n: samples drawn.
        correct: [problems], c: those that are correct.
        k_max: Longest k.

    Returns:
        [problems, k_max]; NaN where n < k.
    """
    j = np.arange(k_max)
    left = np.asarray(samples[:, None] - j, dtype=np.float64)
    misses = np.maximum(left - correct[:, None], 0.0)
    left[left <= 0] = np.nan
    return np.asarray(1.0 - np.cumprod(misses / left, axis=1), dtype=np.float64)


def ranked_curve(correct: BoolArray, present: BoolArray) -> FloatArray:
    """pass@1 to pass@n of every problem, for ranked branches.

    CoT-decoding's branches are ordered by the likelihood of their first token, so they are not
    exchangeable and the unbiased estimator does not hold: pass@k is whether any of the k
    top-ranked branches is correct.

    Args:
        correct: [problems, n], by rank.
        present: [problems, n], whether the branch has a verdict.

    Returns:
        [problems, n]; NaN from the first absent branch on.
    """
    solved = np.logical_or.accumulate(correct & present, axis=1)
    whole = np.logical_and.accumulate(present, axis=1)
    return np.where(whole, solved.astype(np.float64), np.nan)


def reliable(correct: IntArray, samples: int, tau: float) -> BoolArray:
    """Problems that cover@tau counts: those with at least the share ``tau`` of samples correct.

    Cover@tau of arXiv 2510.08325: as tau falls to 1 / n it becomes Pass@n, which says nothing of
    how often a problem is solved.

    Args:
        correct: [problems] samples that are correct.
        samples: Of how many.
        tau: A share above 0, at most 1.

    Returns:
        [problems].
    """
    # A share such as 0.3 of 10 is 3 samples, whatever its floating point says.
    return np.asarray(correct >= tau * samples - 1e-9, dtype=np.bool_)
