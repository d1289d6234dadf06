"""Spans of typed values in running text: numbers, dates, weeks and days.

Every function takes a text with bounds and returns offsets into that text, so that an answer's
span is exact. Patterns are bounded or possessive: searches are linear in the text.
"""

import re

from distlab.scoring.numerals import NUMERAL

Span = tuple[int, int]

_FRAC = r"\\[dtc]?frac\s?(?:\{\s?-?[0-9]{1,30}\s?\}|[0-9])\s?(?:\{\s?[0-9]{1,30}\s?\}|[0-9])"
# 1,234  1{,}234  1,\!234  1\,234, and the narrow spaces; Indian 1,00,000 too.
_SEP = r"(?:\{,\}|,\\!\s?|\\[,!]|,|[\u00a0\u2009\u202f])"
_PLAIN = (
    # 1.234,50 and 1.234.567; 1'234'567 and 1_234_567.
    r"(?:[0-9]{1,3}(?:\.[0-9]{3})++,[0-9]{1,2}(?![0-9])|[0-9]{1,3}(?:\.[0-9]{3}){2,}+(?!\.?[0-9])"
    r"|[0-9]{1,3}(?:'[0-9]{3})++(?![\w'])|[0-9]{1,3}(?:_[0-9]{3}){2,}+(?!\w))"
    rf"|(?:[0-9]{{1,3}}(?:{_SEP}[0-9]{{3}}(?![0-9]))++|[0-9]{{1,2}}(?:,[0-9]{{2}})++,[0-9]{{3}}"
    r"(?![0-9])|[0-9]++)(?:\.[0-9]++)?|\.[0-9]++"
)
_VULGAR = "[¼½¾⅐-⅞]"
_POWER = (
    r"(?:[eE][-+]?[0-9]{1,3}(?![\w.])"
    r"|\s?(?:x|×|\*|\\times|\\cdot)\s?10(?:\^|\*\*)\s?(?:\{?\s?[-−]?[0-9]{1,3}\s?\}?))"
)
_MONEY = r"(?:US)?\\?[$€£¥₹]\s?"

NUMBER = re.compile(
    # Spaces as separators are told from two numbers by a currency sign alone.
    rf"[$€£]\s?[0-9]{{1,9}}(?:\.[0-9]{{1,6}})?\s?(?:k|K|M|[bB]n|B|mn)\b"
    rf"|(?<=[$€£¥₹])[0-9]{{1,3}}(?: [0-9]{{3}})++(?![0-9])(?:\.[0-9]++)?"
    rf"|(?<![0-9A-Za-z_.])(?:[-−](?:{_MONEY})?|negative\s)?"
    rf"(?:{_FRAC}|{_VULGAR}|(?:{_PLAIN})(?:\s?{_FRAC}|\s?{_VULGAR}|\s[0-9]{{1,9}}/[0-9]{{1,9}}(?![\w/])"
    rf"|\s?/\s?[0-9]{{1,30}}(?:\.[0-9]{{1,30}})?(?![\w/])|{_POWER})?)(?:\s?\\?%|\s(?:thousand|million|billion|trillion)\b)?"
    # A sign after a value is a minus, and the number starts behind it.
    r"|(?<=[\w)\]}])[-−](?P<after>[0-9]++(?:\.[0-9]++)?)"
)

_OPERATOR = re.compile(
    r"\s?(?:[-+×÷−–^/]|\*(?!\*)|\\times|\\cdot|\\div|x(?=\s?[0-9]))\s?[0-9(${\\.]"
    # A root, a variable, a time of day.
    r"|\s?\\(?:sqrt|pi)|[xyzn](?![A-Za-z])|:[0-9]{2}|\("
    r"(?=[^()]{0,20}[-+*/]\s?[^()]{1,20}\))"
)
# "84 sofas and 88 chairs", "1 minute and 24 seconds": two numbers are not one.
_COMPOUND = re.compile(
    r"\s?(?:[A-Za-z]{2,20}\s){1,3}(?:and|plus|\+)\s\\?\$?[0-9]|\s(?:and|or|to)\s\\?\$?[0-9]"
    r"|,\s?\\?\$?[0-9]"
)
_SUM = re.compile(r"[^(),;=]*[+×*][^(),;=]*")

_JUNK = re.compile(
    r"(?:[\s:*_`>~≈=\"'“”(\[{]|\\\(|\\\[|\\approx|\\text\{|\\boxed|\\fbox|\\\$"
    r"|[$€£¥₹](?!\s?[0-9.]{1,12}\s?(?:k|K|M|[bB]n|B|mn)\b)"
    r"|(?:about|approximately|approx\.?|roughly|around|exactly|simply|just|only|a total of|USD"
    r"|Rs\.?)\s)*+"
)

_COPULA = re.compile(
    r"\b(?:is|are|was|were|be|equals?|equal to|makes|becomes|so|thus|hence|giv(?:es|ing)"
    r"|leav(?:es|ing)|total(?:s|ing)?\sof|totals)\s|(?P<colon>:\s)"
)
# "2 hours and 30 minutes, which is 150 minutes".
_RESTATED = re.compile(
    r"(?:\swhich\s(?:is|equals|makes|means|totals)(?:\sthe\ssame\sas)?|\bi\.e\.,?|\bthat\sis,?|,?\sor)\s"
)
_REASON = re.compile(r",?\s(?:because|since)\s")
_MINUS = re.compile(r"minus\s(?=[0-9])")
_SPACED = re.compile(r"[0-9]{1,3}(?: [0-9]{3})+(?![\w,]|\.[0-9]|\s[0-9])")
_EQUALS = re.compile(r"=|≈|\\approx")

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
DATE = re.compile(
    r"(?<![0-9/.])(?:[0-9]{1,2}\s?/\s?[0-9]{1,2}\s?/\s?[0-9]{2,4}|[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}|[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
    r"|[0-9]{1,2}-[0-9]{1,2}-[0-9]{4})(?![0-9/])"
    rf"|\b{_MONTH}\s{{1,3}}[0-9]{{1,2}}(?:st|nd|rd|th)?,?\s{{1,3}}[0-9]{{4}}\b"
    rf"|\b[0-9]{{1,2}}(?:st|nd|rd|th)?(?:\s{{1,3}}(?:of\s)?|-){_MONTH}(?:,?\s{{1,3}}|-)[0-9]{{4}}\b",
    re.IGNORECASE,
)

