"""Tango's score test and interval of a paired difference of shares, good with few discordant pairs.

T. Tango, "Equivalence test and confidence interval for the difference in proportions for the
paired-sample design", Statistics in Medicine 17 (1998) 891-908.
"""

import math

from scipy import optimize, special

from distlab.analysis.estimate import Estimate
from distlab.analysis.intervals import LEVEL


def score(problems: int, up: int, down: int, difference: float) -> float:
    """Tango's standardised distance of the observed difference from a supposed one.

    Args:
        problems: Pairs.
        up: Pairs that the second arm alone solves.
        down: Pairs that the first arm alone solves.
        difference: The supposed second - first, from -1 to 1.

    Returns:
        Standard normal if the supposed difference is the true one.
    """
    a = 2 * problems
    b = (2 * problems - up + down) * difference - up - down
    c = -down * difference * (1 - difference)
    likeliest_down = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = problems * (2 * likeliest_down + difference * (1 - difference))
    distance = up - down - problems * difference
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)


def score_interval(problems: int, up: int, down: int) -> Estimate:
    """The 95 % interval: the differences that the score test does not reject.

    Args:
        problems: Pairs, at least one.
        up: Pairs that the second arm alone solves.
        down: Pairs that the first arm alone solves.
    """
    quantile = float(special.ndtri((1 + LEVEL) / 2))
    value = (up - down) / problems

    def end(outside: float, sign: int) -> float:
        def above(difference: float) -> float:
            return score(problems, up, down, difference) - sign * quantile

        if above(outside) * above(value) >= 0:
            return outside
        low, high = sorted((outside, value))
        return float(optimize.brentq(above, low, high, xtol=1e-9))

    # Where all pairs differ one way, the value is beyond the ends that are looked between.
    return Estimate(value, min(end(-1 + 1e-9, 1), value), max(end(1 - 1e-9, -1), value))


def score_above(problems: int, up: int, down: int, bound: float) -> float:
    """The one-sided p of "the difference is ``bound`` or less", by the score test.

    Args:
        problems: Pairs, at least one.
        up: Pairs that the second arm alone solves.
        down: Pairs that the first arm alone solves.
        bound: A difference, from -1 to 1.
    """
    return float(special.ndtr(-score(problems, up, down, bound)))


def score_below(problems: int, up: int, down: int, bound: float) -> float:
    """The one-sided p of "the difference is ``bound`` or more", as ``score_above``."""
    return float(special.ndtr(score(problems, up, down, bound)))
