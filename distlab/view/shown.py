"""Model text as HTML that shows every character and obeys none."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from markupsafe import Markup, escape

from distlab.escape import UNSEEN, plain
from distlab.view.samples import JudgedAnswer

# Candidates only: letters of other scripts and signs of mathematics are shown as they are.
_UNUSUAL: Final = re.compile(r"[^\x20-\x7e\n\t]")
# Letters and marks that take no ink: fillers, and the selectors that can carry hidden text. The two
# that choose between emoji and text are left alone.
_INKLESS: Final = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0"
    r"\U000e0100-\U000e01ef]"
)
# Characters of a sample beside others, from its begin and its end (ours); its page has all.
HEAD: Final = 900
TAIL: Final = 600
# Characters on a page of one sample (ours): browsers lay out a line of megabytes slowly.
CHUNK: Final = 20_000


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text as it stands beside others.

    Attributes:
        head: All of it, or its begin.
        left_out: Characters between head and tail.
        tail: Its end; empty where ``head`` is all.
    """

    head: Markup
    left_out: int
    tail: Markup


def block(text: str) -> Markup:
    """A text of several lines; its line ends and tabs are kept."""
    return Markup(_UNUSUAL.sub(_written_out, str(escape(text))))


def marked(
    text: str, reading: JudgedAnswer | None, begin: int = 0, end: int | None = None
) -> Markup:
    """A part of a sample, its answer marked, and what the extractor did not read set apart.

    Args:
        text: All of the sample.
        reading: What an extractor made of it.
        begin: Offset of the part.
        end: Offset after it; None for the text's end.
    """
    stop = len(text) if end is None else min(end, len(text))
    if reading is None:
        return block(text[begin:stop])
    answer = (reading.start, reading.end) if reading.answer is not None else (0, 0)
    bounds = sorted({begin, stop, *(b for b in (*answer, reading.cut) if begin < b < stop)})
    parts = []
    for low, high in pairwise(bounds):
        part = block(text[low:high])
        if answer[0] <= low < answer[1]:
            part = Markup('<mark title="read as the answer">{}</mark>').format(part)
        elif low >= reading.cut:
            part = Markup('<span class="beyond" title="not read">{}</span>').format(part)
        parts.append(part)
    return Markup("").join(parts)


def excerpt(text: str, reading: JudgedAnswer | None) -> Excerpt:
    """The begin and the end of a long text, or all of a short one."""
    if len(text) <= HEAD + TAIL:
        return Excerpt(marked(text, reading), 0, Markup(""))
    tail = len(text) - TAIL
    return Excerpt(marked(text, reading, 0, HEAD), tail - HEAD, marked(text, reading, tail))


def finalize(value: object) -> object:
    """Of whatever a template prints: text becomes one visible line; markup made here stays."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else plain(value, None)


def _written_out(found: re.Match[str]) -> str:
    character = found[0]
    if unicodedata.category(character) not in UNSEEN and not _INKLESS.match(character):
        return character
    code = character.encode("unicode_escape", "surrogatepass").decode("ascii")
    name = unicodedata.name(character, f"U+{ord(character):04X}")
    return f'<span class="unseen" title="{name}">{code}</span>'


def first_of(readings: Sequence[JudgedAnswer], extractor: str) -> JudgedAnswer | None:
    """The reading of an extractor, else the first one."""
    by_name = {reading.extractor: reading for reading in readings}
    return by_name.get(extractor, readings[0] if readings else None)
