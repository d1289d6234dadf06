"""Rules: the answer that a completion states, read off by rules alone."""

import re
from collections.abc import Callable

from distlab.problems.types import GoldKind
from distlab.scoring.extractors._cut import run_on
from distlab.scoring.extractors._values import (
    DATE,
    NUMBER,
    PAIR,
    WEEKS_AND_DAYS,
    WEEKS_OR_DAYS,
    Span,
    concluded,
    number_in,
    skip_junk,
    trim_end,
)
from distlab.scoring.numerals import NUMERAL
from distlab.scoring.types import Extraction

# Characters of a completion that are read at all, and of its end that are searched for the
# answer. (ours) 8192 tokens are some 40 000 characters: only hostile texts are longer.
READ_LIMIT = 1_000_000
_TAIL = 100_000
# Longest answer in plain words, in characters after "is" and in words after a label. (ours)
_PHRASE = 120
_LABEL_WORDS = 3
# Characters of the end that weak evidence is looked for in. (ours)
_CLOSING_CHARACTERS = 2_000
# Statements looked at, last first, before giving up. (ours)
_TRIES = 64

# Most telling first.
_WEEKS = (WEEKS_AND_DAYS, PAIR, WEEKS_OR_DAYS)
_NUMERIC = frozenset({GoldKind.NUMBER, GoldKind.INTEGER, GoldKind.INTERVAL})

_BOX = re.compile(r"\\(?:boxed|fbox|framebox)\b\s{0,4}")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_JSON_KEY = re.compile(
    r"""["'“](?:final[_ ]?|numerical[_ ]?|the[_ ]?)?answer["'”]\s{0,8}:\s{0,8}""", re.IGNORECASE
)
_HASHES = re.compile(r"(?:^|(?<=\n))[ \t*]{0,4}####[ \t]{0,8}(?=[^\s#])")

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
    r"(?:^|\n)[ \t>*_#]{0,6}(?:A|Ans|ANS|ans|Result|Solution|Output)[*_]{0,3}[ \t]?[:.=][*_]{0,3}"
)
_HEADING_WORDS = re.compile(
    r"[ \t>*_#\d.]{0,10}(?:(?:the|my|our)\s)?(?:final\s|numerical\s|correct\s)?\Z", re.IGNORECASE
)
_FINAL = re.compile(r"final\s(?:\w{1,12}\s)?\Z", re.IGNORECASE)

_SENTENCE_END = re.compile(r"(?<![Aa]pprox)(?<!\b[Nn]o)[.!?](?=[\s*\"'”’)]|\Z)|\n|;\s|。")
_LEAD = re.compile(r"(?:[\s:*_`>~≈\"“]|(?:about|approximately|exactly|simply|just)\s)*+")
_BECAUSE = re.compile(
    r",?\s(?:because|since|which|where|when|as\s(?:we|the|it|shown|required)|so\s)"
    r"|\s\((?:since|because|i\.e|or\s|approx|rounded)",
    re.IGNORECASE,
)
_MATH = re.compile(
    r"\$\$(?P<dd>[^$]{1,2000})\$\$|(?<![\\$])\$(?P<d>(?:[^$\n\s\\]|\\.)(?:(?:[^$\n\\]|\\.){0,2000}?"
    r"(?:[^$\s\\]|\\.))?)\$(?![0-9])"
    r"|\\\((?P<p>(?:[^\\]|\\[^()]){1,2000})\\\)|\\\[(?P<b>(?:[^\\]|\\[^\[\]]){1,2000})\\\]",
    re.DOTALL,
)
_JOINED = re.compile(r"[\s,.]{0,3}(?:,?\s?(?:and|or)\b|,)\s{0,2}")
_PLAIN_START = re.compile(r"[-+−(\[{\\0-9.]|[A-Za-z](?![A-Za-z])")

