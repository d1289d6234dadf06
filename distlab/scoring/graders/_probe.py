"""Whether two formulas surely differ, by their values at one point: cheap, where algebra is not.

A computer algebra system proves that two formulas are one by rewriting their difference, which
takes milliseconds and most often fails since they differ. Where both are worked out in floating
point, with the same number for each letter, a difference far beyond rounding says so.
"""

import zlib
from dataclasses import dataclass
from typing import Any

# Differences above are no rounding, of ours or of an answer's (Math-Verify rounds to 6 decimals).
_RELATIVE = 1e-3
# What floating point may lose in sums that cancel, as a share of the largest terms (ours).
_LOST = 1e-9
_MOST_EXPONENT = 1000.0
_MOST_NODES = 400


@dataclass(frozen=True, slots=True)
class Probe:
    """A formula's value.

    Attributes:
        value: With a number for each letter, the same in all formulas.
        size: The same where nothing cancels.
    """

    value: complex
    size: float

    def is_far(self, other: "Probe") -> bool:
        """Whether two formulas with these values differ."""
        scale = max(1.0, abs(self.value), abs(other.value))
        lost = _LOST * (self.size + other.size)
        return abs(self.value - other.value) > _RELATIVE * scale + lost


def probe(expression: object) -> Probe | None:
    """The value of a sympy expression of sums, products and powers; None where it is another."""
    from sympy import Expr, Symbol

    if not isinstance(expression, Expr) or isinstance(expression, Symbol):
        # A lone letter may be a word, which is not compared by its value.
        return None
    try:
        found = _Reader().value(expression)
    except (ArithmeticError, ValueError, TypeError, RecursionError):
        return None
    # Neither infinite nor no number.
    return found if found is not None and found.size < 1e200 else None


class _Reader:
    """Works out an expression, as far as it is not too large."""

    def __init__(self) -> None:
        self._left = _MOST_NODES

    def value(self, expression: Any) -> Probe | None:  # noqa: ANN401 - sympy has no types
        from sympy import Add, Float, I, Mul, NumberSymbol, Pow, Rational, Symbol

        self._left -= 1
        if self._left < 0:
            return None
        if isinstance(expression, Rational | Float | NumberSymbol):
            return _exact(complex(float(expression)))
        if expression is I:
            return _exact(1j)
        if isinstance(expression, Symbol):
            return _exact(complex(_of_letter(expression.name)))
        if not isinstance(expression, Add | Mul | Pow):
            return None
        parts = [self.value(part) for part in expression.args]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        if isinstance(expression, Add):
            return Probe(sum(part.value for part in known), sum(part.size for part in known))
        return _product(known) if isinstance(expression, Mul) else _power(*known)


def _exact(value: complex) -> Probe:
    return Probe(value, abs(value))


def _of_letter(name: str) -> float:
    """A number between 0.5 and 3.5 that is as good as transcendental."""
    return 0.5 + 3 * zlib.crc32(name.encode()) / 2**32


def _product(factors: list[Probe]) -> Probe:
    value, size = 1 + 0j, 1.0
    for factor in factors:
        value, size = value * factor.value, size * factor.size
    return Probe(value, size)


def _power(base: Probe, exponent: Probe) -> Probe | None:
    if abs(exponent.value) > _MOST_EXPONENT or exponent.size > 2 * abs(exponent.value) + 1:
        return None
    if base.size > 1e3 * abs(base.value):
        # A root or a quotient of what has cancelled may be anything.
        return None
    value = base.value**exponent.value
    return Probe(value, abs(value) * (base.size / abs(base.value)) ** abs(exponent.value))
