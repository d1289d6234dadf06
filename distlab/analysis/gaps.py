"""The paired gap between two arms: bootstrap, clustered error, exact McNemar, Holm."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from distlab.analysis.arrays import FloatArray
from distlab.analysis.intervals import LEVEL, NOTHING, RESAMPLES, SEED, Estimate, mean_interval


@dataclass(frozen=True, slots=True)
class Gap:
    """Instruct minus base over the problems that both arms have a score for.

    Attributes:
        problems: Problems with a score in both arms.
        base: Mean score of the base arm over them.
        instruct: Mean score of the instruct arm over them.
        difference: instruct - base with its bootstrap interval, problems resampled.
        error: Standard error of the difference, problems independent.
        clusters: Distinct clusters among the problems.
        clustered: The difference with the interval from the clustered standard error.
        clustered_error: Standard error of the difference, clusters independent.
        base_only: Problems where base scores higher (solved by base alone, if scores are 0/1).
        instruct_only: Problems where instruct scores higher.
        p: Exact McNemar p, two-sided; NaN unless every score is 0 or 1.
    """

    problems: int
    base: float
    instruct: float
    difference: Estimate
    error: float
    clusters: int
    clustered: Estimate
    clustered_error: float
    base_only: int
    instruct_only: int
    p: float


def paired_gap(
    base: FloatArray,
    instruct: FloatArray,
    clusters: npt.ArrayLike | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Gap:
    """Compare two arms on the same problems.

    Args:
        base: [problems] scores in [0, 1]; NaN where the arm has none.
        instruct: [problems], in the same order.
        clusters: [problems] labels of the sources; None for one source per problem.
        resamples: Bootstrap resamples.
        seed: Seed of the resamples.
    """
    both = ~(np.isnan(base) | np.isnan(instruct))
    labels = np.arange(base.size) if clusters is None else np.asarray(clusters)
    base, instruct, labels = base[both], instruct[both], labels[both]
    if base.size == 0:
        nan = math.nan
        return Gap(0, nan, nan, NOTHING, nan, 0, NOTHING, nan, 0, 0, nan)
    difference = instruct - base
    clustered_error = clustered_standard_error(difference, labels)
    count = np.unique(labels).size
    base_only, instruct_only = int((difference < 0).sum()), int((difference > 0).sum())
    binary = bool(np.isin(base, (0, 1)).all() and np.isin(instruct, (0, 1)).all())
    return Gap(
        problems=base.size,
        base=float(base.mean()),
        instruct=float(instruct.mean()),
        difference=mean_interval(difference, resamples=resamples, seed=seed),
        error=standard_error(difference),
        clusters=count,
        clustered=_student(float(difference.mean()), clustered_error, count - 1),
        clustered_error=clustered_error,
        base_only=base_only,
        instruct_only=instruct_only,
        p=mcnemar(base_only, instruct_only) if binary else math.nan,
    )


def _student(value: float, error: float, freedom: int) -> Estimate:
    """Student's t instead of Miller's 1.96, since some datasets have few clusters (ours)."""
    if math.isnan(error) or error == 0:
        return Estimate(value, math.nan, math.nan)
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
    return Estimate(value, value - half, value + half)


def standard_error(values: FloatArray) -> float:
    """Standard error of the mean by the central limit theorem; NaN below two values.

    Over paired differences this is Miller's paired standard error (arXiv 2411.00640).
    """
    if values.size < 2:
        return math.nan
    return float(values.std(ddof=1)) / math.sqrt(values.size)


def clustered_standard_error(values: FloatArray, clusters: npt.ArrayLike) -> float:
    """Standard error of the mean where values of a cluster hang together.

    The clustered standard error of Miller, arXiv 2411.00640, over values s and clusters c:
    the root of SE² + (1/n²) Σ_c Σ_{i≠j in c} (s_i - s̄)(s_j - s̄).

    Args:
        values: [n], without NaN.
        clusters: [n] labels.

    Returns:
        The error; NaN with fewer than two clusters.
    """
    labels, inverse = np.unique(np.asarray(clusters), return_inverse=True)
    if labels.size < 2:
        return math.nan
    residuals = values - values.mean()
    within = np.bincount(inverse, weights=residuals)
    cross = float((within**2).sum() - (residuals**2).sum()) / values.size**2
    return math.sqrt(max(standard_error(values) ** 2 + cross, 0.0))


def mcnemar(base_only: int, instruct_only: int) -> float:
    """Exact two-sided McNemar p from the discordant problems (McNemar 1947, binomial form).

    Returns:
        The p; 1 where no problem is discordant.
    """
    discordant = base_only + instruct_only
    if discordant == 0:
        return 1.0
    return float(stats.binomtest(base_only, discordant, 0.5).pvalue)


def holm(p: Sequence[float]) -> FloatArray:
    """Holm's step-down adjusted p values (Holm 1979).

    Args:
        p: [tests]; NaN marks a test that was not made and does not count.

    Returns:
        [tests] adjusted, NaN where ``p`` is NaN.
    """
    raw = np.asarray(p, dtype=np.float64)
    made = np.flatnonzero(~np.isnan(raw))
    order = made[np.argsort(raw[made], kind="stable")]
    factors = made.size - np.arange(made.size)
    adjusted = np.full(raw.shape, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(raw[order] * factors), 1.0)
    return adjusted
