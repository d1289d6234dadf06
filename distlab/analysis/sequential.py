"""Studies that stop when they know: a confidence sequence on the paired gap of two arms.

An interval made for a fixed number of problems is wrong once its width decides when to stop. A
confidence sequence covers the truth at all times at once with the stated probability, so that one
may look after every problem and stop for any reason (Robbins 1970). This one inverts a betting
martingale (Waudby-Smith & Ramdas, arXiv 2010.09686): capital of 1 is bet against "the gap is m",
a fair game at the true m, whose capital reaches 1/alpha with probability alpha at most (Ville).

Bets are a mixture of fixed fractions, so that no history has to be kept: the capital depends on
what was drawn and not on its order. Units need not be alike; each may have its own number of draws,
chosen in the light of earlier units, as long as the expected difference stays the gap.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from distlab.analysis.arrays import FloatArray
from distlab.analysis.estimate import NOTHING, Estimate

# Shares of the largest bet that cannot go bankrupt (ours): the best share is about
# gap / (gap² + variance), which these cover for gaps of 2 to 50 points. Evenly mixed.
_SHARES: Final = np.geomspace(0.04, 0.8, 8)
# Scores are fractions of counts: what differs later than this is rounding error.
_DECIMALS: Final = 12
_NEXT_TO_MINUS_1: Final = 1e-9
_EXACT: Final = 1e-9
# Standard errors that a gap must be away from zero to be found with 80 % power: about 3.1 for the
# sequence and 0.84 for the power (ours, from the replays in docs/sequential.md).
_ERRORS: Final = 3.9
# Draws are no more than where the variance is within this factor of the least (ours).
_NEAR_LEAST: Final = 1.1


class Conclusion(StrEnum):
    """What a confidence sequence allows to say."""

    INSTRUCT = "instruct"
    BASE = "base"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class AnytimeGap:
    """Instruct minus base at some time of a confidence sequence.

    Attributes:
        problems: Problems with a score in both arms.
        units: Clusters among them; what is taken as independent.
        base: Mean score of the base arm over the problems.
        instruct: Mean score of the instruct arm over them.
        difference: instruct - base with its anytime-valid interval.
        p: Anytime-valid p of "there is no gap"; at most alpha where the interval excludes zero.
        within: Anytime-valid p of "the gap is the margin or more"; at most alpha where the interval
            lies within the margin.
    """

    problems: int
    units: int
    base: float
    instruct: float
    difference: Estimate
    p: float
    within: float

    def conclusion(self, margin: float) -> Conclusion:
        """What the interval allows to say.

        Args:
            margin: A gap that is smaller than this is no gap that matters.
        """
        difference = self.difference
        if difference.low > 0:
            return Conclusion.INSTRUCT
        if difference.high < 0:
            return Conclusion.BASE
        if -margin < difference.low and difference.high < margin:
            return Conclusion.EQUIVALENT
        return Conclusion.UNDECIDED


def anytime_gap(
    base: FloatArray,
    instruct: FloatArray,
    clusters: npt.ArrayLike,
    largest: int,
    alpha: float,
    margin: float,
) -> AnytimeGap:
    """Compare two arms on the same problems, at a time that the data chose.

    Args:
        base: [problems] scores in [0, 1]; NaN where the arm has none.
        instruct: [problems], in the same order.
        clusters: [problems] labels of the sources.
        largest: Problems of the largest cluster of the dataset; known before the first look.
        alpha: Probability that the interval misses the gap at any time.
        margin: A gap that is smaller than this is no gap that matters.
    """
    both = ~(np.isnan(base) | np.isnan(instruct))
    base, instruct = base[both], instruct[both]
    if base.size == 0:
        return AnytimeGap(0, 0, math.nan, math.nan, NOTHING, 1.0, 1.0)
    units = _Units.of(instruct - base, np.asarray(clusters)[both], largest)
    swapped, threshold = units.swapped(), math.log(2 / alpha)
    value = float((instruct - base).mean())
    return AnytimeGap(
        problems=base.size,
        units=int(units.counts.sum()),
        base=float(base.mean()),
        instruct=float(instruct.mean()),
        difference=Estimate(value, units.low(threshold), -swapped.low(threshold)),
        p=_p(max(units.log_capital(0), swapped.log_capital(0))),
        within=_p(min(units.log_capital(-margin), swapped.log_capital(-margin))),
    )


def _p(log_capital: float) -> float:
    """The p of one of two sides whose capital this is."""
    return min(1.0, 2 * math.exp(-log_capital))


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """Clusters by what their problems came to, those that are alike together.

    Attributes:
        sums: [kinds] sums of the differences of a cluster's problems.
        sizes: [kinds] problems of the cluster.
        counts: [kinds] clusters of the kind.
        largest: Problems of the largest cluster.
    """

    sums: FloatArray
    sizes: FloatArray
    counts: FloatArray
    largest: int

    @classmethod
    def of(
        cls, differences: FloatArray, clusters: npt.NDArray[np.generic], largest: int
    ) -> "_Units":
        """Units of the problems' differences."""
        _, inverse = np.unique(clusters, return_inverse=True)
        sums = np.bincount(inverse, weights=differences).round(_DECIMALS)
        sizes = np.bincount(inverse).astype(np.float64)
        alike, counts = np.unique(np.stack([sums, sizes]), axis=1, return_counts=True)
        kinds = np.asarray(alike, dtype=np.float64)
        return cls(kinds[0], kinds[1], counts.astype(np.float64), largest)

    def swapped(self) -> "_Units":
        """The gap with its sign turned."""
        return _Units(-self.sums, self.sizes, self.counts, self.largest)

    def log_capital(self, gap: float) -> float:
        """Logarithm of the capital of bets that the true gap is larger than ``gap``.

        A cluster of n problems with differences d pays 1 + f Σ(d - gap) / (N (1 + gap)) for each
        share f, where N is the largest n: at least 1 - f, as no difference is below -1, and 1 on
        average at the true gap (per problem), whether or not a cluster's problems hang together.
        """
        paid = (self.sums - self.sizes * gap) / (self.largest * (1 + gap))
        capitals = np.log1p(_SHARES[:, None] * paid) @ self.counts
        return float(np.logaddexp.reduce(capitals)) - math.log(_SHARES.size)

    def low(self, threshold: float) -> float:
        """The gap against which the capital is just ``exp(threshold)``; it falls as gaps grow."""
        mean = float(self.sums @ self.counts) / float(self.sizes @ self.counts)
        least = -1 + _NEXT_TO_MINUS_1
        if mean <= least or self.log_capital(least) <= threshold:
            return -1.0
        # Not at the top: records of decisions are read where nothing slow may be imported.
        from scipy.optimize import brentq

        root = brentq(lambda gap: self.log_capital(gap) - threshold, least, mean, xtol=_EXACT)
        return float(root)


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the variance of a problem's difference comes from.

    Attributes:
        between: Variance of the true differences of problems.
        within: Variance of one draw around its problem's mean, averaged over problems: base,
            instruct.
    """

    between: float
    within: tuple[float, float]

    def variance(self, draws: tuple[int, int]) -> float:
        """Variance of a problem's difference with so many draws of each arm."""
        return self.between + sum(w / r for w, r in zip(self.within, draws, strict=True))


