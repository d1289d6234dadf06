"""Power: the smallest gap that a design would have found."""

import math
from functools import lru_cache
from typing import Final

import numpy as np
from scipy import optimize, special, stats

from distlab.analysis.arrays import FloatArray
from distlab.analysis.claims import ALPHA
from distlab.analysis.gaps import Gap

# Chance of finding a gap of that size (ours; the convention).
POWER: Final = 0.8
# Standard deviations of a binomial count, and counts besides, beyond which nothing is left of it.
_DEVIATIONS, _BESIDES = 10, 20


def smallest_detectable(gap: Gap, level: float = ALPHA) -> float:
    """Smallest true gap that the test of a gap finds with 80 % power, at the spread observed.

    Between scores of 0 and 1 it is exact: the power of the exact McNemar test, over the binomial
    number of discordant problems and how these fall, at the discordant share that was observed.
    Problems that share sources count as the fewer independent ones with the same error. For
    other scores it is (t_{1-level/2} + t_{0.8}) standard errors (Miller, arXiv 2411.00640).

    Args:
        gap: As it was observed.
        level: Level of the two-sided test.

    Returns:
        The gap, as a share; NaN where problems that all differ alike say nothing of the spread
        (ours), or where no gap would be found.
    """
    error = gap.difference.error
    alike = gap.problems in (gap.base_only, gap.instruct_only)
    if math.isnan(error) or alike or gap.base_only == gap.instruct_only == 0:
        return math.nan
    if math.isnan(gap.mcnemar):
        freedom = gap.difference.freedom
        quantiles = special.stdtrit(freedom, [1 - level / 2, POWER])
        gap_found = float(quantiles.sum()) * error
        return gap_found if gap_found <= 1 else math.nan
    discordant = (gap.base_only + gap.instruct_only) / gap.problems
    if gap.clusters == gap.problems:
        return _exact(gap.problems, discordant, level)
    alone = (discordant - gap.difference.value**2) / gap.problems
    return _exact(max(round(min(1.0, alone / error**2) * gap.problems), 2), discordant, level)


def _exact(problems: int, discordant: float, level: float) -> float:
    """Where the exact test's power crosses 80 %; the discordant share grows where it must."""

    def lacking(gap: float) -> float:
        return mcnemar_power(problems, max(discordant, gap), gap, level) - POWER

    if lacking(1.0) < 0:
        return math.nan
    return float(optimize.brentq(lacking, 1e-6, 1.0, xtol=1e-5))


def mcnemar_power(problems: int, discordant: float, gap: float, level: float = ALPHA) -> float:
    """Chance that the exact McNemar test rejects, in the gap's direction.

    Args:
        problems: Problems that both arms answer.
        discordant: Chance that a problem is solved by one arm alone.
        gap: Second arm's share minus the first's, at most ``discordant``.
        level: Level of the two-sided test.
    """
    spread = math.sqrt(problems * discordant * (1 - discordant))
    middle, reach = round(problems * discordant), math.ceil(_DEVIATIONS * spread) + _BESIDES
    first, last = max(middle - reach, 0), min(middle + reach, problems)
    counts = np.arange(first, last + 1, dtype=np.float64)
    losing = (discordant - gap) / (2 * discordant)
    chances = stats.binom.pmf(counts, problems, discordant)
    most = _losing_at_most(problems, level / 2)[first : last + 1]
    return float((chances * stats.binom.cdf(most, counts, losing)).sum())


@lru_cache(maxsize=64)
def _losing_at_most(problems: int, tail: float) -> FloatArray:
    """The largest number on the losing side with which each count of discordant problems rejects.

    Returns:
        [problems + 1] the largest k with P(Binomial(count, 1/2) <= k) <= tail; -1 where there is
        none.
    """
    counts = np.arange(problems + 1, dtype=np.float64)
    nearest = stats.binom.ppf(tail, counts, 0.5)
    fits = stats.binom.cdf(nearest, counts, 0.5) <= tail
    return np.where(fits, nearest, nearest - 1)


def replication_power(error: float, margin: float, level: float = ALPHA) -> float:
    """Chance that two one-sided tests call two equal truths equal.

    Args:
        error: Standard error of the difference of the two figures.
        margin: Differences of less are none.
        level: Level of each test.
    """
    reach = margin / error - float(stats.norm.isf(level))
    return max(0.0, 2 * float(stats.norm.cdf(reach)) - 1)
