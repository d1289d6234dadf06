"""Where two curves cross: the k, or the tokens, at which one arm overtakes another.

Arms that lead with one sample often fall behind with many (Yue et al., arXiv 2504.13837).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

import numpy as np
import numpy.typing as npt

from distlab.analysis.arrays import FloatArray
from distlab.analysis.contrasts import Contrast, Mean, contrast
from distlab.analysis.estimate import Estimate
from distlab.analysis.intervals import LEVEL, RESAMPLES


@dataclass(frozen=True, slots=True)
class Crossing:
    """A second curve minus a first one, and where that changes its sign.

    Attributes:
        places: [points] what the curves are over, ascending: k, or tokens per problem.
        differences: [points] second minus first, at least one. The first and the last have the
            interval that a gap has; those between, of which the sign alone is read, Student's.
        at: Where the difference last changes its sign, by a straight line between points; NaN where
            it never does. Its interval is every place around it at which zero is not rejected at
            5 %, so that it holds the one crossing of the true curves in 95 % of studies (a
            confidence set by inverted tests, as Fieller's). An infinite upper end means that the
            crossing may lie beyond the last point.
    """

    places: tuple[float, ...]
    differences: tuple[Contrast, ...]
    at: Estimate

    @property
    def early(self) -> Contrast:
        """The difference at the first point."""
        return self.differences[0]

    @property
    def late(self) -> Contrast:
        """The difference at the last point."""
        return self.differences[-1]


def crossing(
    places: Sequence[float],
    first: FloatArray,
    second: FloatArray,
    clusters: npt.ArrayLike | None = None,
    *,
    resamples: int = RESAMPLES,
) -> Crossing:
    """Compare two curves over the same problems, point by point.

    Args:
        places: [points] ascending, at least one.
        first: [problems, points] scores; NaN where a problem has none.
        second: [problems, points], the same problems in the same order.
        clusters: [problems] labels of the sources; None for one source per problem.
        resamples: Bootstrap resamples of the first and the last difference.
    """
    columns = (second - first).T
    ends = {0, len(columns) - 1}
    differences = tuple(
        contrast(Mean(column, clusters), resamples=resamples if place in ends else 0)
        for place, column in enumerate(columns)
    )
    return Crossing(tuple(places), differences, _last_crossing(places, differences))


def _last_crossing(places: Sequence[float], differences: Sequence[Contrast]) -> Estimate:
    """Where the sign changes last, with the places around it that cannot be told from it."""
    values = [difference.value for difference in differences]
    signed = [place for place, value in enumerate(values) if value != 0]
    changes = [(one, two) for one, two in pairwise(signed) if values[one] * values[two] < 0]
    if not changes:
        return Estimate(math.nan, math.nan, math.nan)
    left, right = changes[-1]
    if right > left + 1:  # Zero in between: that is where they cross.
        at = (places[left + 1] + places[right - 1]) / 2
    else:
        share = values[left] / (values[left] - values[right])
        at = places[left] + share * (places[right] - places[left])
    told = [difference.p < 1 - LEVEL for difference in differences]
    before = sum(1 for _ in takewhile(lambda told: not told, reversed(told[: left + 1])))
    after = sum(1 for _ in takewhile(lambda told: not told, told[left + 1 :]))
    low = places[max(left - before, 0)]
    high = left + 1 + after
    return Estimate(at, low, places[high] if high < len(places) else math.inf)


def sample_counts(most: int) -> tuple[int, ...]:
    """The k at which curves are compared: 1, 2, 3, 4, 6, 8, 12, ... and the largest (ours).

    Args:
        most: The largest k, at least 1.
    """
    powers = [1 << power for power in range(most.bit_length())]
    counts = {k for power in powers for k in (power, power * 3 // 2) if k <= most}
    return tuple(sorted(counts | {most}))


def at_cost(curve: FloatArray, cost: FloatArray, budgets: Sequence[float]) -> FloatArray:
    """Scores at the k that a budget pays for on average, with what an uncertain cost adds.

    The k is a fraction: of two neighbouring k the larger is drawn with the share that brings the
    mean cost to the budget. A problem's figure holds its own cost's influence on that k too (the
    delta method for an implicit function), so that the mean is the score at the budget and its
    error that of both.

    Args:
        curve: [problems, n] pass@1 to pass@n, n at least 2; NaN where a problem has no score.
        cost: [problems, n] cost of the first k samples; NaN where it is not known.
        budgets: [budgets], each within what k = 1 to n cost on average.

    Returns:
        [problems, budgets]; NaN where a problem has no score or no cost.
    """
    kept = ~(np.isnan(curve).any(axis=1) | np.isnan(cost).any(axis=1))
    scores, costs = curve[kept], cost[kept]
    result = np.full((curve.shape[0], len(budgets)), np.nan)
    if not kept.any():
        return result
    means, heights = costs.mean(axis=0), scores.mean(axis=0)
    for place, budget in enumerate(budgets):
        left = int(np.clip(np.searchsorted(means, budget, side="right") - 1, 0, means.size - 2))
        step = means[left + 1] - means[left]
        weight = float(np.clip((budget - means[left]) / step, 0.0, 1.0)) if step > 0 else 0.0
        slope = (heights[left + 1] - heights[left]) / step if step > 0 else 0.0
        both = np.array([1 - weight, weight])
        spent = costs[:, left : left + 2] @ both
        result[kept, place] = scores[:, left : left + 2] @ both - slope * (spent - spent.mean())
    return result