def spread(
    differences: FloatArray, noise: tuple[FloatArray, FloatArray], draws: npt.NDArray[np.int64]
) -> Spread:
    """Split the variance of problems' differences by the method of moments.

    Args:
        differences: [problems], without NaN.
        noise: Base's and instruct's [problems] unbiased variances of one draw; NaN where a problem
            has one draw.
        draws: [problems, 2] draws of base and instruct.
    """
    within = (_mean_or_0(noise[0]), _mean_or_0(noise[1]))
    expected = float((np.array(within) / draws).sum(axis=1).mean())
    total = float(differences.var(ddof=1)) if differences.size > 1 else 1.0
    return Spread(max(total - expected, 0.0), within)


def _mean_or_0(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else 0.0


def allocate(
    found: Spread, options: tuple[Sequence[int], Sequence[int]], problems: int, margin: float
) -> tuple[int, int]:
    """Draws per problem of each arm that decide the study most cheaply.

    The fewest with which ``problems`` problems would show a gap of ``margin`` with 80 % power,
    where more problems are always to be had more cheaply than more draws. Where no number of draws
    does, the fewest whose variance is near the least that there is.

    Draws are chosen for all problems to come, never for one in the light of its own draws, as the
    mean of a problem that is drawn until it looks settled is biased.

    Args:
        found: Of the problems so far.
        options: Draws that base and instruct may have, ascending.
        problems: Of the dataset.
        margin: Smallest gap that matters.
    """
    enough = problems * (margin / _ERRORS) ** 2
    least = found.variance((options[0][-1], options[1][-1]))
    most = max(enough, _NEAR_LEAST * least)
    choices = sorted(product(*options), key=lambda draws: (sum(draws), found.variance(draws)))
    return next(draws for draws in choices if found.variance(draws) <= most)
