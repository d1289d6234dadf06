"""What the two arms of a comparison are called: base and instruct, or two stages of a ladder."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from distlab.checkpoints.checkpoint import BASE, INSTRUCT
from distlab.runs.pairing import ArmPair

_WORDS: Final = re.compile(r"\b(base|instruct)\b")


@dataclass(frozen=True, slots=True)
class Sides:
    """The names under which titles and captions speak of the arms of a pair.

    Attributes:
        first: Of the arm that is subtracted.
        second: Of the arm that it is subtracted from.
    """

    first: str = BASE
    second: str = INSTRUCT

    @classmethod
    def of(cls, pairs: Iterable[ArmPair]) -> "Sides":
        """Those of a study: its stages' names where it compares two, else earlier and later."""
        compared = {(pair.base.variant, pair.instruct.variant) for pair in pairs if pair.primary}
        if not compared:
            return cls()
        return cls(*compared.pop()) if len(compared) == 1 else cls("earlier", "later")

    def named(self, text: str) -> str:
        """A title or a caption of ours, which is written for base and instruct."""
        names: dict[str, str] = {BASE: self.first, INSTRUCT: self.second}
        return _WORDS.sub(lambda word: names[word[0]], text)


PAIR: Final = Sides()
