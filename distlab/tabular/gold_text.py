r"""A cell of a gold column in; the answer that it states out, or that it states none.

Datasets publish golds inside of worked solutions ("... #### 72", "... \boxed{72}"), after marks
("# 18"), between dollar signs, and as words for nothing ("N/A", "NaN"). Taken as they stand they
are equal to themselves and to no answer, so that a whole run scores 0. Pure text, linear.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from distlab.problems.latex_golds import last_boxed

HASHES: Final = "####"
BOX: Final = r"\boxed"
_MARK: Final = re.compile(r"#+(?!#)\s*")
_STATED: Final = re.compile(r"\banswer\s*(?:is|[:=])\s*:?\s*", re.IGNORECASE)
_NOTHING: Final = re.compile(
    r"n\.?/?a\.?|nan|null|none|nil|unknown|not available|no answer|\[?invalid\]?|[-?.]+",
    re.IGNORECASE,
)
# As files write that nothing is there; "none" and "unknown" may be the text that is asked for.
_EMPTY: Final = frozenset({"NaN", "nan", "NAN", "null", "NULL", "N/A", "n/a"})
# Eight words in a row are a text, not an answer (ours; no gold of MATH has as many).
_SENTENCE: Final = re.compile(r"(?<![^\W_])(?:[^\W_]++[,;:.]? ++){7}[^\W_]")
_MINUS: Final = str.maketrans(dict.fromkeys("\u2212\ufe63\uff0d", "-"))
_DELIMITERS: Final = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"))
_SCIENTIFIC: Final = re.compile(r"[-+]?\d+(?:\.\d+)?[eE][-+]?\d{1,2}")


class NoAnswerError(ValueError):
    """The cell states no answer; the message says what it is instead."""


@dataclass(frozen=True, slots=True)
class StatedGold:
    r"""The answer that a cell states.

    Attributes:
        text: The answer.
        mark: What it stood behind ("####", "#", "\boxed", "answer"); None if it stood alone.
    """

    text: str
    mark: str | None = None


def stated_gold(cell: str, question: str = "") -> StatedGold:
    r"""Read a cell: what follows its last ``####``, its last box, or all of it.

    Args:
        cell: The text of the cell.
        question: What was asked, where it is known: a word for nothing that it asks for ("Return
            NaN if ...", as a problem of MATH-Perturb has it) is an answer.

    Raises:
        NoAnswerError: It is empty, a word for nothing, or a text that marks no answer.
    """
    text, mark = _unmarked(cell.strip())
    if BOX in text or r"\fbox" in text:
        boxed = last_boxed(text)
        if boxed is None:
            raise NoAnswerError(rf"has a {BOX} without a group behind it")
        text, mark = boxed, mark or BOX
    text = _bare(text)
    if not text:
        raise NoAnswerError(f"has nothing behind {mark}" if mark else "is empty")
    if _NOTHING.fullmatch(text) and not _asked_for(text, question):
        raise NoAnswerError(f"is {text!r}, which is no answer")
    if _SENTENCE.search(text):
        raise NoAnswerError(rf"is a text that marks no answer with {HASHES} or {BOX}")
    return StatedGold(text, mark)


def words_gold(cell: str) -> StatedGold:
    """Read a cell whose whole text is the answer.

    Raises:
        NoAnswerError: It is empty, or what a file writes for nothing.
    """
    text = cell.strip()
    if not text:
        raise NoAnswerError("is empty")
    if text in _EMPTY:
        raise NoAnswerError(f"is {text!r}, which is no answer")
    return StatedGold(text)


def _asked_for(word: str, question: str) -> bool:
    return any(c.isalpha() for c in word) and bool(
        re.search(rf"(?<!\w){re.escape(word)}(?!\w)", question)
    )


def _unmarked(text: str) -> tuple[str, str | None]:
    if HASHES in text:
        last = text.rpartition(HASHES)[2].strip()
        return (last.splitlines()[0] if last else ""), HASHES
    if found := _MARK.match(text):
        return text[found.end() :], "#"
    if BOX not in text and (stated := list(_STATED.finditer(text))):
        return text[stated[-1].end() :].rstrip(". "), "answer"
    return text, None


def _bare(text: str) -> str:
    """Without math delimiters around it, with ASCII minus signs, numbers in plain notation."""
    text = text.translate(_MINUS).strip()
    for opening, closing in _DELIMITERS:
        inner = text[len(opening) : -len(closing)]
        if text == f"{opening}{inner}{closing}" and opening not in inner and inner.strip():
            text = inner.strip()
            break
    if _SCIENTIFIC.fullmatch(text):
        return f"{Decimal(text):f}"
    return text
