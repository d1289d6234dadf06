"""Scale: the gap against the parameter count, with the uncertainty of its trend."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from distlab.analysis.arrays import FloatArray
from distlab.analysis.intervals import LEVEL, NOTHING, Estimate


@dataclass(frozen=True, slots=True)
class Trend:
    """A weighted straight line of the gap over log10(parameters).

    Attributes:
        families: Families with a gap and an error.
        slope: Change of the gap for ten times the parameters.
        crossing: Parameters at which the line crosses zero; NaN where the slope's interval holds
            zero, since the line then may not cross at all.
    """

    families: int
    slope: Estimate
    crossing: float


def gap_trend(parameters: FloatArray, gaps: FloatArray, errors: FloatArray) -> Trend:
    """Fit the line by weighted least squares.

    Weights are 1 / error². Families differ by more than sampling error, so the slope's standard
    error is inflated by the root of the reduced chi-square where that is above 1 (the Birge ratio),
    and its interval uses Student's t with families - 2 degrees of freedom (ours).

    Args:
        parameters: [families] parameter counts.
        gaps: [families] instruct - base.
        errors: [families] standard errors of the gaps; families without one are left out.

    Returns:
        The trend; its slope is NaN with fewer than three families or one size only.
    """
    kept = (errors > 0) & ~np.isnan(gaps)
    x, y, weights = np.log10(parameters[kept]), gaps[kept], 1 / errors[kept] ** 2
    if x.size < 3 or np.ptp(x) == 0:
        return Trend(x.size, NOTHING, math.nan)
    centre = np.average(x, weights=weights)
    spread = float((weights * (x - centre) ** 2).sum())
    slope = float((weights * (x - centre) * y).sum()) / spread
    height = float(np.average(y, weights=weights))
    residuals = y - height - slope * (x - centre)
    birge = float((weights * residuals**2).sum()) / (x.size - 2)
    half = float(stats.t.ppf((1 + LEVEL) / 2, x.size - 2)) * math.sqrt(max(birge, 1.0) / spread)
    estimate = Estimate(slope, slope - half, slope + half)
    crossing = 10 ** float(centre - height / slope) if estimate.sign else math.nan
    return Trend(x.size, estimate, crossing)
