"""Model text as HTML that shows every character and obeys none."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from markupsafe import Markup, escape

from distlab.escape import UNSEEN, plain
from distlab.store.kept_prompts import KeptPrompt
from distlab.view.maths import formulas, mathml
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
_ANSWER: Final = Markup('<mark title="read as the answer">{}</mark>')
_BEYOND: Final = Markup('<span class="beyond" title="not read">{}</span>')
_TEMPLATE: Final = Markup('<span class="template" title="of the chat template">{}</span>')


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


def drawn(text: str) -> Markup:
    """A text of several lines with its formulas drawn."""
    return marked(text, None)


def marked(
    text: str, reading: JudgedAnswer | None, begin: int = 0, end: int | None = None
) -> Markup:
    """A part of a sample: formulas drawn, its answer marked, what was not read set apart.

    Each formula comes twice, drawn and as it was typed; a switch of the page shows one of them.

    Args:
        text: All of the sample.
        reading: What an extractor made of it.
        begin: Offset of the part.
        end: Offset after it; None for the text's end.
    """
    stop = len(text) if end is None else min(end, len(text))
    parts = []
    place = begin
    for formula in formulas(text[begin:stop]):
        picture = mathml(formula)
        if picture is not None:
            low, high = begin + formula.begin, begin + formula.end
            parts += [_typed(text, reading, place, low), _both(text, reading, low, high, picture)]
            place = high
    return Markup("").join([*parts, _typed(text, reading, place, stop)])


def _both(text: str, reading: JudgedAnswer | None, begin: int, end: int, picture: Markup) -> Markup:
    """A formula drawn, and as it was typed."""
    if reading is not None and reading.answer is not None and _meet(reading, begin, end):
        picture = _ANSWER.format(picture)
    elif reading is not None and begin >= reading.cut:
        picture = _BEYOND.format(picture)
    return Markup('<span class="formula">{}<span class="typed">{}</span></span>').format(
        picture, _typed(text, reading, begin, end)
    )


def _meet(reading: JudgedAnswer, begin: int, end: int) -> bool:
    return max(begin, reading.start) < min(end, reading.end)


def _typed(text: str, reading: JudgedAnswer | None, begin: int, stop: int) -> Markup:
    """A part without drawings."""
    if reading is None:
        return block(text[begin:stop])
    answer = (reading.start, reading.end) if reading.answer is not None else (0, 0)
    bounds = sorted({begin, stop, *(b for b in (*answer, reading.cut) if begin < b < stop)})
    parts = []
    for low, high in pairwise(bounds):
        part = block(text[low:high])
        if answer[0] <= low < answer[1]:
            part = _ANSWER.format(part)
        elif low >= reading.cut:
            part = _BEYOND.format(part)
        parts.append(part)
    return Markup("").join(parts)


def excerpt(
    text: str, reading: JudgedAnswer | None, begin: int = 0, end: int | None = None
) -> Excerpt:
    """The begin and the end of a long part of a text, or all of a short one."""
    stop = len(text) if end is None else min(end, len(text))
    if stop - begin <= HEAD + TAIL:
        return Excerpt(marked(text, reading, begin, stop), 0, Markup(""))
    head, tail = begin + HEAD, stop - TAIL
    return Excerpt(
        marked(text, reading, begin, head), tail - head, marked(text, reading, tail, stop)
    )


def rendered(prompt: KeptPrompt) -> Markup:
    """A prompt as the model saw it, the contents of its turns told from what the template adds."""
    return Markup("").join(_turns(prompt))


def _turns(prompt: KeptPrompt) -> Iterator[Markup]:
    place = 0
    for turn in prompt.turns:
        # Templates strip the spaces around a turn.
        content = turn.content.strip()
        found = prompt.text.find(content, place)
        if content and found >= 0:
            yield _TEMPLATE.format(block(prompt.text[place:found]))
            yield block(content)
            place = found + len(content)
    if rest := block(prompt.text[place:]):
        yield _TEMPLATE.format(rest) if place else rest


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