_COUNT = rf"(?:[0-9]{{1,3}}|{NUMERAL.pattern})"
# Weeks and days together come first: text also says one of them, or both as days.
WEEKS_AND_DAYS = re.compile(
    rf"\b{_COUNT}\s?(?:weeks?\b|week\(s\)|wks?\b|w\b)['\"’]?[\s,;+&(]{{0,4}}(?:and\s|D\s?=\s?)?['\"‘]?"
    rf"{_COUNT}\s?(?:days?\b|day\(s\)|d\b)"
    r"|\b[0-9]{1,3}w[0-9]d\b"
    r"|\b[0-9]{1,3}\s?(?:\+\s?[0-6]|\s[0-6]/7)\s?(?:weeks?|wks?|w)\b"
    r"|\bweeks?\s?[:=]\s?[0-9]{1,3}[\s,;]{1,3}(?:and\s)?days?\s?[:=]\s?[0-9]{1,3}\b",
    re.IGNORECASE,
)
WEEKS_OR_DAYS = re.compile(rf"\b{_COUNT}\s?(?:weeks?|wks?|days?)\b", re.IGNORECASE)
PAIR = re.compile(r"[(\[]\s?['\"]?([0-9]{1,3}['\"]?\s?,\s?['\"]?[0-9]{1,3})['\"]?\s?[)\]]")


def _span(match: re.Match[str]) -> Span:
    return match.span("after") if match["after"] else match.span()


def skip_junk(text: str, start: int, end: int) -> int:
    """The offset behind markup, currency and hedges that may stand before a value."""
    match = _JUNK.match(text, start, end)
    return match.end() if match else start


def number_in(text: str, start: int, end: int) -> Span | None:
    """The number that the statement ``text[start:end]`` gives as its value.

    In this order: the number it starts with; the number after its last equals sign; all of it
    where it starts with an expression or with several numbers ("9 * 2", "5 feet and 3 inches"),
    for the grader to judge; the number after its last "is"; its first number, in digits or words.
    """
    first = NUMBER.search(text, start, end)
    if first is None:
        word = NUMERAL.search(text, start, end)
        return word.span() if word else None
    head, tail = _span(first)
    lead = skip_junk(text, start, end)
    if _MINUS.match(text, lead, end) and text[lead:head] == "minus ":
        return lead, tail
    direct = lead >= head
    spaced = _SPACED.match(text, head, end) if direct else None
    if spaced:
        return spaced.span()
    compound = direct and bool(_COMPOUND.match(text, tail, end))
    restated = _restated(text, tail, end) if compound else None
    if restated:
        return restated
    several = compound or (direct and bool(_OPERATOR.match(text, tail, end)))
    if not direct:
        reason = _REASON.search(text, tail, end)
        end = reason.start() if reason else end
    equals = [mark.end() for mark in _EQUALS.finditer(text, start, end)]
    if direct and not several and not _is_sum(text, tail, equals):
        return head, tail
    for after in reversed(equals):
        value = NUMBER.search(text, after, end)
        if value and not _OPERATOR.match(text, value.end(), end):
            return _span(value)
    if direct:
        return head, trim_end(text, head, end)
    for mark in reversed(list(_COPULA.finditer(text, start, end))):
        value = NUMBER.search(text, mark.end(), end)
        if value:
            return _span(value)
    return head, tail


def _restated(text: str, start: int, end: int) -> Span | None:
    """The one number that several are said to be the same as."""
    for mark in _RESTATED.finditer(text, start, end):
        value = NUMBER.match(text, skip_junk(text, mark.end(), end), end)
        if value and not _COMPOUND.match(text, value.end(), end):
            return _span(value)
    return None


def _is_sum(text: str, tail: int, equals: list[int]) -> bool:
    """Whether what follows the number up to the last equals sign adds to it."""
    return bool(equals) and bool(_SUM.fullmatch(text, tail, max(tail, equals[-1] - 1)))


def concluded(text: str, start: int, end: int, last: Span) -> Span:
    """The value of a closing sentence, whose last number is ``last``.

    The number after its last equals sign; else the one right after its last "is"; else the last.
    """
    for mark in reversed(list(_EQUALS.finditer(text, start, end))):
        value = NUMBER.search(text, mark.end(), end)
        if value:
            return _span(value)
    for mark in reversed(list(_COPULA.finditer(text, start, end))):
        if mark["colon"] and NUMBER.search(text, start, mark.start()):
            # "3 bolts: 2 blue and 1 white"
            continue
        value = NUMBER.match(text, skip_junk(text, mark.end(), end), end)
        if value and not _OPERATOR.match(text, value.end(), end):
            return _span(value)
    return last


def trim_end(text: str, start: int, end: int) -> int:
    """``end`` moved left over punctuation and markup, never past ``start``."""
    while end > start and (text[end - 1].isspace() or text[end - 1] in ".,;:!*_`\"'“”$"):
        end -= 1
    return end
