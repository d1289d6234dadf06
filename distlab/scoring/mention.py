"""Whether a gold is to be seen in a text at all: what extraction could have found."""

from distlab.problems.types import Gold, GoldKind

_NUMERIC = (GoldKind.NUMBER, GoldKind.INTEGER, GoldKind.INTERVAL)


class Mention:
    """Looks for one gold in texts.

    A gold stands in a text where its published spelling does, though not inside a longer number:
    5 does not stand in 3.5 or 1,500 (ours). Numbers are looked for with and without thousands
    separators, and of a list every item must stand (ours).
    """

    def __init__(self, gold: Gold) -> None:
        values = gold.items if gold.kind is GoldKind.LIST else (gold.text,)
        self._spellings = tuple(_spellings(value.strip(), gold.kind) for value in values)

    def stands_in(self, text: str) -> bool:
        """Whether every value of the gold is spelled out in ``text``."""
        return all(any(_stands(s, text) for s in spelled) for spelled in self._spellings)


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


def _stands(spelling: str, text: str) -> bool:
    at = text.find(spelling) if spelling else -1
    while at >= 0:
        if not (_number_before(spelling, text, at) or _number_after(spelling, text, at)):
            return True
        at = text.find(spelling, at + 1)
    return False


def _number_before(spelling: str, text: str, at: int) -> bool:
    """Whether a number runs into the spelling from the left."""
    before = text[max(0, at - 2) : at]
    return spelling[0].isdigit() and (
        before[-1:].isdigit() or (before[-1:] in {".", ","} and before[:1].isdigit())
    )


def _number_after(spelling: str, text: str, at: int) -> bool:
    """Whether a number runs on behind the spelling."""
    end = at + len(spelling)
    after = text[end : end + 2]
    return spelling[-1].isdigit() and (
        after[:1].isdigit() or (after[:1] in {".", ","} and after[1:].isdigit())
    )