_ENUMERATOR = re.compile(r"[ \t>*_#]{0,6}(?:Step\s)?[0-9]{1,2}[.):](?=[\s*])")
_NOTE = re.compile(r"[ \t>*_(]{0,6}(?:Note|NB|P\.S\.)\b")
_CHECK = re.compile(
    r"\n[ \t>*_#]{0,6}(?:(?:To\s|Let(?:'s|\sme|\sus)\s)?(?:double[- ])?(?:check|verify)|Verif)",
    re.IGNORECASE,
)
# Spans of time behind the value, and the value once more in other units.
_TIMED = re.compile(
    r"\b(?:over|during|within|across|after|in|for|every)\s(?:(?:the|all|these|those|a)\s)?"
    r"(?:(?:next|first|last|past|entire|whole|course of)\s)?\Z"
)
# "$64 for 16 glasses"
_PAID_FOR = re.compile(
    r"[$€£]\s?[0-9][0-9,.]{0,12}\sfor\s(?:(?:the|all|these|those|his|her|their)\s)?\Z"
)
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b")
_PERIOD = re.compile(r"[\s-](?:second|minute|hour|day|night|week|month|year|people|person|friend)")
_ALTERNATIVE = re.compile(
    r"[0-9][A-Za-z ]{0,30},?\s(?:or|i\.e\.,?)\s(?:about\s|roughly\s)?(?=[0-9])"
)
_COEFFICIENT = re.compile(r"[0-9]{1,9}\Z")
# A pair or an interval, several values, and the right side of an equation, in plain text.
_TUPLE = re.compile(r"[(\[][^()\[\]\n,]{1,60}(?:,[^()\[\]\n,]{1,60}){1,5}[)\]]")
_SERIES = re.compile(
    r"(?:[a-z]\s?=\s?)?[-−]?[0-9][0-9./√π]{0,20}"
    r"(?:(?:,|,?\s(?:and|or)\b)\s?(?:[a-z]\s?=\s?)?[-−]?[0-9][0-9./√π]{0,20}){1,8}"
)
_PLAIN_FORMULA = re.compile(
    r"(?:[-−+*/^()0-9.√π ²³]|(?:sqrt|pi|sin|cos|tan|log|ln)\b|[A-Za-z](?![A-Za-z])){1,80}"
)
_FACTOR = re.compile(
    r"\)?(?:\s?π|\s?√(?:[0-9]{1,9}|\([^()\n]{1,40}\)))+(?:/[0-9]{1,9})?|\)?/[0-9]{1,9}"
)
# All that a completion is: "B", "(B)".
_OPTION = re.compile(r"[\s*]{0,8}\(?(?P<letter>[A-J])\)?[.\s*]{0,8}")
_IS_WORD = re.compile(
    r"\b(?:is|are|was)\s(?:(?:an?|the|called)\s)?[*_\"“]{0,3}(?P<word>[A-Z][A-Za-z]{0,20}|even|odd|yes|no"
    r"|true|false|ellipse|circle|parabola|hyperbola|line|point|plane|sphere|cone|cylinder|empty)"
    r"[*_\"”]{0,3}\Z"
)
_SURE = re.compile(r"\s?(?:\w{1,12}\s){0,2}?(?:sure|certain|confiden|correct|accura|positive)")
_CONFIDENCE = re.compile(r"(?:confidence|confident|certain|sure)\W{0,3}(?:\w{1,10}\s){0,3}\Z", re.I)
_BOLD = re.compile(r"\*\*([^*\n]{1,80})\*\*")
_UNITS = re.compile(r"[\s$%°]{0,3}(?:[A-Za-z°²³/^]{1,20}[\s.]?){0,4}[\s.!]{0,3}")


class Rules:
    r"""Reads the answer by rules.

    In this order:

    1. The text is cut where the model runs on into a new question (see ``_cut``); text up to a
       closing ``</think>`` is skipped.
    2. The last of: ``\boxed{}`` or ``\fbox{}``, a JSON ``"answer":``, ``#### N``, "final answer".
    3. The last "the answer is ..." or "Answer: ..." (also ``A:``, ``Ans.``, ``Result:``).
    4. Weak evidence: a last bold value, the value of the last sentence or formula.

    Within a statement the value is read in the form that the question asks for: one number, a
    date, weeks and days, or a LaTeX or plain expression. The answer is always
    ``text[start:end]``, without markup around it; normalising is the graders' business.

    Args:
        cut: Cut the text where the model runs on. False is for measuring what the cut does.
    """

    name = "rules"
    version = "2"

    def __init__(self, cut: bool = True) -> None:
        self._cut = cut

    def extract(self, text: str, kind: GoldKind) -> Extraction:
        """Read the answer; linear in the length of ``text``, and never raises."""
        end = min(len(text), READ_LIMIT)
        start = _after_thinking(text, end)
        if self._cut:
            end = run_on(text, start, end)
        span = _find(text, max(start, end - _TAIL), end, kind)
        if span is None:
            return Extraction(None, 0, 0, end)
        return Extraction(text[span[0] : span[1]], span[0], span[1], end)


