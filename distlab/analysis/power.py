"""Power: the smallest gap that a design would have found."""

import math
from typing import Final

from scipy import stats

from distlab.analysis.intervals import LEVEL

# Chance of finding a gap of that size (ours; the convention).
POWER: Final = 0.8


def smallest_detectable(error: float) -> float:
    """Smallest true gap that a two-sided test at 5 % finds with 80 % power.

    (z_{0.975} + z_{0.8}) standard errors, the minimum detectable effect of Miller, arXiv
    2411.00640, at the error that was observed.

    Args:
        error: Standard error of the paired difference.

    Returns:
        The gap, in the unit of ``error``; NaN where ``error`` is, or where it is zero: problems
        that all differ alike say nothing of the spread (ours).
    """
    if error == 0:
        return math.nan
    return float(stats.norm.ppf((1 + LEVEL) / 2) + stats.norm.ppf(POWER)) * error
