r"""Answers in ``\boxed{}`` and its kin."""

import re

from distlab.brackets import group_end
from distlab.problems.problem import GoldKind
from distlab.scoring.extractors._formulas import number_alone
from distlab.scoring.extractors._found import PLACEHOLDER, Found
from distlab.scoring.extractors._kinds import LITERAL, NUMERIC, reader_of
from distlab.scoring.extractors._values import Span
from distlab.scoring.plain_number import plain_number

# Boxes looked at, from the end. (ours)
_BOXES = 16
_BOX = re.compile(r"\\(?:boxed|fbox|framebox)\b\s{0,4}")
# Their argument without braces: \boxed 18, \boxed\frac12, but not "\boxed notation".
_ARGUMENT = re.compile(r"\\[A-Za-z]+\w*|[0-9][\w.]*|[A-Za-z](?=\$|[.\s]{0,3}\Z)")
# What stands between boxes that make one answer.
_BETWEEN = re.compile(
    r"\}?(?:(?:\$|\\\))?(?:\s[A-Za-z]{2,15}){1,2}(?=\s(?:and|or)\s))?"
    r"(?:[\s$,;&]|\\[()\[\],;:!\\]|\\q?quad\b|\b(?:and|or|as\swell\sas)\b"
    r"|\\(?:text|mbox|mathrm|textrm)\s?\{[^{}]{0,60}\}|[A-Za-z](?:_\{?\w{1,3}\}?)?\s?=){0,80}+"
)
_LISTED = re.compile(r"\b(?:and|or|as\swell\sas)\b|[,;&]|\\q?quad\b|\}\Z")
# What shows the form of an answer: "in the format \boxed{...}", "\boxed{...} is the format".
_FORM = r"(?:format|form|notation|style|syntax|command|template|environment)"
_FORM_BEFORE = re.compile(
    rf"(?:\b{_FORM}\b|\be\.g\.|\bsuch as|\bfor example|\bfor instance|\blike)"
    r"[^\w\n]{0,4}(?:of\s|as\s|is\s|like\s)?[$`'\"]{0,2}\\(?:boxed|fbox)\s?\{\s?\Z"
)
_FORM_AFTER = re.compile(
    rf"\s?\}}?[^\w\n]{{0,4}}(?:(?:is|as|being|will\sbe|shows)\s)?(?:the\s|a\s|my\s|our\s)?"
    rf"(?:\w{{1,12}}\s)?{_FORM}\b"
)
_UNKNOWN = re.compile(r"[A-Za-z]|xx|XX|ANS|ans|N/A")
# "I put it in \boxed{x}": where an unknown may be the answer, these words tell.
_PUT_IN = re.compile(r"\b(?:in|within|inside|using)\s[$`'\"]{0,2}\\(?:boxed|fbox)\s?\{\s?\Z")
# What an answer is called that is no word or choice itself: \boxed{integer}.
_CALLED = re.compile(
    r"(?:\\(?:text|mathrm|mbox|textbf)\s?\{)?\s?"
    r"(?:(?:the|your|an?)\s)?(?:integer|fraction|decimal|digit|letter|choice|option)\s?\}?",
    re.IGNORECASE,
)


def shows_form(text: str, box: Found, end: int, kind: GoldKind) -> bool:
    r"""Whether a box shows how an answer is going to be written: ``\boxed{x} is the format``."""
    before, after = max(0, box.start - 60), min(end, box.end + 60)
    if _FORM_BEFORE.search(text, before, box.start) or _FORM_AFTER.match(text, box.end, after):
        return True
    if not _UNKNOWN.fullmatch(text, box.start, box.end):
        return False
    return kind in NUMERIC or (
        kind not in LITERAL and bool(_PUT_IN.search(text, before, box.start))
    )


def boxed_answer(text: str, start: int, end: int, kind: GoldKind) -> Found | None:
    """The content of the last box that holds anything."""
    boxes = list(_BOX.finditer(text, start, end))[-_BOXES:]
    for index in range(len(boxes) - 1, -1, -1):
        span = _box_content(text, boxes[index].end(), end)
        if span is None or _stands_in(text, span, kind):
            continue
        if kind in LITERAL:
            return Found(*(reader_of(kind)(text, *span) or span))
        joined = _joined_boxes(text, boxes[: index + 1], span)
        if kind in NUMERIC and joined.answer is None:
            return Found(*number_alone(text, *span))
        return joined
    return None


def _stands_in(text: str, span: Span, kind: GoldKind) -> bool:
    """Whether a box holds a word that stands in for the answer."""
    if PLACEHOLDER.fullmatch(text, *span):
        return True
    return kind not in LITERAL and bool(_CALLED.fullmatch(text, *span))


def _box_content(text: str, start: int, end: int) -> Span | None:
    """What the box whose argument begins at ``start`` holds; up to the line's end if unclosed."""
    if text[start : start + 1] == "{":
        begin, stop = start + 1, group_end(text, start, end)
        if stop < 0:
            line = re.compile(r"\n|\$").search(text, begin, end)
            stop = line.start() if line else end
    else:
        argument = _ARGUMENT.match(text, start, end)
        begin, stop = argument.span() if argument else (start, start)
    while begin < stop and text[begin].isspace():
        begin += 1
    while stop > begin and text[stop - 1].isspace():
        stop -= 1
    return (begin, stop) if stop > begin else None


def _joined_boxes(text: str, boxes: list[re.Match[str]], last: Span) -> Found:
    r"""Boxes that share a sentence, as ``\boxed{1} and \boxed{2}``, are one answer."""
    spans = [last]
    for later, box in zip(reversed(boxes), reversed(boxes[:-1]), strict=False):
        span = _box_content(text, box.end(), later.start())
        between = _BETWEEN.fullmatch(text, span[1], later.start()) if span else None
        if span is None or between is None or not _LISTED.search(between[0]):
            break
        spans.insert(0, span)
    values = {plain_number(v) or v: v for v in (text[begin:end] for begin, end in spans)}
    if len(values) == 1:
        return Found(*last)
    return Found(spans[0][0], last[1], ", ".join(values.values()))
