"""The perturbation drop: the change of a score from an original problem to its perturbation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from distlab.analysis.arrays import FloatArray
from distlab.analysis.contrasts import Contrast, Mean, contrast, is_coarse
from distlab.analysis.intervals import RESAMPLES, SEED, percentile_interval, resampled_means


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one arm on one side of the pairs.

    Attributes:
        pairs: [problems] key of the pair each problem belongs to.
        values: [problems] scores in [0, 1]; NaN where the arm has none.
        clusters: [problems] labels of the sources; None where each pair is its own.
    """

    pairs: Sequence[str]
    values: FloatArray
    clusters: npt.ArrayLike | None = None

    def by_pair(self) -> tuple[npt.NDArray[np.str_], FloatArray, npt.NDArray[np.generic]]:
        """Pair keys, sorted, the mean score under each, and its source; NaN is left out."""
        kept = ~np.isnan(self.values)
        pairs = np.asarray(self.pairs, dtype=np.str_)[kept]
        sources = pairs if self.clusters is None else np.asarray(self.clusters)[kept]
        keys, first, inverse = np.unique(pairs, return_index=True, return_inverse=True)
        sums = np.bincount(inverse, weights=self.values[kept], minlength=keys.size)
        return keys, sums / np.bincount(inverse, minlength=keys.size), sources[first]


@dataclass(frozen=True, slots=True, eq=False)
class PairedChange:
    """Changes of the pairs that have both sides.

    Attributes:
        before: [pairs] scores of the originals.
        after: [pairs] scores of their perturbations.
        clusters: [pairs] labels of their sources.
    """

    before: FloatArray
    after: FloatArray
    clusters: npt.NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class Drop:
    """Perturbed minus original over the pairs with both sides; negative means worse.

    Attributes:
        pairs: Pairs with a score on both sides.
        before: Mean score on the originals of these pairs.
        after: Mean score on their perturbations.
        change: after - before, paired.
    """

    pairs: int
    before: float
    after: float
    change: Contrast


def paired_changes(before: Scores, after: Scores) -> PairedChange:
    """The pairs with both sides, by key."""
    (first, second), clusters = _aligned(before, after)
    return PairedChange(first, second, clusters)


def paired_drop(before: Scores, after: Scores, *, resamples: int = RESAMPLES) -> Drop | None:
    """The drop paired by problem, or None where no pair has both sides."""
    both = paired_changes(before, after)
    if both.before.size == 0:
        return None
    change = contrast(Mean(both.after - both.before, both.clusters), resamples=resamples)
    means = float(both.before.mean()), float(both.after.mean())
    return Drop(both.before.size, *means, change)


def paired_arms(
    base: tuple[Scores, Scores], instruct: tuple[Scores, Scores]
) -> tuple[PairedChange, PairedChange]:
    """The changes of two arms over the pairs that both have, in the same order."""
    sides, clusters = _aligned(*base, *instruct)
    first = PairedChange(sides[0], sides[1], clusters)
    return first, PairedChange(sides[2], sides[3], clusters)


def drop_difference(
    base: tuple[Scores, Scores], instruct: tuple[Scores, Scores], *, resamples: int = RESAMPLES
) -> tuple[int, Contrast]:
    """Change of the instruct arm minus change of the base arm, over pairs that both have.

    Args:
        base: The base arm before and after.
        instruct: The instruct arm before and after.
        resamples: Bootstrap resamples.

    Returns:
        Number of pairs, and the difference; negative means that instruct loses more.
    """
    one, two = paired_arms(base, instruct)
    difference = (two.after - two.before) - (one.after - one.before)
    change = Mean(difference, one.clusters, bound=2.0)
    return difference.size, contrast(change, resamples=resamples)


def unpaired_drop(
    before: Mean, after: Mean, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Contrast:
    """Difference of the means of two problem sets.

    This is the figure that papers give; it also holds whatever else tells the two sets apart.
    Where problems share no source, its interval is a bootstrap that resamples each set on its own,
    unless few problems of one set differ: nearly all its resamples would be alike.

    Args:
        before: Scores of the originals.
        after: Scores of the perturbed set.
        resamples: Bootstrap resamples; 0 for Student's t in the bootstrap's place.
        seed: Seed of the resamples.
    """
    change = contrast(after, replace(before, weight=-1.0))
    first, second = (part.values[~np.isnan(part.values)] for part in (before, after))
    coarse = is_coarse(first) or is_coarse(second)
    if not resamples or coarse or _share_sources(before, after):
        return change
    # Seeds of their own: the two sets are resampled independently.
    resampled = resampled_means(second, resamples=resamples, seed=seed)
    resampled = resampled - resampled_means(first, resamples=resamples, seed=seed + 1)
    estimate = percentile_interval(change.value, resampled)
    return replace(change, estimate=estimate, independent=estimate)


def _share_sources(*parts: Mean) -> bool:
    """Whether any two problems, of one part or of two, have one source."""
    named = [np.asarray(part.clusters) for part in parts if part.clusters is not None]
    labels = np.concatenate(named) if named else np.zeros(0)
    return np.unique(labels).size < labels.size


def pairing_difference(before: Mean, after: Mean, paired: PairedChange) -> Contrast:
    """The unpaired drop minus the paired one: what tells the sets apart beside the perturbation.

    Args:
        before: Scores of the originals, with sources.
        after: Scores of the perturbed set, with sources.
        paired: The pairs among them, with the same names of sources.
    """
    return contrast(
        after,
        replace(before, weight=-1.0),
        Mean(paired.after - paired.before, paired.clusters, weight=-1.0),
    )


def _aligned(*sides: Scores) -> tuple[list[FloatArray], npt.NDArray[np.generic]]:
    """Mean scores of every side over the pair keys that all have, in key order, and sources."""
    tables = [side.by_pair() for side in sides]
    common, _, clusters = tables[0]
    for keys, _, _ in tables[1:]:
        common = np.intersect1d(common, keys, assume_unique=True)
    places = np.searchsorted(tables[0][0], common)
    values = [means[np.searchsorted(keys, common)] for keys, means, _ in tables]
    return values, clusters[places]
