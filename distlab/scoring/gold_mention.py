"""Whether a gold is to be seen in a text at all: what extraction could have found."""

import re

from distlab.problems.problem import Gold, GoldKind

_NUMERIC = (GoldKind.NUMBER, GoldKind.INTEGER, GoldKind.INTERVAL)


class GoldMention:
    """Looks for one gold in texts.

    A gold stands in a text where its published spelling does, though not inside a longer number:
    5 does not stand in 3.5 or 1,500 (ours). Numbers are looked for with and without thousands
    separators, and of a list every item must stand (ours).
    """

    def __init__(self, gold: Gold) -> None:
        values = gold.items if gold.kind is GoldKind.LIST else (gold.text,)
        self._spellings = tuple(
            tuple((s, _pattern(s)) for s in _spellings(value.strip(), gold.kind) if s)
            for value in values
        )

    def stands_in(self, text: str) -> bool:
        """Whether every value of the gold is spelled out in ``text``."""
        # The plain search is the fast one; most texts need no other.
        return all(
            any(s in text and pattern.search(text) for s, pattern in spelled)
            for spelled in self._spellings
        )


def _spellings(value: str, kind: GoldKind) -> tuple[str, ...]:
    if kind not in _NUMERIC:
        return (value,)
    plain = value.replace(",", "")
    whole, dot, decimals = plain.partition(".")
    digits = whole.lstrip("+-")
    if not (digits.isascii() and digits.isdigit()):
        return tuple({value, plain})
    sign = whole[: len(whole) - len(digits)]
    return tuple({value, plain, f"{sign}{int(digits):,}{dot}{decimals}"})


def _pattern(spelling: str) -> re.Pattern[str]:
    """The spelling, not inside a longer number."""
    before = r"(?<![0-9])(?<![0-9][.,])" if spelling[0].isdigit() else ""
    after = r"(?![0-9]|[.,][0-9])" if spelling[-1].isdigit() else ""
    return re.compile(f"{before}{re.escape(spelling)}{after}")
