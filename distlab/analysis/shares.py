"""Shares with intervals, where what is counted hangs together."""

import math

import numpy as np
import numpy.typing as npt

from distlab.analysis.arrays import FloatArray, IntArray
from distlab.analysis.contrasts import Mean, contrast
from distlab.analysis.estimate import NOTHING, Estimate
from distlab.analysis.intervals import mean_interval, proportion_interval, wilson_interval


def share_interval(
    counted: FloatArray | IntArray,
    among: FloatArray | IntArray,
    clusters: npt.ArrayLike | None = None,
) -> Estimate:
    """The share of ``counted`` in ``among``, with Wilson's interval at the effective size.

    The size is that of independent counts with the same error, which is clustered by source
    (Dean & Pavlou 2015, after Korn & Graubard 1998), with Student's t. Where none or all are
    counted, it is the number of sources.

    Args:
        counted: [problems] how many of a problem's samples are counted.
        among: [problems] of how many.
        clusters: [problems] labels of the sources; None for one source per problem.

    Returns:
        The share; NaN where there is nothing to count among.
    """
    kept = among > 0
    counted, among = counted[kept].astype(np.float64), among[kept].astype(np.float64)
    if among.size == 0:
        return NOTHING
    labels = np.arange(among.size) if clusters is None else np.asarray(clusters)[kept]
    sources = np.unique(labels).size
    share = float(counted.sum() / among.sum())
    # The influence of a problem on a ratio of sums.
    influence = (counted - share * among) / among.mean()
    spread = contrast(Mean(influence, labels), resamples=0, is_tested=False)
    if math.isnan(spread.error):  # Too few sources, see ``contrast``.
        return Estimate(share, math.nan, math.nan)
    if share in (0, 1) or np.ptp(influence) == 0:
        return wilson_interval(share, sources, sources - 1)
    return wilson_interval(share, share * (1 - share) / spread.error**2, spread.freedom)


def solved_interval(values: FloatArray, clusters: npt.ArrayLike | None = None) -> Estimate:
    """Share of ones with Wilson's score interval, at the effective size where sources are shared.

    Args:
        values: [problems] of 0, 1 or NaN; NaN is left out.
        clusters: [problems] labels of the sources; None for one source per problem.
    """
    kept = ~np.isnan(values)
    labels = None if clusters is None else np.asarray(clusters)[kept]
    if labels is None or np.unique(labels).size == labels.size:
        return proportion_interval(values)
    return share_interval(values[kept], np.ones(int(kept.sum())), labels)


def mean_score(values: FloatArray, clusters: npt.ArrayLike | None = None) -> Estimate:
    """Mean with a bootstrap interval over problems, or Student's t where sources are shared.

    Args:
        values: [problems] scores in [0, 1]; NaN is left out.
        clusters: [problems] labels of the sources; None for one source per problem.
    """
    kept = ~np.isnan(values)
    labels = None if clusters is None else np.asarray(clusters)[kept]
    if labels is None or np.unique(labels).size == labels.size:
        return mean_interval(values)
    found = contrast(Mean(values[kept], labels), resamples=0, is_tested=False).estimate
    # Student's t knows no bounds; NaN ends stay as they are.
    return Estimate(found.value, float(np.clip(found.low, 0, 1)), float(np.clip(found.high, 0, 1)))
