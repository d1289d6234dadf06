"""Letters of choices, and answers in words, read off a statement or off a whole completion."""

import re
from typing import Final

from distlab.scoring.extractors._values import Span, trim_end

# Characters of an answer in words (ours).
_LONGEST: Final = 200
_LETTER: Final = r"(?P<letter>[A-Ja-j])"
# "(B)", "B)", "\text{B}", "**B**": what stands around a letter that is no word.
_OPEN: Final = (
    r"(?:[\s:*_`\"'“$\[{(]|\\[(\[]|\\(?:text(?:bf|rm|it)?|mathrm|mathbf|mbox|boxed)\s?)*+"
)
_NAMED: Final = r"(?:(?:option|choice|letter|answer)\s?)?"
_FIRST: Final = re.compile(
    rf"{_OPEN}(?:(?:the|is|that)\s)?{_NAMED}{_OPEN}{_LETTER}(?P<after>[)\]}}*_`\"'”$.,:;]|\\[)\]]|\s|\Z)",
    re.IGNORECASE,
)
# Beside one letter another: "B and C" is no letter.
_ANOTHER: Final = re.compile(r"[\s)*]{0,3}(?:and|or|,|/|&)\s?\(?[A-J]\b")
# "(B)", "**B**" or "the choice is B" anywhere in a text.
_MARKED: Final = re.compile(
    r"\((?P<round>[A-J])\)|\*\*\(?(?P<bold>[A-J])\)?(?:[.):][^*\n]{0,80})?\*\*"
    r"|\b(?:choice|option)\s(?:is\s)?(?P<named>[A-J])\b"
)
# "B. Paris" or "B) Paris", as a whole completion begins.
_LEADING: Final = re.compile(r"\s*\(?(?P<letter>[A-J])(?:[).:]|\s*\Z)")
_LEAD: Final = re.compile(r"[\s:*_`\"“$]*+")
_BOLD: Final = re.compile(r"\*\*([^*\n]{1,200})\*\*")


def option_in(text: str, start: int, end: int) -> Span | None:
    """The letter that a statement gives; its words, where it gives the text of a choice."""
    found = _FIRST.match(text, start, end)
    if (
        found
        and _is_letter(text, found, end)
        and not _ANOTHER.match(text, found.end("letter"), end)
    ):
        return found.span("letter")
    return words_in(text, start, end)


def _is_letter(text: str, found: re.Match[str], end: int) -> bool:
    """Whether a letter is one of a choice: "A dog" and "a dog" are words."""
    if found["letter"].islower():
        return text[found.start("letter") - 1 : found.start("letter")] == "("
    is_word = found["letter"] in "AI" and found["after"].isspace()
    return not is_word or not text[found.end() : end].strip()[:1].islower()


def words_in(text: str, start: int, end: int) -> Span | None:
    """What a statement says, to its end, without markup around it."""
    lead = _LEAD.match(text, start, end)
    start = lead.end() if lead else start
    stop = trim_end(text, start, end)
    return (start, stop) if start < stop <= start + _LONGEST else None


def last_option(text: str, start: int, end: int) -> Span | None:
    """The choice of a completion that states none: the letter it begins or ends with."""
    leading = _LEADING.match(text, start, end)
    if leading and "\n" not in text[start:end].strip():
        return leading.span("letter")
    marked = [match.span(match.lastgroup or 0) for match in _MARKED.finditer(text, start, end)]
    return marked[-1] if marked else _one_line(text, start, end)


def last_words(text: str, start: int, end: int) -> Span | None:
    """The words of a completion that states none: its last bold, or its one short line."""
    bold = [match.span(1) for match in _BOLD.finditer(text, start, end)]
    return bold[-1] if bold else _one_line(text, start, end)


def _one_line(text: str, start: int, end: int) -> Span | None:
    return None if "\n" in text[start:end].strip() else words_in(text, start, end)
