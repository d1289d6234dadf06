"""Relative loss: the share of what an arm solves that it loses on perturbed problems."""

import math
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import stats

from distlab.analysis.arrays import FloatArray
from distlab.analysis.contrasts import EMPTY, Contrast, Mean, contrast, student
from distlab.analysis.drops import PairedChange
from distlab.analysis.estimate import Estimate
from distlab.analysis.intervals import LEVEL

# Solved originals below which no share of them is taken (ours): the error of a ratio, which is the
# delta method's, does not hold for fewer.
FEWEST_SOLVED: Final = 10


def relative_loss(paired: PairedChange) -> Contrast:
    """1 - after / before, over pairs; empty where few originals are solved.

    Negative where the arm gains. The error is the delta method's for a ratio of means.
    """
    values = _influences(paired.before, paired.after)
    return EMPTY if values is None else _by_student(values, paired.clusters)


def loss_difference(base: PairedChange, instruct: PairedChange) -> Contrast:
    """Relative loss of the instruct arm minus that of the base arm, over the same pairs.

    Args:
        base: The base arm's pairs.
        instruct: The instruct arm's, in the same order.
    """
    first = _influences(base.before, base.after)
    second = _influences(instruct.before, instruct.after)
    if first is None or second is None:
        return EMPTY
    return _by_student(second - first, base.clusters)


def unpaired_loss(before: Mean, after: Mean) -> Contrast:
    """1 - after / before between the means of two sets, as papers compare them.

    Args:
        before: Scores of the originals.
        after: Scores of the perturbed set.
    """
    known = [part.values[~np.isnan(part.values)] for part in (before, after)]
    if known[1].size == 0 or known[0].sum() < FEWEST_SOLVED:
        return EMPTY
    height = float(known[0].mean())
    ratio = float(known[1].mean()) / height
    parts = replace(before, weight=ratio / height), replace(after, weight=-1 / height)
    moved = contrast(*parts, resamples=0)
    return student(1 - ratio, moved.error, moved.freedom)


def published_loss(before: float, problems: int, after: float, others: int) -> Estimate:
    """1 - after / before of two published shares, with the interval of independent scores.

    Args:
        before: Share of the originals that are solved, above 0.
        problems: Problems behind it.
        after: Share of the perturbed set.
        others: Problems behind that.
    """
    ratio = after / before
    variance = ratio**2 * (1 - before) / (before * problems)
    variance += after * (1 - after) / others / before**2
    half = float(stats.norm.ppf((1 + LEVEL) / 2)) * math.sqrt(variance)
    return Estimate(1 - ratio, 1 - ratio - half, 1 - ratio + half)


def _influences(before: FloatArray, after: FloatArray) -> FloatArray | None:
    """[pairs] with the loss as their mean, and its error; None where few originals are solved."""
    if before.sum() < FEWEST_SOLVED:
        return None
    ratio = after.mean() / before.mean()
    return np.asarray(1 - ratio - (after - ratio * before) / before.mean(), dtype=np.float64)


def _by_student(values: FloatArray, clusters: npt.NDArray[np.generic]) -> Contrast:
    """A mean tested by its error: flipped signs hold for differences, not for ratios."""
    found = contrast(Mean(values, clusters), resamples=0, is_tested=False)
    return student(found.value, found.error, found.freedom)
