"""Answers that are stated: "the answer is ...", "Answer: ..."."""

import re
from typing import NamedTuple

from distlab.problems.problem import GoldKind
from distlab.scoring.extractors._formulas import MATH, SENTENCE_END
from distlab.scoring.extractors._found import TRIES, Found
from distlab.scoring.extractors._kinds import LITERAL, NUMERIC, SpanReader, reader_of
from distlab.scoring.extractors._sentences import LEAD, PLAIN_START
from distlab.scoring.extractors._values import NUMBER, Span, skip_junk

# Longest answer in words behind a label. (ours)
_LABEL_WORDS = 3
# "the answer (to ...) is", "Answer:", "answer = ", matched at the word "answer".
_BE = (
    r"(?:is|are|was|equals?|would\sbe|will\sbe|should\sbe|must\sbe|can\sbe|becomes"
    r"|comes\s(?:out\s)?to(?:\sbe)?|turns\sout\sto\sbe)\b"
)
_STATES = re.compile(
    r"(?:answers?|ANSWERS?|Answers?)\b[*_\"'”’)\]}]{0,4}(?:\s?\([A-Za-z]\))?"
    r"(?:\s(?:to|of|for|in|as|here|we|that|rounded|therefore|then)\b[^\n.:=]{0,100}?)?"
    rf"(?:\s{{0,3}}\**\s?(?P<is>{_BE})(?P<not>\s+not\b|n't\b)?"
    r"(?:\s(?:thus|then|also|simply|just|indeed|clearly|equal\sto|therefore|given\sby))?[:=]?"
    r"|[ \t]{0,3}[*_]{0,3}(?P<label>[:=：→]|-(?=\s))|(?P<heading>[ \t*_]{0,6}\n))"
)
_LABEL = re.compile(
    r"(?:^|\n|<think>)[ \t>*_#]{0,6}(?:A|Ans|ANS|ans|Result|Solution|Output)[*_]{0,3}"
    r"[ \t]?[:.=][*_]{0,3}"
)
_HEADING_WORDS = re.compile(
    r"[ \t>*_#\d.]{0,10}(?:(?:the|my|our)\s)?(?:final\s|numerical\s|correct\s)?\Z", re.IGNORECASE
)
_FINAL = re.compile(r"final\s(?:\w{1,12}\s)?\Z", re.IGNORECASE)
# Steps in words; of steps in figures the second has to follow.
_FIRST_OF_LIST = re.compile(
    r"1[.)]\s+(?:(?:\*\*)?[A-Za-z]|[^\n]{1,300}\n(?:[^\n]{0,300}\n){0,4}?[ \t*]{0,4}2[.)]\s)"
)
# "1. 12", and no second.
_ONLY_ITEM = re.compile(
    r"(?:1[.)]|\(?[a1]\)|[-•])\s{1,3}[*_]{0,2}(?=[-−]?\\?[$€£(]?\s?[0-9\\])"
    r"(?![^\n]{0,300}\n(?:[^\n]{0,300}\n){0,4}?[ \t*]{0,4}(?:2[.)]|\(?[b2]\)|[-•])\s)"
)
# No answer, said in place of one.
_REFUSED = re.compile(
    r"answers?(?:\sis|:)?[*_]{0,3}\s"
    r"(?:can(?:not|'t|\snot)\sbe\s(?:determined|calculated|computed|found|given)"
    r"|unknown|undetermined|indeterminate|insufficient|not\senough|impossible\sto|n/a"
    r"|not\s(?:given|available|provided|specified|known|stated|determinable))\b",
    re.IGNORECASE,
)
# "I cannot determine the answer", "the answer is between 7 and 8".
_ANSWER = re.compile("answers?", re.IGNORECASE)
_UNABLE = re.compile(
    r"\b(?:can(?:not|'t|\snot)|unable\sto|impossible\sto|no\sway\sto)\s"
    r"(?:determine|calculate|compute|find|give|provide|state)\s(?:the|an|any)\s(?:\w{1,12}\s)?\Z"
)
_BOUNDED = re.compile(
    r"answers?\s(?:is|lies)\s(?:somewhere\s)?between\s[-−$]{0,2}[0-9][0-9.,]{0,12}\sand\s"
    r"[-−$]{0,2}[0-9][0-9,]{0,12}(?:\.[0-9]{1,9})?(?:\s[a-z]{1,12})?\s{0,3}(?:\.(?![0-9])|\n|\Z)",
    re.IGNORECASE,
)
# Characters looked back for who is unable, and of a reason with numbers. (ours)
_LOOK_BACK = 60
_REASON = 120
# What makes more than a reason of the text behind a refusal.
_GOES_ON = re.compile(
    r"[=≈?]|\\|\b(?:but|however|unless|instead|so|thus|therefore|hence|then|assum\w{1,5}|suppose|if"
    r"|directly|without|yet|get|answers?)\b|\b(?:is|makes|gives|totals?|leaves)\s\$?[0-9]",
    re.IGNORECASE,
)


