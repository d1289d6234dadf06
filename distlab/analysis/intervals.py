"""95 % intervals of figures, by bootstrap or by Wilson's formula."""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from distlab.analysis.arrays import FloatArray
from distlab.analysis.estimate import NOTHING, Estimate

# With 10 000 resamples the ends of a 95 % interval vary by about 3 % of a standard error from seed
# to seed; number and seed are (ours), one for every table.
RESAMPLES: Final = 10_000
SEED: Final = 0
LEVEL: Final = 0.95
# Scores are fractions of counts: what differs later than this is rounding error.
_DECIMALS: Final = 12
# Distinct values up to which a multinomial is the cheaper draw, and items up to which the matrix of
# all draws is small enough to keep (2000 items and 10 000 draws take 40 MB).
_FEW_LEVELS: Final = 8
_FEW_ITEMS: Final = 2_000
# Draws that are multiplied at a time, since products want them as floats.
_DRAWS: Final = 1_000
# To draw how often one value turns up costs as much as to draw so many items (measured), which
# are drawn so many at a time.
_LEVEL_COST: Final = 5
_DRAWN_AT_ONCE: Final = 1 << 20


def resampled_means(
    values: FloatArray, *, resamples: int = RESAMPLES, seed: int = SEED
) -> FloatArray:
    """Means of bootstrap resamples of ``values``.

    Drawing n items with replacement is drawing how often each distinct value turns up, a
    multinomial: exact, and cheap where problem scores take few distinct values. Where they take
    many, the items themselves are drawn, for short arrays once for all of that length.

    Args:
        values: [n] without NaN, n >= 1.
        resamples: Resamples.
        seed: Seed of the resamples.

    Returns:
        [draws] means, rounded so that a mean of zero is zero.
    """
    levels, counts = np.unique(values.round(_DECIMALS), return_counts=True)
    if levels.size > _FEW_LEVELS and values.size <= _FEW_ITEMS:
        counted = _item_counts(values.size, resamples, seed)
        blocks = (counted[begin : begin + _DRAWS] for begin in range(0, resamples, _DRAWS))
        means = np.concatenate([block.astype(np.float64) @ values for block in blocks])
        means = means / values.size
    elif levels.size * _LEVEL_COST > values.size and values.size > _FEW_ITEMS:
        means = _means_of_items(values, resamples, seed)
    else:
        rng, shares = np.random.default_rng(seed), counts / values.size
        # As many values as there are items would take gigabytes at once.
        sizes = _sizes(resamples, _DRAWS)
        drawn = (rng.multinomial(values.size, shares, size=size) for size in sizes)
        means = np.concatenate([block @ levels for block in drawn]) / values.size
    return np.asarray(means.round(_DECIMALS), dtype=np.float64)


def _sizes(resamples: int, most: int) -> Iterator[int]:
    """Of blocks that make up all resamples."""
    return (min(most, resamples - begin) for begin in range(0, resamples, most))


def _means_of_items(values: FloatArray, resamples: int, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    sizes = _sizes(resamples, max(1, _DRAWN_AT_ONCE // values.size))
    drawn = (rng.integers(0, values.size, (size, values.size)) for size in sizes)
    return np.concatenate([values[places].mean(axis=1) for places in drawn])


@lru_cache(maxsize=8)
def _item_counts(items: int, resamples: int, seed: int) -> npt.NDArray[np.int16]:
    """[draws, items]: how often each item turns up in each resample; kept for several datasets."""
    rng = np.random.default_rng(seed)
    counts = np.empty((resamples, items), dtype=np.int16)
    for row in counts:
        row[:] = np.bincount(rng.integers(0, items, items), minlength=items)
    return counts


def percentile_interval(value: float, resampled: FloatArray) -> Estimate:
    """The percentile interval of ``resampled`` around ``value`` (Efron 1979)."""
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(resampled, [tail, 100 - tail])
    return Estimate(value, float(low), float(high))


def mean_interval(values: FloatArray, *, resamples: int = RESAMPLES, seed: int = SEED) -> Estimate:
    """Mean of ``values`` with a seeded percentile bootstrap interval.

    Where fewer than two values, or only equal ones, are there, every resample is the same; a
    width of zero would claim a certainty that nobody has, so the ends are NaN (ours).

    Args:
        values: [n], one per problem; NaN marks a problem without a figure and is left out.
        resamples: Resamples.
        seed: Seed of the resamples.
    """
    kept = values[~np.isnan(values)]
    if kept.size == 0:
        return NOTHING
    mean = float(kept.mean())
    if np.ptp(kept) == 0:
        return Estimate(mean, math.nan, math.nan)
    return percentile_interval(mean, resampled_means(kept, resamples=resamples, seed=seed))


def proportion_interval(values: FloatArray) -> Estimate:
    """Share of ones with Wilson's score interval (Wilson 1927).

    Args:
        values: [n] of 0, 1 or NaN; NaN is left out.
    """
    kept = values[~np.isnan(values)]
    if kept.size == 0:
        return NOTHING
    return wilson_interval(float(kept.mean()), kept.size, math.inf)


def wilson_interval(share: float, size: float, freedom: float) -> Estimate:
    """Wilson's score interval (1927), with Student's t in the place of the normal distribution.

    Args:
        share: As it was observed.
        size: Of how many independent things, a fraction where these are an effective number.
        freedom: Degrees of freedom of its error; infinite for the normal distribution.
    """
    square = float(special.stdtrit(freedom, (1 + LEVEL) / 2)) ** 2
    centre = (share + square / (2 * size)) / (1 + square / size)
    spread = math.sqrt(share * (1 - share) / size + square / (4 * size**2))
    half = math.sqrt(square) * spread / (1 + square / size)
    # At 0 and 1 an end is the share itself, but for rounding.
    return Estimate(share, min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share))
