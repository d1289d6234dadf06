r"""Formulas in running text, in LaTeX or plain, and the value that each comes to."""

import re

from distlab.scoring.equations import is_condition
from distlab.scoring.extractors._values import NUMBER, Span, number_in, skip_junk, trim_end

# Not the "!" of a factorial: "8! / 24 = 1680".
SENTENCE_END = re.compile(
    r"(?<![Aa]pprox)(?<!\b[Nn]o)(?<!\bi\.e)[.!?](?=[\s*\"'”’)]|\Z)"
    r"(?!(?<=[0-9)!]!)\s{0,2}[-+*/×÷=≈)^]\s?)|\n|;\s|。"
)
# A formula in dollars that has space inside them holds no words: prices stand in words.
_TERMS = (
    r"(?:\\(?:text|mbox|mathrm|textbf|begin|end|operatorname)\s?\{[^{}$\n]{0,80}\}|\\[A-Za-z]+"
    r"|\\[^A-Za-z]|[A-Za-z]{1,2}(?![A-Za-z])|[^A-Za-z$\n\\]){1,2000}+"
)
MATH = re.compile(
    r"\$\$(?P<dd>(?:[^$\\]|\\.){1,2000}+)\$\$"
    r"|(?<![\\$])\$(?P<d>(?:[^$\n\s\\]|\\.)"
    r"(?:(?:[^$\n\\]|\\.){0,2000}?(?:[^$\s\\]|\\.))?)\$(?![0-9])"
    rf"|(?<![\\$])\$(?P<s>{_TERMS})\$(?![0-9])"
    r"|\\\((?P<p>(?:[^\\]|\\[^()]){1,2000}+)\\\)|\\\[(?P<b>(?:[^\\]|\\[^\[\]]){1,2000}+)\\\]",
    re.DOTALL,
)
JOINED = re.compile(r"[\s,.]{0,3}(?:,?\s?(?:and|or)\b|,)\s{0,2}")
_LIST_COMMA = re.compile(r",(?!(?:\\!)?\s?[0-9]{3}(?![0-9]))")
_COEFFICIENT = re.compile(r"[0-9]{1,9}\Z")
# A pair or an interval, several values, and the right side of an equation, in plain text.
_TUPLE = re.compile(r"[(\[][^()\[\]\n,]{1,60}(?:,[^()\[\]\n,]{1,60}){1,5}[)\]]")
_SERIES = re.compile(
    r"(?:[a-z]\s?=\s?)?[-−]?[0-9][0-9./√π]{0,20}"
    r"(?:(?:,|,?\s(?:and|or)\b)\s?(?:[a-z]\s?=\s?)?[-−]?[0-9][0-9./√π]{0,20}){1,8}"
)
_PLAIN_FORMULA = re.compile(
    r"(?:[-−+*/^()0-9.√π ²³]|(?:sqrt|pi|sin|cos|tan|log|ln)\b|[A-Za-z](?![A-Za-z])"
    r"|(?<=[0-9])[a-z]{2,3}(?=\s?[-−+*/^)]|\s?\Z)){1,80}"
)
_SAYS = re.compile(
    r"\b(?:is|equals|equal\sto|becomes|gives|get|obtain|simplifies\s(?:down\s)?to|reduces\sto"
    r"|(?:expands|factors|comes\sout)\s(?:to|as|into)|(?:written|expressed)\sas|leaves)\s"
    r"(?=[-−+(0-9A-Za-z√π])"
)
# A sign between two terms, or a number that multiplies.
_TERM = re.compile(r"[\w)²³π]\s?[-−+*/^]\s?[\w(√π]|[0-9)][A-Za-z(√π]")
# What follows a formula and is none of it: another clause, a unit.
_BEHIND = re.compile(
    r",?\s(?:after|when|for|if|where|in|as|by|since|because|once|using)\s|\s[A-Za-z²³]{2,15}\Z"
)
_FACTOR = re.compile(
    r"\)?(?:\s?π|\s?√(?:[0-9]{1,9}|\([^()\n]{1,40}\)))+(?:/[0-9]{1,9})?|\)?/[0-9]{1,9}"
)
# Of "3 and a half" the number alone is another one.
_AND_HALF = re.compile(r"\s{0,9}(?:and|&)\s")
# A fraction or root that breaks off.
_OPEN_GROUP = re.compile(
    r"\\(?:[dtc]?frac\s?(?:\{[^{}$\n]{1,60}\}\s?)?|sqrt\s?(?:\[[^\[\]$\n]{1,9}\])?)\{[^{}$\n]{0,60}\Z"
    r"|\\[dtc]?frac\s?\{[^{}$\n]{1,60}\}\s?\Z"
)
UNITS = re.compile(r"[\s$%°]{0,3}(?:[A-Za-z°²³/^]{1,20}[\s.]?){0,4}[\s.!]{0,3}")


