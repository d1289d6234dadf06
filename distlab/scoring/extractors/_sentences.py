"""The formula or phrase that a statement or a closing sentence gives."""

import re

from distlab.scoring.extractors._formulas import (
    MATH,
    content_of,
    joined_math,
    right_side,
    sentence_start,
    whole_term,
)
from distlab.scoring.extractors._values import NUMBER, Span, number_in, trim_end

# Longest answer in plain words after "is", in characters. (ours)
_PHRASE = 120
LEAD = re.compile(r"(?:[\s:*_`>~≈\"“]|\\\"|(?:about|approximately|exactly|simply|just)\s)*+")
_BECAUSE = re.compile(
    r",?\s(?:because|since|which|where|when|as\s(?:we|the|it|shown|required)|so\s)"
    r"|\s\((?:since|because|i\.e|or\s|approx|rounded)",
    re.IGNORECASE,
)
# "is", said of a formula or of what has been named, and a value behind it.
PREDICATE = re.compile(
    r"\s(?:is|are|was|equals?|equal\sto|=)\s"
    r"(?:(?:exactly|about|approximately|therefore|thus|also|then)\s)?"
    r"(?=[-−+]?(?:\\?\$|\\\(|\\frac|\\sqrt|[0-9.(\[√π]))"
)
# A name and no value: n, f(x), f(2), a_{10}, x + y, \angle ABC.
_NAMED = re.compile(
    r"[^0-9=]{1,40}|[A-Za-z]'{0,2}\([A-Za-z0-9()+*/ -]{1,30}\)|[A-Za-z]_\{?[0-9]{1,3}\}?"
)
# Where a number's units end and the sentence goes on.
_BEYOND = re.compile(
    r"\s(?:(?:is|are|was|were|in|for|of|on|at|when|during|from|after|before|with|that|if|as|until)\s"
    r"(?=[A-Za-z0-9($\\])|(?:to|by)\s(?=[A-Za-z]))"
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|be|will|would|should|can|could|must|has|have|had|costs?|takes?|needs?"
    r"|charges?|makes?|earns?|gets?|equals?|there|spends?|pays?|weighs?|contains?|remains?|leaves?"
    r"|holds?|sells?|buys?|gives?)\b"
)
PLAIN_START = re.compile(r"[-+−(\[{\\0-9.]|[A-Za-z](?![A-Za-z])")
_DIRECTION = r"(?:facing|heading|pointing|going|moving|looking|walking|travell?ing)"
_IS_WORD = re.compile(
    r"(?:\b(?:is|are|was|were)\s(?:(?:now|then|thus|therefore|still)\s)?"
    rf"(?:(?:an?|the|called|named|on)\s)?|\b{_DIRECTION}\s|\b(?:faces|face)\s)"
    r"(?:(?:toward|towards|to|due|the|directly|straight)\s){0,2}[*_\"“]{0,3}"
    r"(?P<word>(?:[Nn]orth|[Ss]outh)[- ]?(?:[Ee]ast|[Ww]est)|[A-Z][A-Za-z]{0,20}"
    r"|even|odd|yes|no|true|false"
    r"|north|south|east|west|ellipse|circle|parabola|hyperbola|line|point|plane|sphere|cone"
    r"|cylinder|empty)[*_\"”]{0,3}\Z"
)


def expression_in(text: str, start: int, end: int) -> Span | None:
    """The formula or phrase that a statement gives: inline math if any, else its words."""
    lead = LEAD.match(text, start, end)
    start = lead.end() if lead else start
    math = MATH.search(text, start, end)
    if math and (math.start() == start or not PLAIN_START.match(text, start, end)):
        return _predicate(text, start, math, end) or joined_math(text, math, end)
    because = _BECAUSE.search(text, start, end)
    stop = trim_end(text, start, because.start() if because else end)
    return _phrase(text, start, stop) if start < stop else None


def _predicate(text: str, start: int, math: re.Match[str], end: int) -> Span | None:
    """What a formula, or something that it is part of, is said to be: "the largest $n$ is 34"."""
    if math.start() == start and not _NAMED.fullmatch(text, *content_of(math)):
        return None
    because = _BECAUSE.search(text, math.end(), end)
    end = because.start() if because else end
    marks = list(PREDICATE.finditer(text, math.end(), end))
    return expression_in(text, marks[-1].end(), end) if marks else None


def _phrase(text: str, start: int, stop: int) -> Span | None:
    """The value of a phrase in plain text: its number and units, or all of it."""
    number = NUMBER.match(text, start, stop)
    if number:
        beyond = _BEYOND.search(text, number.end(), stop)
        stop = trim_end(text, start, beyond.start()) if beyond else stop
        return right_side(text, start, stop) if stop <= start + _PHRASE else number.span()
    words = len(re.findall(r"[A-Za-z]{2,}", text[start : start + _PHRASE]))
    if words > 1 and _VERB.search(text, start, stop):
        value = number_in(text, start, stop)
        return whole_term(text, start, value, stop) if value else last_word(text, start, stop)
    return (start, stop) if stop <= start + _PHRASE else None


def last_word(text: str, start: int, end: int) -> Span | None:
    """What a closing sentence without any number says that something is: a name, a day, "odd"."""
    stop = trim_end(text, start, end)
    begin = sentence_start(text, start, stop)
    word = _IS_WORD.search(text, begin, stop)
    # Of numbers only in a clause before: "After turning 90 degrees, she is facing east."
    clause = text.rfind(", ", begin, word.start()) if word else -1
    behind = NUMBER.search(text, clause if clause >= 0 else begin, stop)
    return word.span("word") if word and not behind else None
