"""Replication: a published figure beside ours, judged by intervals and no further."""

import math
from enum import StrEnum
from typing import Final

from scipy import stats

from distlab.analysis.intervals import LEVEL, Estimate

# Our interval must be at most this wide on either side to call a figure replicated (ours).
PRECISION: Final = 0.05


class Judgement(StrEnum):
    """What the data allow to be said of a published figure."""

    REPLICATED = "replicated"
    NOT_REPLICATED = "not replicated"
    CANNOT_TELL = "cannot tell"


def published_share(share: float, problems: int) -> Estimate:
    """A published score with Wilson's interval for its number of problems."""
    solved = round(share * problems)
    interval = stats.binomtest(solved, problems).proportion_ci(LEVEL, method="wilson")
    return Estimate(share, float(interval.low), float(interval.high))


def published_gap(base: float, instruct: float, problems: int) -> Estimate:
    """A published gap; the interval is that of unpaired scores, its pairing being unknown."""
    return published_difference(base, problems, instruct, problems)


def published_difference(first: float, problems: int, second: float, others: int) -> Estimate:
    """Second minus first published share; the interval is that of independent scores.

    Args:
        first: A published share.
        problems: Problems behind it.
        second: Another.
        others: Problems behind that.
    """
    variance = first * (1 - first) / problems + second * (1 - second) / others
    half = float(stats.norm.ppf((1 + LEVEL) / 2)) * math.sqrt(variance)
    return Estimate(second - first, second - first - half, second - first + half)


def normal_error(published: Estimate) -> float:
    """The standard error behind a symmetric interval of normal theory."""
    return (published.high - published.low) / (2 * float(stats.norm.ppf((1 + LEVEL) / 2)))


def judge(ours: Estimate, published: Estimate) -> Judgement:
    """Put a published figure beside ours.

    Not replicated: the two intervals do not touch. Replicated: the published figure lies inside our
    interval, and ours is within 5 points on either side. Anything else cannot be told (ours).

    Args:
        ours: Our figure and its interval.
        published: The published figure and its interval.
    """
    if math.isnan(ours.low) or math.isnan(published.low):
        return Judgement.CANNOT_TELL
    if ours.low > published.high or ours.high < published.low:
        return Judgement.NOT_REPLICATED
    inside = ours.low <= published.value <= ours.high
    narrow = max(ours.high - ours.value, ours.value - ours.low) <= PRECISION
    return Judgement.REPLICATED if inside and narrow else Judgement.CANNOT_TELL