def joined_math(text: str, math: re.Match[str], end: int) -> Span | None:
    """One formula, or several joined by "and", "or" or commas, as one span."""
    begin, stop = content_of(math)
    after = math.end()
    for _ in range(8):
        joined = JOINED.match(text, after, end)
        more = MATH.match(text, joined.end(), end) if joined else None
        if more is None:
            break
        stop, after = content_of(more)[1], more.end()
    return right_side(text, begin, stop) if after == math.end() else (begin, stop)


def breaks_off(text: str, start: int, end: int) -> bool:
    """Whether the text ends within a fraction or a root."""
    return bool(_OPEN_GROUP.search(text, max(start, end - 160), end))


def sentence_start(text: str, start: int, at: int) -> int:
    """Where the sentence begins that ``at`` is in, in ``text[start:at]``."""
    for mark in SENTENCE_END.finditer(text, start, at):
        start = mark.end()
    return start


def content_of(math: re.Match[str]) -> Span:
    """What a match of ``MATH`` holds between its delimiters."""
    return math.span(math.lastgroup or 0)


def right_side(text: str, start: int, end: int) -> Span | None:
    """The value of a chain a = b = c, or of an equation whose left side holds no letter."""
    while start < end and text[start].isspace():
        start += 1
    end = trim_end(text, start, end)
    body = text[start:end]
    at = _last_equals(body)
    if at > 0 and not _LIST_COMMA.search(body) and body[at - 1] not in "<>!\\":
        left = body[:at]
        if "=" in left or not re.search(r"(?<![\\A-Za-z])[A-Za-z]|\\text", left):
            start += at + 1
            while start < end and text[start].isspace():
                start += 1
    return (start, end) if end > start else None


def _last_equals(body: str) -> int:
    """The offset of the last "=" that stands in no braces, or -1."""
    depth, at = 0, -1
    for mark in re.finditer(r"\\.|[{}=]", body, re.DOTALL):
        depth += (mark[0] == "{") - (mark[0] == "}")
        if mark[0] == "=" and depth == 0:
            at = mark.start()
    return at


def number_alone(text: str, start: int, end: int) -> Span:
    """The number in a box that holds one number and its units; else all of the box."""
    span = number_in(text, start, end)
    number = NUMBER.match(text, *span) if span else None
    if span is None or number is None or number.end() < span[1]:
        # Of an expression the brackets around it are a part.
        return start, end
    rest = re.sub(r"\\(?:text|mbox|mathrm|textbf|,|;|!|\s)|[{}$~]", " ", text[span[1] : end])
    left = text[start : span[0]]
    if _AND_HALF.match(rest):
        return start, end
    if UNITS.fullmatch(" ".join(rest.split())) and (
        ("=" in left and not is_condition(text[start:end]))
        or skip_junk(text, start, end) >= span[0]
    ):
        return span
    return start, end


def whole_term(text: str, start: int, number: Span, end: int) -> Span:
    """What the closing number is part of in plain text: (3, 4), x^2 + 1, "1 or 2", 12π, 2√3/3."""
    sentence = sentence_start(text, start, number[0])
    stop = trim_end(text, number[1], end)
    equals = text.rfind("=", sentence, number[0])
    for pattern in (_TUPLE, _SERIES):
        for whole in pattern.finditer(text, sentence, end):
            if whole.start() <= number[0] and number[1] <= whole.end():
                return whole.start(), trim_end(text, number[1], whole.end())
    if equals >= 0 and _PLAIN_FORMULA.fullmatch(text, equals + 1, stop):
        return equals + 1 + (text[equals + 1] == " "), stop
    return _said_formula(text, sentence, number, stop) or _with_factors(text, start, number, end)


def _said_formula(text: str, sentence: int, number: Span, stop: int) -> Span | None:
    """What something is said to be, where that is more than a number: "equals 3x + 4y"."""
    for said in _SAYS.finditer(text, sentence, number[1]):
        formula = _PLAIN_FORMULA.match(text, said.end(), stop)
        if formula is None or formula.end() < number[1] or not _TERM.search(formula[0]):
            continue
        after = trim_end(text, number[1], formula.end())
        if after == stop or _BEHIND.match(text, after, stop):
            return formula.start(), after
    return None


def _with_factors(text: str, start: int, number: Span, end: int) -> Span:
    begin = number[0]
    while begin > start and text[begin - 1] in "√(" and "√" in text[max(start, begin - 2) : begin]:
        begin -= 1
    factor = _COEFFICIENT.search(text, max(start, begin - 12), begin) if begin < number[0] else None
    more = _FACTOR.match(text, number[1], end)
    return (factor.start() if factor else begin), (more.end() if more else number[1])