def _after_thinking(text: str, end: int) -> int:
    at = text.rfind("</think>", 0, end)
    if at < 0 or not text[at + 8 : end].strip():
        return 0
    return at + 8


def _find(text: str, start: int, end: int, kind: GoldKind) -> Span | None:
    read = _reader(kind)
    strong = [
        found
        for found in (
            _json(text, start, end, read),
            _boxed(text, start, end, kind),
            _hashes(text, start, end, read),
        )
        if found
    ]
    latest = max(strong, default=None)
    stated = _stated(text, max(start, latest[1]) if latest else start, end, kind, read)
    if latest is None:
        return stated[0] if stated else _fallback(text, start, end, kind)
    return stated[0] if stated and stated[1] else latest


Reader = Callable[[str, int, int], Span | None]


def _reader(kind: GoldKind) -> Reader:
    """How a value of this kind is read off the statement in ``text[start:end]``."""
    if kind in _NUMERIC:
        return number_in
    if kind is GoldKind.DATE:
        return _date_in
    if kind is GoldKind.WEEKS_DAYS:
        return _weeks_in
    return _expression_in


def _date_in(text: str, start: int, end: int) -> Span | None:
    match = DATE.search(text, start, end)
    return match.span() if match else None


def _weeks_in(text: str, start: int, end: int) -> Span | None:
    for pattern in _WEEKS:
        match = pattern.search(text, start, end)
        if match:
            return match.span(pattern.groups)
    return None


def _expression_in(text: str, start: int, end: int) -> Span | None:
    """The formula or phrase that a statement gives: inline math if any, else its words."""
    lead = _LEAD.match(text, start, end)
    start = lead.end() if lead else start
    math = _MATH.search(text, start, end)
    if math and (math.start() == start or not _PLAIN_START.match(text, start, end)):
        return _joined_math(text, math, end)
    because = _BECAUSE.search(text, start, end)
    stop = trim_end(text, start, because.start() if because else end)
    return (start, stop) if start < stop <= start + _PHRASE else None


def _joined_math(text: str, math: re.Match[str], end: int) -> Span | None:
    """One formula, or several joined by "and", "or" or commas, as one span."""
    begin, stop = _content(math)
    after = math.end()
    for _ in range(8):
        joined = _JOINED.match(text, after, end)
        more = _MATH.match(text, joined.end(), end) if joined else None
        if more is None:
            break
        stop, after = _content(more)[1], more.end()
    return _right_side(text, begin, stop)


def _content(math: re.Match[str]) -> Span:
    return math.span(math.lastgroup or 0)


def _right_side(text: str, start: int, end: int) -> Span | None:
    """The value of a chain a = b = c, or of an equation whose left side holds no letter."""
    while start < end and text[start].isspace():
        start += 1
    end = trim_end(text, start, end)
    body = text[start:end]
    at = body.rfind("=")
    if at > 0 and "," not in body and body[at - 1] not in "<>!\\":
        left = body[:at]
        if "=" in left or not re.search(r"(?<![\\A-Za-z])[A-Za-z]|\\text", left):
            start += at + 1
            while start < end and text[start].isspace():
                start += 1
    return (start, end) if end > start else None


def _json(text: str, start: int, end: int, read: Reader) -> Span | None:
    """The value of the last JSON "answer", whether or not the object is closed."""
    keys = list(_JSON_KEY.finditer(text, start, end))[-_TRIES:]
    for key in reversed(keys):
        begin = key.end()
        quote = text[begin : begin + 1]
        if quote in ('"', "'", "“"):
            begin += 1
            stop = _string_end(text, begin, end, "”" if quote == "“" else quote)
        else:
            stop = _bare_end(text, begin, end)
        span = read(text, begin, stop)
        if span:
            return span
    return None


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


