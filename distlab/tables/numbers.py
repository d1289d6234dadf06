"""Numbers as people read them."""

import math

from distlab.analysis.estimate import Estimate

DASH = "–"


def percent(share: float) -> str:
    """A share as per cent with one decimal, without the sign."""
    return DASH if math.isnan(share) else f"{100 * share:.1f}"


def points(difference: float) -> str:
    """A difference of shares as percentage points, signed unless it is zero."""
    if math.isnan(difference):
        return DASH
    shown = f"{100 * difference:+.1f}"
    return shown[1:] if float(shown) == 0 else shown.replace("-", "−")


def percent_interval(estimate: Estimate) -> str:
    """As in "97.7 [96.7, 98.4]"; the value alone where there is no interval."""
    if math.isnan(estimate.low):
        return percent(estimate.value)
    return f"{percent(estimate.value)} [{percent(estimate.low)}, {percent(estimate.high)}]"


def points_interval(estimate: Estimate) -> str:
    """As in "−30.1 [−32.7, −27.4]"; the value alone where there is no interval."""
    if math.isnan(estimate.low):
        return points(estimate.value)
    return f"{points(estimate.value)} [{points(estimate.low)}, {points(estimate.high)}]"


def percent_range(estimate: Estimate) -> str:
    """For sentences, as in "97.7 (96.7 to 98.4)"."""
    if math.isnan(estimate.low):
        return percent(estimate.value)
    return f"{percent(estimate.value)} ({percent(estimate.low)} to {percent(estimate.high)})"


def points_range(estimate: Estimate) -> str:
    """For sentences, as in "−30.1 (−32.7 to −27.4)"."""
    if math.isnan(estimate.low):
        return points(estimate.value)
    return f"{points(estimate.value)} ({points(estimate.low)} to {points(estimate.high)})"


def p_value(p: float) -> str:
    """A p value with three decimals."""
    if math.isnan(p):
        return DASH
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def decimal(value: float) -> str:
    """A plain figure with two decimals."""
    return DASH if math.isnan(value) else f"{value:.2f}"


def decimal_interval(estimate: Estimate) -> str:
    """As in "0.81 [0.76, 0.85]"; the value alone where there is no interval."""
    if math.isnan(estimate.low):
        return decimal(estimate.value)
    return f"{decimal(estimate.value)} [{decimal(estimate.low)}, {decimal(estimate.high)}]"


def share_of(count: int, total: int) -> str:
    """A count as per cent of a total."""
    return percent(count / total) if total else DASH


def parameter_count(parameters: float) -> str:
    """As in "135 M", "14.8 B" or "1.04 T"."""
    if math.isnan(parameters):
        return DASH
    for unit, size in (("T", 1e12), ("B", 1e9), ("M", 1e6)):
        if parameters >= size:
            return f"{parameters / size:.3g} {unit}"
    return f"{parameters:.3g}"
