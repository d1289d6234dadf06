r"""How large a number is that is written with powers and factorials, without working it out.

``9^{9^{9^9}}`` has more digits than any memory holds; that it equals no number that is written out
can be told from its logarithm.
"""

import math
import re
from typing import NamedTuple

_DRESSING = re.compile(
    r"[\s$]|\\[,;:! ()\[\]]|\\(?:left|right|displaystyle|f?boxed)(?![A-Za-z])|~|\.\Z"
    r"|\\(?:text|mbox|mathrm)\s?\{[^{}]{0,60}\}"
)
_TOKEN = re.compile(
    r"(?P<number>[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?)|\\(?P<frac>[dt]?frac)(?![A-Za-z])"
    r"|(?P<times>\*(?!\*)|\\(?:cdot|times)(?![A-Za-z])|×)|(?P<power>\^|\*\*)|(?P<sign>[-+/!(){}])"
)
_CLOSING = {"(": ")", "{": "}"}
_MOST_TOKENS = 100


class Magnitude(NamedTuple):
    """The size of a positive number.

    Attributes:
        log: Its decimal logarithm; infinite where a float does not hold that.
        peak: The largest logarithm, without sign, of what is worked out on the way.
    """

    log: float
    peak: float


class _UnreadableError(Exception):
    """No such number, or its size cannot be told."""


def magnitude(text: str) -> Magnitude | None:
    """The size of the number that ``text`` writes, its sign aside; None where that is not told."""
    bare = _DRESSING.sub("", text)
    tokens = [match[0] for match in _TOKEN.finditer(bare)]
    if "".join(tokens) != bare or not 0 < len(tokens) <= _MOST_TOKENS:
        return None
    try:
        return _Reader(tokens[1:] if tokens[0] in "+-" else tokens).whole()
    except _UnreadableError:
        return None


class _Reader:
    """A descent by precedence: sums, products, powers, factorials, brackets."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = [*tokens, ""]
        self._at = 0
        self._peak = 0.0

    def whole(self) -> Magnitude:
        log = self._sum()
        if self._next():
            raise _UnreadableError
        return Magnitude(log, self._peak)

    def _next(self) -> str:
        return self._tokens[self._at]

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _worked_out(self, log: float) -> float:
        if math.isnan(log):
            raise _UnreadableError
        self._peak = max(self._peak, abs(log))
        return log

    def _sum(self) -> float:
        """The largest term's, unless another is of its size: they may cancel."""
        logs = [self._product()]
        while self._next() in ("+", "-") and self._next():
            self._take()
            logs.append(self._product())
        largest = max(logs)
        if any(largest - log < 1 or math.isinf(log) for log in sorted(logs)[:-1]):
            raise _UnreadableError
        return largest

    def _product(self) -> float:
        log = self._power()
        while (token := self._next()) and token not in "+-)}":
            divided = token == "/"
            if divided or token in ("*", "×", "\\cdot", "\\times"):
                self._take()
            factor = self._power()
            log = self._worked_out(log - factor if divided else log + factor)
        return log

    def _power(self) -> float:
        base = self._factorial()
        if self._next() not in ("^", "**"):
            return base
        self._take()
        braced = self._next() == "{" and self._tokens[self._at + 1] == "-"
        if braced:
            self._take()
        sign = -1 if self._next() == "-" and self._take() else 1
        exponent = self._sum() if braced else self._power()
        if braced and self._take() != "}":
            raise _UnreadableError
        return self._worked_out(base * sign * _exp10(exponent))

    def _factorial(self) -> float:
        log = self._atom()
        if self._next() != "!":
            return log
        self._take()
        if self._next() == "!":
            # A double factorial.
            raise _UnreadableError
        return self._worked_out(math.lgamma(_exp10(log) + 1) / math.log(10))

    def _atom(self) -> float:
        token = self._take()
        if token.endswith("frac"):
            return self._worked_out(self._atom() - self._atom())
        if token in _CLOSING:
            log = self._sum()
            if self._take() != _CLOSING[token]:
                raise _UnreadableError
            return log
        if not token[:1].isdigit():
            raise _UnreadableError
        whole, _, decimals = token.replace(",", "").partition(".")
        digits = f"{whole}{decimals}".lstrip("0")
        if not digits:
            raise _UnreadableError
        return self._worked_out(math.log10(int(digits[:300])) + len(digits[300:]) - len(decimals))


def _exp10(log: float) -> float:
    return 10**log if log < 300 else math.inf