def _boxed(text: str, start: int, end: int, kind: GoldKind) -> Span | None:
    """The content of the last box that holds anything."""
    boxes = list(_BOX.finditer(text, start, end))[-8:]
    for index in range(len(boxes) - 1, -1, -1):
        span = _box_content(text, boxes[index].end(), end)
        if span is None:
            continue
        if kind in _NUMERIC:
            return _number_alone(text, *span)
        if kind in (GoldKind.DATE, GoldKind.WEEKS_DAYS):
            return _reader(kind)(text, *span) or span
        return _joined_boxes(text, boxes[:index], span)
    return None


def _box_content(text: str, start: int, end: int) -> Span | None:
    """What the box whose argument begins at ``start`` holds; up to the line's end if unclosed."""
    if text[start : start + 1] == "{":
        begin, stop = start + 1, _closing(text, start, end)
        if stop < 0:
            line = re.compile(r"\n|\$").search(text, begin, end)
            stop = line.start() if line else end
    else:
        word = re.compile(r"\\?[\w.]+").match(text, start, end)
        begin, stop = word.span() if word else (start, start)
    while begin < stop and text[begin].isspace():
        begin += 1
    while stop > begin and text[stop - 1].isspace():
        stop -= 1
    return (begin, stop) if stop > begin else None


def _closing(text: str, start: int, end: int) -> int:
    """The offset of the brace that closes the one at ``start``, or -1."""
    depth = 0
    for brace in _BRACE.finditer(text, start, end):
        if brace[0] == "{":
            depth += 1
        elif brace[0] == "}":
            depth -= 1
            if depth == 0:
                return brace.start()
    return -1


def _joined_boxes(text: str, earlier: list[re.Match[str]], last: Span) -> Span:
    r"""Boxes that share a sentence, as ``\boxed{1} and \boxed{2}``, are one answer."""
    begin = last[0]
    for box in reversed(earlier):
        span = _box_content(text, box.end(), begin)
        if span is None:
            break
        between = text[span[1] : begin]
        if not re.fullmatch(
            r"\}?\s?\$?[\s,]{0,2}(?:and|or|,)\s{0,2}\$?\s?\\f?boxed\s?\{\s*", between
        ):
            break
        begin = span[0]
    return begin, last[1]


def _number_alone(text: str, start: int, end: int) -> Span:
    """The number in a box that holds one number and its units; else all of the box."""
    span = number_in(text, start, end)
    if span is None:
        return start, end
    rest = re.sub(r"\\(?:text|mbox|mathrm|textbf|,|;|!|\s)|[{}$~]", " ", text[span[1] : end])
    left = text[start : span[0]]
    if _UNITS.fullmatch(" ".join(rest.split())) and (
        "=" in left or skip_junk(text, start, end) >= span[0]
    ):
        return span
    return start, end


def _hashes(text: str, start: int, end: int, read: Reader) -> Span | None:
    for mark in reversed(list(_HASHES.finditer(text, start, end))[-_TRIES:]):
        line = text.find("\n", mark.end(), end)
        span = read(text, mark.end(), line if line >= 0 else end)
        if span:
            return span
    return None


def _stated(
    text: str, start: int, end: int, kind: GoldKind, read: Reader
) -> tuple[Span, bool] | None:
    """The last statement of an answer, and whether it calls itself final."""
    at = end
    label = _last_label(text, start, end, kind, read)
    for _ in range(_TRIES):
        at = max(text.rfind("nswer", start, at), text.rfind("NSWER", start, at))
        if at <= start - 1 or at < 1:
            break
        if label and label[0] > at:
            return label, False
        span = _statement(text, at - 1, end, kind, read)
        if span:
            return span, bool(_FINAL.search(text, max(0, at - 20), at - 1))
    return (label, False) if label else None


def _statement(text: str, at: int, end: int, kind: GoldKind, read: Reader) -> Span | None:
    """The value stated at the word "answer" that begins at ``at``."""
    match = _STATES.match(text, at, end)
    if match is None or match["not"]:
        return None
    if match["heading"] and not _HEADING_WORDS.search(text, max(0, at - 24), at):
        return None
    if match["is"]:
        return read(text, *_clause(text, match.end(), end))
    return _labelled(text, match.end(), end, kind, read)


