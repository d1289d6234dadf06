"""How far two graders (or two extractors) agree on the same samples, and what that flips."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from distlab.analysis.arrays import CodeArray, FloatArray
from distlab.analysis.contrasts import Mean, contrast
from distlab.analysis.estimate import NOTHING, Estimate
from distlab.analysis.intervals import LEVEL
from distlab.analysis.shares import share_interval
from distlab.scoring.types import CORRECT, NO_VERDICT


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two judges over the samples that both have a verdict for; correct against all else.

    Intervals take the samples of a problem, and problems of one source, as hanging together.

    Attributes:
        samples: Samples with a verdict from both.
        rate: Share on which they agree; NaN without samples.
        kappa: Cohen's kappa; NaN where chance alone agrees on everything.
        first_only: Samples that only the first calls correct.
        second_only: Samples that only the second calls correct.
    """

    samples: int
    rate: Estimate
    kappa: Estimate
    first_only: int
    second_only: int


def agreement(
    first: CodeArray, second: CodeArray, clusters: npt.ArrayLike | None = None
) -> Agreement:
    """Compare two verdict matrices of the same shape.

    Args:
        first: [problems, n] verdict codes; ``NO_VERDICT`` where there is none.
        second: [problems, n] verdict codes of the same samples.
        clusters: [problems] labels of the sources; None for one source per problem.
    """
    both = (first != NO_VERDICT) & (second != NO_VERDICT)
    a, b = (first == CORRECT) & both, (second == CORRECT) & both
    first_only, second_only = int((a & ~b).sum()), int((b & ~a).sum())
    if not both.any():
        return Agreement(0, NOTHING, NOTHING, 0, 0)
    among = both.sum(axis=1).astype(np.float64)
    agreed = ((a == b) & both).sum(axis=1).astype(np.float64)
    return Agreement(
        samples=int(both.sum()),
        rate=share_interval(agreed, among, clusters),
        kappa=_kappa_interval(agreed, a.sum(axis=1), b.sum(axis=1), among, clusters),
        first_only=first_only,
        second_only=second_only,
    )


def cohen_kappa(rate: float, first: float, second: float) -> float:
    """Cohen's kappa of two binary judges (Cohen 1960).

    Args:
        rate: Share of items on which they agree.
        first: Share that the first calls correct.
        second: Share that the second calls correct.

    Returns:
        The agreement beyond chance; NaN where chance agreement is complete.
    """
    chance = first * second + (1 - first) * (1 - second)
    return math.nan if chance >= 1 else (rate - chance) / (1 - chance)


def _kappa_interval(
    agreed: FloatArray,
    first: npt.NDArray[np.integer],
    second: npt.NDArray[np.integer],
    among: FloatArray,
    clusters: npt.ArrayLike | None,
) -> Estimate:
    """Kappa with the clustered error of its influences, the delta method's (Fleiss et al. 1969)."""
    total = among.sum()
    rate, a, b = agreed.sum() / total, first.sum() / total, second.sum() / total
    kappa = cohen_kappa(float(rate), float(a), float(b))
    if math.isnan(kappa):
        return Estimate(kappa, math.nan, math.nan)
    chance = a * b + (1 - a) * (1 - b)
    by_chance = (2 * b - 1) * (first - a * among) + (2 * a - 1) * (second - b * among)
    moved = (agreed - rate * among) * (1 - chance) - (1 - rate) * by_chance
    influences = moved / (1 - chance) ** 2 / among.mean()
    if np.ptp(influences) == 0:
        return Estimate(kappa, math.nan, math.nan)
    spread = contrast(Mean(influences, clusters), resamples=0, is_tested=False)
    half = float(stats.t.ppf((1 + LEVEL) / 2, spread.freedom)) * spread.error
    return Estimate(kappa, max(kappa - half, -1.0), min(kappa + half, 1.0))


def flips(first: FloatArray, second: FloatArray) -> tuple[int, int]:
    """Problems whose Pass@n depends on the judge.

    Args:
        first: [problems] of 0, 1 or NaN under the first judge.
        second: [problems] under the second.

    Returns:
        Problems solved under the first alone, and under the second alone.
    """
    return int(((first == 1) & (second == 0)).sum()), int(((first == 0) & (second == 1)).sum())
