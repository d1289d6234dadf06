"""Scale: the gap against the parameter count, as a trend and by groups of sizes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from distlab.analysis.arrays import BoolArray, FloatArray
from distlab.analysis.contrasts import EMPTY, Contrast, student


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
        smallest: Parameters of the smallest of the families; NaN without families.
        largest: Parameters of the largest.
    """

    families: int
    lineages: int
    slope: Contrast
    scatter: float
    crossing: float
    smallest: float
    largest: float


def gap_trend(
    parameters: FloatArray, gaps: FloatArray, errors: FloatArray, lineages: Sequence[str]
) -> Trend:
    """Fit the line over log10(parameters).

    Args:
        parameters: [families] parameter counts.
        gaps: [families] instruct - base.
        errors: [families] standard errors of the gaps; families without one are left out.
        lineages: [families] series that a family is a size of.

    Returns:
        The trend; its slope is empty with fewer than three lineages or one size only.
    """
    fit = _regress(np.log10(parameters), gaps, errors, lineages)
    told = fit.slope.estimate.low > 0 or fit.slope.estimate.high < 0
    crossing = 10 ** float(fit.centre - fit.height / fit.slope.value) if told else math.nan
    sizes = parameters[_usable(gaps, errors)]
    smallest, largest = (sizes.min(), sizes.max()) if sizes.size else (math.nan, math.nan)
    return Trend(
        *(fit.families, fit.lineages, fit.slope, fit.scatter, crossing),
        smallest=float(smallest),
        largest=float(largest),
    )


def _usable(gaps: FloatArray, errors: FloatArray) -> BoolArray:
    """[families] whether one has a gap with an error."""
    usable: BoolArray = (errors > 0) & ~np.isnan(gaps)
    return usable


@dataclass(frozen=True, slots=True)
class SizeGroups:
    """The gaps of large families against those of small ones.

    Attributes:
        small: Families up to the lower limit.
        large: Families from the upper limit on.
        lineages: Makers' series that all of them belong to.
        small_mean: Mean gap of the small ones, as the fit weighs them; NaN without a difference.
        large_mean: Mean gap of the large ones.
        difference: Large minus small.
    """

    small: int
    large: int
    lineages: int
    small_mean: float
    large_mean: float
    difference: Contrast


def size_groups(
    parameters: FloatArray,
    gaps: FloatArray,
    errors: FloatArray,
    lineages: Sequence[str],
    limits: tuple[float, float],
) -> SizeGroups:
    """Compare the families above a size with those below another; families between have no say.

    The same fit as ``gap_trend``'s, over 1 for large and 0 for small: families scatter within
    either group, and sizes of one lineage hang together.

    Args:
        parameters: [families] parameter counts.
        gaps: [families] instruct - base.
        errors: [families] standard errors of the gaps; families without one are left out.
        lineages: [families] series that a family is a size of.
        limits: Most parameters of a small family, and fewest of a large one.

    Returns:
        The groups; their difference is empty with fewer than three lineages, or an empty group.
    """
    is_small, is_large = parameters <= limits[0], parameters >= limits[1]
    kept = (is_small | is_large) & (errors > 0) & ~np.isnan(gaps)
    small, large = int((is_small & kept).sum()), int((is_large & kept).sum())
    series = np.asarray(lineages, dtype=np.str_)[kept].tolist()
    fit = _regress(is_large[kept].astype(np.float64), gaps[kept], errors[kept], series)
    low = fit.height - fit.slope.value * fit.centre
    return SizeGroups(small, large, fit.lineages, low, low + fit.slope.value, fit.slope)


@dataclass(frozen=True, slots=True)
class _Fit:
    """A line of the gap over some covariate: ``height`` at ``centre``, and ``slope``."""

    families: int
    lineages: int
    slope: Contrast
    scatter: float
    centre: float
    height: float


def _regress(
    covariate: FloatArray, gaps: FloatArray, errors: FloatArray, lineages: Sequence[str]
) -> _Fit:
    """Random-effects meta-regression.

    The scatter of families is Paule & Mandel's (1982). The slope's variance is the larger of
    Knapp & Hartung's (2003, never below the model's own) and a CR1 sandwich over lineages, and its
    interval and test are Student's t with lineages - 2 degrees of freedom (ours): few as these are,
    no asymptotic error holds.
    """
    kept = _usable(gaps, errors)
    x, y, variances = covariate[kept], gaps[kept], errors[kept] ** 2
    groups = np.unique(np.asarray(lineages, dtype=np.str_)[kept], return_inverse=True)[1]
    count = int(groups.max()) + 1 if groups.size else 0
    if count < 3 or np.ptp(x) == 0:
        return _Fit(x.size, count, EMPTY, math.nan, math.nan, math.nan)
    scatter = _scatter(x, y, variances)
    weights = 1 / (variances + scatter)
    centre, height, slope, residuals = _line(x, y, weights)
    leverage = weights * (x - centre)
    spread = float((leverage * (x - centre)).sum())
    hartung = max(1.0, float((weights * residuals**2).sum()) / (x.size - 2)) / spread
    sums = np.bincount(groups, weights=leverage * residuals)
    sandwich = float((sums**2).sum()) / spread**2 * count / (count - 2)
    estimate = student(slope, math.sqrt(max(hartung, sandwich)), count - 2)
    return _Fit(x.size, count, estimate, math.sqrt(scatter), centre, height)


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
