r"""Answers that are marked as such: in a box, in JSON, behind "####"."""

import re

from distlab.problems.problem import GoldKind
from distlab.scoring.extractors._boxes import boxed_answer
from distlab.scoring.extractors._found import TRIES, Found
from distlab.scoring.extractors._json_answers import json_answer
from distlab.scoring.extractors._kinds import SpanReader, reader_of

# At the start of a line; inside one only in front of a number.
_HASHES = re.compile(
    r"(?:^|(?<=\n))[ \t*]{0,4}####[ \t]{0,8}(?=[^\s#])"
    r"|(?<=[^\s#])[ \t]{0,3}####[ \t]{0,8}(?=[-−]?\\?[$€£]?\s?[0-9.])"
)
# "#### Step 2" heads a part of the solution.
_HEADING = re.compile(
    r"\**(?:Step|Part|Case|Question|Problem|Section|Method|Example|Given|Solution)\b"
    r"|[^\n]{0,200}:\**[ \t]*\n"
)


def marked_answer(text: str, start: int, end: int, kind: GoldKind) -> Found | None:
    """The last box, JSON answer or ``#### N``."""
    json = json_answer(text, start, end, kind)
    start = json.stop if json else start
    later = (boxed_answer(text, start, end, kind), _hashes(text, start, end, reader_of(kind)))
    latest = max((found for found in later if found), key=lambda found: found.start, default=None)
    return latest or (json.found if json else None)


def _hashes(text: str, start: int, end: int, read: SpanReader) -> Found | None:
    for mark in reversed(list(_HASHES.finditer(text, start, end))[-TRIES:]):
        if _HEADING.match(text, mark.end(), end):
            continue
        line = text.find("\n", mark.end(), end)
        span = read(text, mark.end(), line if line >= 0 else end)
        if span:
            return Found(*span)
    return None