def _clause(text: str, start: int, end: int) -> Span:
    """The rest of the sentence from its first character that is no markup."""
    lead = _LEAD.match(text, start, end)
    start = lead.end() if lead else start
    math = _MATH.match(text, start, end)
    stop = _SENTENCE_END.search(text, math.end() if math else start, end)
    return start, stop.start() if stop else end


def _labelled(text: str, start: int, end: int, kind: GoldKind, read: Reader) -> Span | None:
    """The value behind "Answer:", unless a worked solution stands there."""
    begin, stop = _clause(text, start, end)
    span = read(text, begin, stop)
    if span is None or kind in (GoldKind.DATE, GoldKind.WEEKS_DAYS):
        return span
    line = text.find("\n", stop, end)
    line_end = line if line >= 0 else end
    alone = not text[stop:line_end].strip(" \t*_.!$")
    if kind not in _NUMERIC:
        short = len(text[span[0] : span[1]].split()) <= _LABEL_WORDS
        valued = text[begin] == "$" or bool(_PLAIN_START.match(text, span[0], end))
        return span if alone and (short or valued) else None
    if skip_junk(text, begin, stop) >= span[0] and len(text[span[1] : stop].split()) <= 4:
        return span
    return span if alone and not NUMBER.search(text, line_end, end) else None


def _last_label(text: str, start: int, end: int, kind: GoldKind, read: Reader) -> Span | None:
    for mark in reversed(list(_LABEL.finditer(text, start, end))[-_TRIES:]):
        span = _labelled(text, mark.end(), end, kind, read)
        if span and span[1] - span[0] <= 200:
            return span
    return None


def _fallback(text: str, start: int, end: int, kind: GoldKind) -> Span | None:
    if kind in _NUMERIC:
        return _last_bold(text, start, end) or _last_number(text, start, end)
    if kind is GoldKind.DATE:
        return _last_of((DATE,), text, start, end)
    if kind is GoldKind.WEEKS_DAYS:
        return _last_of(_WEEKS, text, start, end)
    option = _OPTION.fullmatch(text, start, end)
    return option.span("letter") if option else _last_formula(text, start, end)


def _last_of(patterns: tuple[re.Pattern[str], ...], text: str, start: int, end: int) -> Span | None:
    for pattern in patterns:
        spans = [match.span(match.re.groups) for match in pattern.finditer(text, start, end)]
        if spans:
            return spans[-1]
    return None


def _last_bold(text: str, start: int, end: int) -> Span | None:
    """A bold value with its units in the last lines: ``makes **$18** a day``."""
    for bold in reversed(list(_BOLD.finditer(text, max(start, end - 400), end))):
        number = number_in(text, *bold.span(1))
        if number is None or _ENUMERATOR.match(text, bold.start(1), bold.end(1)):
            continue
        direct = skip_junk(text, *bold.span(1)) >= number[0]
        if direct and _UNITS.fullmatch(text, number[1], bold.end(1)):
            return number
    return None


def _last_number(text: str, start: int, end: int) -> Span | None:
    """The value of the last sentence that has one."""
    start = max(start, end - _CLOSING_CHARACTERS)
    end = _unchecked(text, start, end)
    found: Span | None = None
    for match in NUMBER.finditer(text, start, end):
        span = match.span("after") if match["after"] else match.span()
        if not _beside_the_point(text, start, end, span):
            found = span
    if found is None:
        words = list(NUMERAL.finditer(text, start, end))
        return words[-1].span() if words else None
    begin = start
    for mark in _SENTENCE_END.finditer(text, start, found[0]):
        begin = mark.end()
    closing = _SENTENCE_END.search(text, found[1], end)
    stop = closing.start() if closing else end
    return concluded(text, begin, stop, _to_the_point(text, begin, found))


def _unchecked(text: str, start: int, end: int) -> int:
    """Where a closing check of the result begins, if there is a number before; else ``end``."""
    for check in _CHECK.finditer(text, start, end):
        if NUMBER.search(text, start, check.start()):
            return check.start()
    return end


