"""The perturbation drop: the change of a score from an original problem to its perturbation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distlab.analysis.arrays import FloatArray
from distlab.analysis.intervals import (
    NOTHING,
    RESAMPLES,
    SEED,
    Estimate,
    mean_interval,
    percentile_interval,
    resampled_means,
)


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one arm on one side of the pairs.

    Attributes:
        pairs: [problems] key of the pair each problem belongs to.
        values: [problems] scores in [0, 1]; NaN where the arm has none.
    """

    pairs: Sequence[str]
    values: FloatArray

    def by_pair(self) -> tuple[npt.NDArray[np.str_], FloatArray]:
        """Pair keys, sorted, and the mean score under each; NaN problems are left out."""
        kept = ~np.isnan(self.values)
        keys, inverse = np.unique(np.asarray(self.pairs, dtype=np.str_)[kept], return_inverse=True)
        sums = np.bincount(inverse, weights=self.values[kept], minlength=keys.size)
        return keys, sums / np.bincount(inverse, minlength=keys.size)


@dataclass(frozen=True, slots=True)
class Drop:
    """Perturbed minus original over the pairs with both sides; negative means worse.

    Attributes:
        pairs: Pairs with a score on both sides.
        before: Mean score on the originals of these pairs.
        after: Mean score on their perturbations.
        change: after - before with its bootstrap interval, pairs resampled.
    """

    pairs: int
    before: float
    after: float
    change: Estimate


def paired_drop(
    before: Scores, after: Scores, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Drop | None:
    """The drop paired by problem, or None where no pair has both sides."""
    first, second = _aligned(before, after)
    if first.size == 0:
        return None
    change = mean_interval(second - first, resamples=resamples, seed=seed)
    return Drop(first.size, float(first.mean()), float(second.mean()), change)


def drop_difference(
    base: tuple[Scores, Scores],
    instruct: tuple[Scores, Scores],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> tuple[int, Estimate]:
    """Change of the instruct arm minus change of the base arm, over pairs that both have.

    Args:
        base: The base arm before and after.
        instruct: The instruct arm before and after.
        resamples: Bootstrap resamples.
        seed: Seed of the resamples.

    Returns:
        Number of pairs, and the difference; negative means that instruct loses more.
    """
    sides = _aligned(*base, *instruct)
    difference = (sides[3] - sides[2]) - (sides[1] - sides[0])
    return difference.size, mean_interval(difference, resamples=resamples, seed=seed)


def unpaired_drop(
    before: FloatArray, after: FloatArray, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Estimate:
    """Difference of the means of two problem sets, each resampled on its own.

    This is the figure that papers give; it also holds whatever else tells the two sets apart.
    """
    first, second = before[~np.isnan(before)], after[~np.isnan(after)]
    if first.size == 0 or second.size == 0:
        return NOTHING
    value = float(second.mean() - first.mean())
    if np.ptp(first) == 0 and np.ptp(second) == 0:
        return Estimate(value, np.nan, np.nan)
    # Seeds of their own: the two sets are resampled independently.
    resampled = resampled_means(second, resamples=resamples, seed=seed)
    resampled = resampled - resampled_means(first, resamples=resamples, seed=seed + 1)
    return percentile_interval(value, resampled)


def _aligned(*sides: Scores) -> list[FloatArray]:
    """The mean scores of every side over the pair keys that all sides have, in key order."""
    tables = [side.by_pair() for side in sides]
    common = tables[0][0]
    for keys, _ in tables[1:]:
        common = np.intersect1d(common, keys, assume_unique=True)
    return [values[np.searchsorted(keys, common)] for keys, values in tables]