class _StatedAnswer(NamedTuple):
    """A statement of an answer, and whether it calls itself final."""

    found: Found
    final: bool


def last_statement(text: str, start: int, end: int, kind: GoldKind) -> _StatedAnswer | None:
    """The last statement of an answer."""
    at = end
    read = reader_of(kind)
    label = _last_label(text, start, end, kind, read)
    for _ in range(TRIES):
        at = max(text.rfind("nswer", start, at), text.rfind("NSWER", start, at))
        if at <= start - 1 or at < 1:
            break
        if label and label[0] > at:
            break
        span = _statement(text, at - 1, end, kind, read)
        if span:
            final = bool(_FINAL.search(text, max(0, at - 20), at - 1))
            return _StatedAnswer(Found(*span), final)
    return _StatedAnswer(Found(*label), False) if label else None


def _statement(text: str, at: int, end: int, kind: GoldKind, read: SpanReader) -> Span | None:
    """The value stated at the word "answer" that begins at ``at``."""
    match = _STATES.match(text, at, end)
    if kind in NUMERIC and _refused(text, at, end):
        return at, at
    if match is None or match["not"]:
        return None
    if match["heading"] and not _HEADING_WORDS.search(text, max(0, at - 24), at):
        return None
    if match["is"]:
        return read(text, *_clause(text, match.end(), end))
    return _labelled(text, match.end(), end, kind, read)


def _refused(text: str, at: int, end: int) -> bool:
    """Whether the text says of the answer that there is none, and comes to no number after it."""
    refusal = _REFUSED.match(text, at, end) or _BOUNDED.match(text, at, end)
    if refusal is None and _UNABLE.search(text, max(0, at - _LOOK_BACK), at):
        refusal = _ANSWER.match(text, at, end)
    if refusal is None:
        return False
    if not NUMBER.search(text, refusal.end(), end):
        return True
    return end <= refusal.end() + _REASON and not _GOES_ON.search(text, refusal.end(), end)


def _clause(text: str, start: int, end: int) -> Span:
    """The rest of the sentence from its first character that is no markup."""
    lead = LEAD.match(text, start, end)
    start = lead.end() if lead else start
    only = _ONLY_ITEM.match(text, start, end)
    start = only.end() if only else start
    math = MATH.match(text, start, end)
    stop = SENTENCE_END.search(text, math.end() if math else start, end)
    return start, stop.start() if stop else end


def _labelled(text: str, start: int, end: int, kind: GoldKind, read: SpanReader) -> Span | None:
    """The value behind "Answer:", unless a worked solution stands there."""
    begin, stop = _clause(text, start, end)
    if "\n" in text[start:begin] and _FIRST_OF_LIST.match(text, begin, end):
        return None
    span = read(text, begin, stop)
    if span is None or kind in LITERAL:
        return span
    line = text.find("\n", stop, end)
    line_end = line if line >= 0 else end
    alone = not text[stop:line_end].strip(" \t*_.!$")
    if kind not in NUMERIC:
        short = len(text[span[0] : span[1]].split()) <= _LABEL_WORDS
        valued = text[begin] == "$" or bool(PLAIN_START.match(text, span[0], end))
        return span if alone and (short or valued) else None
    if skip_junk(text, begin, stop) >= span[0] and len(text[span[1] : stop].split()) <= 4:
        return span
    return span if alone and not NUMBER.search(text, line_end, end) else None


def _last_label(text: str, start: int, end: int, kind: GoldKind, read: SpanReader) -> Span | None:
    for mark in reversed(list(_LABEL.finditer(text, start, end))[-TRIES:]):
        span = _labelled(text, mark.end(), end, kind, read)
        if span and span[1] - span[0] <= 200:
            return span
    return None
