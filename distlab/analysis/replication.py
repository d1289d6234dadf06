"""Published figures with the errors that their numbers of problems give."""

import math

from scipy import stats

from distlab.analysis.estimate import Estimate
from distlab.analysis.intervals import LEVEL


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
    """The standard error behind a 95 % interval of normal theory."""
    return (published.high - published.low) / (2 * float(stats.norm.ppf((1 + LEVEL) / 2)))
