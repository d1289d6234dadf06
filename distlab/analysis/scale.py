"""Scale: the gap against the parameter count, with the uncertainty of its trend."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from distlab.analysis.arrays import FloatArray
from distlab.analysis.contrasts import EMPTY, Contrast
from distlab.analysis.estimate import Estimate
from distlab.analysis.intervals import LEVEL


@dataclass(frozen=True, slots=True)
class Trend:
    """A straight line of the gap over log10(parameters), families scattering about it.

    Attributes:
        families: Families with a gap and an error.
        lineages: Makers' series that they belong to; sizes of one are not independent.
        slope: Change of the gap for ten times the parameters.
        scatter: Standard deviation of families about the line, beyond the errors of their gaps.
        crossing: Parameters at which the line crosses zero; NaN where the slope's interval holds
            zero, since the line then may not cross at all.
    """

    families: int
    lineages: int
    slope: Contrast
    scatter: float
    crossing: float


def gap_trend(
    parameters: FloatArray, gaps: FloatArray, errors: FloatArray, lineages: Sequence[str]
) -> Trend:
    """Fit the line by random-effects meta-regression.

    The scatter of families is Paule & Mandel's (1982). The slope's variance is the larger of
    Knapp & Hartung's (2003, never below the model's own) and a CR1 sandwich over lineages, and its
    interval and test are Student's t with lineages - 2 degrees of freedom (ours): few as these are,
    no asymptotic error holds.

    Args:
        parameters: [families] parameter counts.
        gaps: [families] instruct - base.
        errors: [families] standard errors of the gaps; families without one are left out.
        lineages: [families] series that a family is a size of.

    Returns:
        The trend; its slope is empty with fewer than three lineages or one size only.
    """
    kept = (errors > 0) & ~np.isnan(gaps)
    x, y, variances = np.log10(parameters[kept]), gaps[kept], errors[kept] ** 2
    groups = np.unique(np.asarray(lineages, dtype=np.str_)[kept], return_inverse=True)[1]
    count = int(groups.max()) + 1 if groups.size else 0
    if count < 3 or np.ptp(x) == 0:
        return Trend(x.size, count, EMPTY, math.nan, math.nan)
    scatter = _scatter(x, y, variances)
    weights = 1 / (variances + scatter)
    centre, height, slope, residuals = _line(x, y, weights)
    leverage = weights * (x - centre)
    spread = float((leverage * (x - centre)).sum())
    hartung = max(1.0, float((weights * residuals**2).sum()) / (x.size - 2)) / spread
    sums = np.bincount(groups, weights=leverage * residuals)
    sandwich = float((sums**2).sum()) / spread**2 * count / (count - 2)
    estimate = _student(slope, math.sqrt(max(hartung, sandwich)), count - 2)
    told = estimate.estimate.low > 0 or estimate.estimate.high < 0
    crossing = 10 ** float(centre - height / slope) if told else math.nan
    return Trend(x.size, count, estimate, math.sqrt(scatter), crossing)


def _line(
    x: FloatArray, y: FloatArray, weights: FloatArray
) -> tuple[float, float, float, FloatArray]:
    """Weighted least squares: the centre, the height there, the slope, the residuals."""
    centre = float(np.average(x, weights=weights))
    spread = float((weights * (x - centre) ** 2).sum())
    slope = float((weights * (x - centre) * y).sum()) / spread
    height = float(np.average(y, weights=weights))
    return centre, height, slope, y - height - slope * (x - centre)


def _scatter(x: FloatArray, y: FloatArray, variances: FloatArray) -> float:
    """Paule & Mandel's variance between families: weighted residuals come to their mean."""

    def excess(scatter: float) -> float:
        weights = 1 / (variances + scatter)
        residuals = _line(x, y, weights)[3]
        return float((weights * residuals**2).sum()) - (x.size - 2)

    most = float(np.ptp(y)) ** 2 + 1e-12
    if excess(0.0) <= 0 or excess(most) >= 0:
        return 0.0 if excess(0.0) <= 0 else most
    return float(optimize.brentq(excess, 0.0, most))


def _student(slope: float, error: float, freedom: float) -> Contrast:
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
    estimate = Estimate(slope, slope - half, slope + half)
    p = float(2 * stats.t.sf(abs(slope) / error, freedom))
    return Contrast(estimate, estimate, error, freedom, p)
