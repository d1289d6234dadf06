"""A figure with its interval, apart from how it is computed: tables need no statistics library."""

import math
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % interval.

    Attributes:
        value: The point estimate; NaN where there are no data.
        low: Lower end; NaN where the data do not give an interval.
        high: Upper end; NaN where the data do not give an interval.
    """

    value: float
    low: float
    high: float


NOTHING: Final = Estimate(math.nan, math.nan, math.nan)