def _to_the_point(text: str, begin: int, last: Span) -> Span:
    """The last number of a sentence that is no aside: "366 downloads over 3 months (90 days)"."""
    again = _ALTERNATIVE.search(text, begin, last[1])
    spans = []
    for match in NUMBER.finditer(text, begin, again.end() if again else last[1]):
        span = match.span("after") if match["after"] else match.span()
        opened = text.rfind("(", begin, span[0])
        aside = opened > text.rfind(")", begin, span[0]) and text[opened - 1 : opened] != "\\"
        timed = _TIMED.search(text, max(begin, span[0] - 40), span[0]) and _PERIOD.match(
            text, span[1]
        )
        paid = _PAID_FOR.search(text, max(begin, span[0] - 40), span[0])
        if not (aside or timed or paid) and not _apart(text, begin, span[0]):
            spans.append(span)
    return spans[-1] if spans else last


def _beside_the_point(text: str, start: int, end: int, span: Span) -> bool:
    """Whether a number is a list label, in a note, or the "100%" of someone who is sure."""
    line = text.rfind("\n", start, span[0]) + 1
    if _NOTE.match(text, line, end):
        return True
    label = _ENUMERATOR.match(text, line, end) if span[0] - line <= 12 else None
    if label and span[1] <= label.end():
        return True
    if _ORDINAL.match(text, span[1], end):
        return True
    return text[span[1] - 1] == "%" and bool(
        _SURE.match(text, span[1], end)
        or _CONFIDENCE.search(text, max(start, span[0] - 40), span[0])
    )


def _apart(text: str, begin: int, at: int) -> bool:
    """Whether ``at`` is behind a colon that itself follows a number: "3 bolts: 2 blue"."""
    colon = text.rfind(": ", begin, at)
    return colon >= 0 and bool(NUMBER.search(text, begin, colon)) and "=" not in text[colon:at]


def _last_formula(text: str, start: int, end: int) -> Span | None:
    """The last inline formula, or the value of the last plain equation behind it."""
    tail = max(start, end - _CLOSING_CHARACTERS)
    formulas = list(_MATH.finditer(text, tail, end))
    behind = formulas[-1].end() if formulas else tail
    number = _last_number(text, behind, end)
    word = _last_word(text, behind, end)
    if word and (number is None or number[1] < word[0]):
        return word
    if number:
        return _whole_term(text, behind, number, end)
    if not formulas:
        return None
    begin, stop = _content(formulas[-1])
    alone = True
    for index in range(len(formulas) - 1, 0, -1):
        earlier = formulas[index - 1]
        if not _JOINED.fullmatch(text, earlier.end(), formulas[index].start()):
            break
        begin, alone = _content(earlier)[0], False
    return _right_side(text, begin, stop) if alone else (begin, stop)


def _whole_term(text: str, start: int, number: Span, end: int) -> Span:
    """What the closing number is part of in plain text: (3, 4), x^2 + 1, "1 or 2", 12π, 2√3/3."""
    sentence = start
    for mark in _SENTENCE_END.finditer(text, start, number[0]):
        sentence = mark.end()
    stop = trim_end(text, number[1], end)
    equals = text.rfind("=", sentence, number[0])
    for pattern in (_TUPLE, _SERIES):
        for whole in pattern.finditer(text, sentence, end):
            if whole.start() <= number[0] and number[1] <= whole.end():
                return whole.start(), trim_end(text, number[1], whole.end())
    if equals >= 0 and _PLAIN_FORMULA.fullmatch(text, equals + 1, stop):
        return equals + 1 + (text[equals + 1] == " "), stop
    return _with_factors(text, start, number, end)


def _with_factors(text: str, start: int, number: Span, end: int) -> Span:
    begin = number[0]
    while begin > start and text[begin - 1] in "√(" and "√" in text[max(start, begin - 2) : begin]:
        begin -= 1
    factor = _COEFFICIENT.search(text, max(start, begin - 12), begin) if begin < number[0] else None
    more = _FACTOR.match(text, number[1], end)
    return (factor.start() if factor else begin), (more.end() if more else number[1])


def _last_word(text: str, start: int, end: int) -> Span | None:
    """What a closing sentence without any number says that something is: a name, a day, "odd"."""
    stop = trim_end(text, start, end)
    begin = start
    for mark in _SENTENCE_END.finditer(text, start, stop):
        begin = mark.end()
    word = _IS_WORD.search(text, begin, stop)
    return word.span("word") if word and not NUMBER.search(text, begin, stop) else None
