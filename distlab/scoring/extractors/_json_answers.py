"""Answers in JSON, closed or not."""

import re
from typing import NamedTuple

from distlab.problems.problem import GoldKind
from distlab.scoring.extractors._boxes import boxed_answer
from distlab.scoring.extractors._found import PLACEHOLDER, TRIES, Found
from distlab.scoring.extractors._kinds import reader_of

_JSON_KEY = re.compile(
    r"""["'“](?:final[_ ]?|numerical[_ ]?|the[_ ]?)?answer["'”]\s{0,8}:\s{0,8}""", re.IGNORECASE
)
# An escape of JSON; of ``\n`` and ``\t`` only what cannot be the start of a LaTeX command.
_ESCAPE = re.compile(r"""\\(?:(?P<itself>["\\/])|u(?P<code>[0-9a-fA-F]{4})|[nt](?![A-Za-z]))""")
_SOME_ESCAPES = re.compile(r"""\\(?:(?P<itself>")|u(?P<code>[0-9a-fA-F]{4}))""")


class _Answered(NamedTuple):
    """A JSON answer: what it says, and where its value ends."""

    found: Found
    stop: int


def json_answer(text: str, start: int, end: int, kind: GoldKind) -> _Answered | None:
    """The value of the last JSON "answer", whether or not the object is closed.

    A value that holds none of the kind asked for is the answer all the same: none.
    """
    for key in reversed(list(_JSON_KEY.finditer(text, start, end))[-TRIES:]):
        begin = key.end()
        quote = text[begin : begin + 1]
        if quote in ('"', "'", "“"):
            begin += 1
            stop = _string_end(text, begin, end, "”" if quote == "“" else quote)
            found = _decoded(text, begin, stop, kind)
        else:
            stop = _bare_end(text, begin, end)
            span = reader_of(kind)(text, begin, stop)
            found = Found(*span) if span else None
        if found or not PLACEHOLDER.fullmatch(text, begin, stop):
            return _Answered(found or Found(begin, begin), stop)
    return None


def _decoded(text: str, start: int, end: int, kind: GoldKind) -> Found | None:
    """The value of a JSON string, read with its escapes undone."""
    body, offsets = _unescaped(text, start, end)
    found = boxed_answer(body, 0, len(body), kind)
    span = found[:2] if found else reader_of(kind)(body, 0, len(body))
    if span is None:
        return None
    answer = found.read(body) if found else body[span[0] : span[1]]
    first, last = offsets[span[0]], offsets[span[1]]
    return Found(first, last, None if answer == text[first:last] else answer)


def _unescaped(text: str, start: int, end: int) -> tuple[str, range | list[int]]:
    r"""A JSON string without its escapes, and where in ``text`` each of its characters begins.

    Models write ``"\frac{1}{2}"`` as well as ``"\\frac{1}{2}"``: where no backslash is escaped,
    only quotes and codes are taken for escapes.
    """
    if "\\" not in text[start:end]:
        return text[start:end], range(start, end + 1)
    escape = _ESCAPE if "\\\\" in text[start:end] else _SOME_ESCAPES
    characters: list[str] = []
    offsets: list[int] = []
    at = start
    for match in escape.finditer(text, start, end):
        characters += text[at : match.start()]
        offsets += range(at, match.start())
        characters.append(_character(match))
        offsets.append(match.start())
        at = match.end()
    characters += text[at:end]
    offsets += range(at, end + 1)
    return "".join(characters), offsets


def _string_end(text: str, start: int, end: int, quote: str) -> int:
    """The end of a JSON string; where it is never closed, the end of its line."""
    at = start
    while (at := text.find(quote, at, end)) >= 0:
        if text[at - 1] != "\\":
            return at
        at += 1
    line = text.find("\n", start, end)
    return line if line >= 0 else end


def _bare_end(text: str, start: int, end: int) -> int:
    if text[start : start + 1] in ("[", "("):
        close = text.find("]" if text[start] == "[" else ")", start, min(end, start + 200))
        if close >= 0:
            return close + 1
    match = re.compile(r"[}\n]|,\s").search(text, start, end)
    return match.start() if match else end


def _character(escape: re.Match[str]) -> str:
    """The character that a JSON escape stands for; a line break or a tab is a space."""
    if escape["code"]:
        return chr(int(escape["code"], 16))
    return escape["itself"] or " "
