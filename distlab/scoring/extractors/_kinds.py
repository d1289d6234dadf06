"""How a value is read, by the kind of gold."""

from collections.abc import Callable

from distlab.problems.problem import GoldKind
from distlab.scoring.extractors._options import option_in, words_in
from distlab.scoring.extractors._sentences import expression_in
from distlab.scoring.extractors._values import (
    DATE,
    PAIR,
    WEEKS_AND_DAYS,
    WEEKS_OR_DAYS,
    Span,
    number_in,
)

# Most telling first.
WEEKS = (WEEKS_AND_DAYS, PAIR, WEEKS_OR_DAYS)
NUMERIC = frozenset({GoldKind.NUMBER, GoldKind.INTEGER, GoldKind.INTERVAL})
# Kinds whose reader takes what a statement says as it stands.
LITERAL = frozenset({GoldKind.DATE, GoldKind.WEEKS_DAYS, GoldKind.CHOICE, GoldKind.TEXT})

SpanReader = Callable[[str, int, int], Span | None]


def reader_of(kind: GoldKind) -> SpanReader:
    """How a value of this kind is read off the statement in ``text[start:end]``."""
    if kind in NUMERIC:
        return number_in
    if kind is GoldKind.DATE:
        return _date_in
    if kind is GoldKind.WEEKS_DAYS:
        return _weeks_in
    if kind is GoldKind.CHOICE:
        return option_in
    return words_in if kind is GoldKind.TEXT else expression_in


def _date_in(text: str, start: int, end: int) -> Span | None:
    match = DATE.search(text, start, end)
    return match.span() if match else None


def _weeks_in(text: str, start: int, end: int) -> Span | None:
    for pattern in WEEKS:
        match = pattern.search(text, start, end)
        if match:
            return match.span(pattern.groups)
    return None
