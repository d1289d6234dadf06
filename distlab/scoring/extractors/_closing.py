"""The value that a text comes to which states no answer: weak evidence, from its end."""

import re

from distlab.problems.problem import GoldKind
from distlab.scoring.extractors._formulas import (
    JOINED,
    MATH,
    SENTENCE_END,
    UNITS,
    content_of,
    number_alone,
    right_side,
    sentence_start,
    whole_term,
)
from distlab.scoring.extractors._found import Found
from distlab.scoring.extractors._kinds import NUMERIC, WEEKS
from distlab.scoring.extractors._options import last_option, last_words
from distlab.scoring.extractors._sentences import PREDICATE, last_word
from distlab.scoring.extractors._values import (
    DATE,
    NUMBER,
    ONE_NUMBER,
    SINGLED_OUT,
    WORDED,
    Span,
    aside,
    concluded,
    number_in,
    skip_junk,
    trim_end,
)

# Characters of the end that weak evidence is looked for in. (ours)
_CLOSING_CHARACTERS = 2_000
# Characters of the end that come again where a text loops. (ours)
_LOOPED = 60
_SAID = re.compile(r"\b(?:is|are|equals|equal to|was)\s(?:(?:exactly|about|approximately)\s)?\Z")
_ENUMERATOR = re.compile(r"[ \t>*_#]{0,6}(?:Step\s)?[0-9]{1,2}[.):](?=[\s*])")
_WORDS = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{3,}")
_NOTE = re.compile(r"[ \t>*_(]{0,6}(?:Note|NB|P\.S\.)\b")
_CHECK = re.compile(
    r"\n[ \t>*_#]{0,6}(?:(?:To\s|Let(?:'s|\sme|\sus)\s)?(?:double[- ])?(?:check|verify)|Verif)",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b")
# "2.19 m^2", "kg/m<sup>2</sup>": what is raised, and "Step 7".
_NO_VALUE = re.compile(
    r"(?:\^\s?\{?|<sup>"
    r"|\b(?:[Ss]tep|Part|Case|Figure|Table|Equation|Eq\.|Section|Stage|Phase)\s\(?)\Z"
)
_CONCLUDES = re.compile(
    r"[\s*_>#-]{0,8}(?:So|Thus|Therefore|Hence|In (?:total|all|conclusion|the end|summary)"
    r"|Altogether|Finally|Overall|Consequently|(?:This|That|Which) (?:is|means|makes|gives))\b"
)
# Text that ends like this was cut off: on an operator, or on a word that calls for another.
_UNFINISHED = re.compile(
    r"(?:[=+×÷^_(&≈−]|\s[-*/<>]|\\|\\(?:frac|dfrac|sqrt|times|cdot|text|left|approx|le|ge)"
    r"|\b(?:and|or|of|the|an?|is|are|to|for|with|that|by|at|from|so|if|then|because|which|but))"
    r"\s{0,4}\Z"
)
# "So $x = 12 + 3", "(5 * 3": a sum whose dollar or bracket is never closed.
_OPEN_FORMULA = re.compile(
    r"(?<![\\$])\$[0-9]{0,6}[A-Za-z\\][^$\n=]{0,80}=[^$\n=]{0,80}[0-9A-Za-z})]\s?[-+*/]\s?[0-9]{1,15}\s{0,4}\Z"
    r"|\([0-9. ]{1,20}[-+*/×÷][0-9. ]{0,20}\Z"
)
# The dollars of a display formula, no price.
_DISPLAYED = re.compile(r"(?<![\\$])\$\$(?![0-9$])")
# What opens a formula, and what closes it.
_PAIRS = (("\\[", "\\]"), ("\\(", "\\)"), ("\\begin{", "\\end{"))
# All that a completion is: "B", "(B)".
_OPTION = re.compile(r"[\s*]{0,8}\(?(?P<letter>[A-J])\)?[.\s*]{0,8}")
_SURE = re.compile(r"\s?(?:\w{1,12}\s){0,2}?(?:sure|certain|confiden|correct|accura|positive)")
_CONFIDENCE = re.compile(r"(?:confidence|confident|certain|sure)\W{0,3}(?:\w{1,10}\s){0,3}\Z", re.I)
# "is 3:2", "as 1:2:4", but not "Week 3:210 pages".
_SAID_RATIO = re.compile(r"(?:\b(?:is|are|was|be|as|to|of|ratio|odds)|=)\s\Z")
_RATIO = re.compile(r"(?<![\w.:])[0-9]{1,9}(?::[0-9]{1,9}){1,3}(?![\w:]|\.[0-9])")
# "So three boys stayed": not "So one can see".
_COUNTS = re.compile(
    r"\s{0,9}(?:So|Thus|Therefore|Hence),?\s(?:there\s(?:are|were|will\sbe)\s)?(?!(?:one|an?|half)\b)"
)
_BOLD = re.compile(r"\*\*([^*\n]{1,80})\*\*")


def comes_to_a_value(text: str, start: int, end: int, kind: GoldKind) -> bool:
    """Whether a reply gives a value in bold, or in a last sentence that concludes it."""
    if kind in NUMERIC and _last_bold(text, start, end):
        return True
    stop = trim_end(text, start, end)
    begin = sentence_start(text, max(start, stop - _CLOSING_CHARACTERS), stop)
    return stop < end and bool(_CONCLUDES.match(text, begin, stop))


def closing_answer(text: str, start: int, end: int, kind: GoldKind, ended: bool) -> Found | None:
    """What a text that states no answer comes to, unless it breaks off before."""
    if not ended and _broken_off(text, max(start, end - _CLOSING_CHARACTERS), end):
        return None
    span = _fallback(text, start, end, kind)
    return Found(*span) if span else None


def _broken_off(text: str, start: int, end: int) -> bool:
    """Whether the text ends within a formula, on what calls for more, or goes round in circles."""
    if _UNFINISHED.search(text, max(start, end - 40), end):
        return True
    if _OPEN_FORMULA.search(text, max(start, end - 200), end):
        return True
    if _looping(text, start, end):
        return True
    if any(text.rfind(begin, start, end) > text.rfind(stop, start, end) for begin, stop in _PAIRS):
        return True
    for math in MATH.finditer(text, start, end):
        start = math.end()
    return bool(_DISPLAYED.search(text, start, end))


def _looping(text: str, start: int, end: int) -> bool:
    """Whether the text ends in the same words again and again, at one distance."""
    words = text[max(start, end - _LOOPED) : end]
    places = [end - len(words)]
    for _ in range(3):
        places.append(text.rfind(words, start, places[-1] + len(words) - 1))
        if places[-1] < 0 or places[-2] - places[-1] != places[0] - places[1]:
            return False
    return any(character.isalpha() for character in words)


def _fallback(text: str, start: int, end: int, kind: GoldKind) -> Span | None:
    if kind is GoldKind.CHOICE:
        return last_option(text, start, end)
    if kind is GoldKind.TEXT:
        return last_words(text, start, end)
    alone = ONE_NUMBER.fullmatch(text, start, end)
    if alone:
        return alone.span("number")
    if kind in NUMERIC:
        return _last_bold(text, start, end) or _last_number(text, start, end)
    if kind is GoldKind.DATE:
        return _last_of((DATE,), text, start, end)
    if kind is GoldKind.WEEKS_DAYS:
        return _last_of(WEEKS, text, start, end)
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
        if direct and UNITS.fullmatch(text, number[1], bold.end(1)):
            return number
    return None


def _last_number(text: str, start: int, end: int) -> Span | None:
    """The value of the last sentence that has one."""
    start = max(start, end - _CLOSING_CHARACTERS)
    end = _unchecked(text, start, end)
    found: Span | None = None
    ordinal: Span | None = None
    for match in NUMBER.finditer(text, start, end):
        span = match.span("after") if match["after"] else match.span()
        if _ORDINAL.match(text, span[1], end):
            ordinal = span
        elif not _beside_the_point(text, start, end, span):
            found = span
    if ordinal and (found is None or SENTENCE_END.search(text, found[1], ordinal[0])):
        return ordinal
    if found is None:
        words = list(WORDED.finditer(text, start, end))
        return words[-1].span() if words else None
    begin = sentence_start(text, start, found[0])
    closing = SENTENCE_END.search(text, found[1], end)
    stop = closing.start() if closing else end
    value = _later_count(text, stop, end) or concluded(text, begin, stop, found)
    return _whole_formula(text, start, end, value) or _ratio(text, value) or value


def _later_count(text: str, start: int, end: int) -> Span | None:
    """The count in words that a last sentence without digits concludes."""
    stop = trim_end(text, start, end)
    begun = _COUNTS.match(text, sentence_start(text, start, stop), stop)
    word = WORDED.match(text, begun.end(), stop) if begun else None
    return word.span() if word and text[word.end() : word.end() + 1] == " " else None


def _ratio(text: str, number: Span) -> Span | None:
    """The ratio that a number is part of: of 3:2 its 2 is no value."""
    for ratio in _RATIO.finditer(text, max(0, number[0] - 24), number[1] + 24):
        begin, end = ratio.span()
        if begin <= number[0] and number[1] <= end:
            return (begin, end) if _SAID_RATIO.search(text, max(0, begin - 8), begin) else None
    return None


def _whole_formula(text: str, start: int, end: int, number: Span) -> Span | None:
    r"""The value of the formula that a number is part of: ``\frac{1+\sqrt{5}}{2}`` is not 2."""
    for math in MATH.finditer(text, start, end):
        begin, stop = content_of(math)
        if begin <= number[0] and number[1] <= stop:
            if math.lastgroup == "d" and _WORDS.search(text, begin, stop):
                # Two prices, and the words between them.
                return None
            right = right_side(text, begin, stop)
            listed = right is None or "," in text[right[0] : number[0]] + text[number[1] : right[1]]
            return None if right is None or listed else number_alone(text, *right)
    return None


def _unchecked(text: str, start: int, end: int) -> int:
    """Where a closing check of the result begins, if there is a number before; else ``end``."""
    for check in _CHECK.finditer(text, start, end):
        if NUMBER.search(text, start, check.start()):
            return check.start()
    return end


def _beside_the_point(text: str, start: int, end: int, span: Span) -> bool:
    """Whether a number is a list label, in a note, or the "100%" of someone who is sure."""
    line = text.rfind("\n", start, span[0]) + 1
    if _NOTE.match(text, line, end):
        return True
    label = _ENUMERATOR.match(text, line, end) if span[0] - line <= 12 else None
    if label and span[1] <= label.end():
        return True
    if _NO_VALUE.search(text, max(start, span[0] - 12), span[0]):
        return True
    return text[span[1] - 1] == "%" and bool(
        _SURE.match(text, span[1], end)
        or _CONFIDENCE.search(text, max(start, span[0] - 40), span[0])
    )


def _last_formula(text: str, start: int, end: int) -> Span | None:
    """The last inline formula, or the value of the last plain equation behind it."""
    tail = max(start, end - _CLOSING_CHARACTERS)
    formulas = list(MATH.finditer(text, tail, end))
    behind = formulas[-1].end() if formulas else tail
    if singled := _singled_out(text, formulas, end):
        return right_side(text, *content_of(singled))
    if formulas and _SAID.search(text, max(tail, formulas[-1].start() - 24), formulas[-1].start()):
        # "3 inches is $\\frac{1}{8}$ of 2 feet": what its sentence says of it is no value.
        closing = SENTENCE_END.search(text, behind, end)
        if not PREDICATE.search(text, behind, closing.start() if closing else end):
            behind = closing.end() if closing else end
    number = _last_number(text, behind, end)
    if formulas and number and aside(text, formulas[-1].start(), number):
        number = None
    if formulas and number and not NUMBER.match(text, *number):
        # "$36$ dollars for four dozen"
        number = None
    word = last_word(text, behind, end)
    if word and (number is None or number[1] < word[0]):
        return word
    if number:
        return whole_term(text, behind, number, end)
    if not formulas:
        return None
    begin, stop = content_of(formulas[-1])
    alone = True
    for index in range(len(formulas) - 1, 0, -1):
        earlier = formulas[index - 1]
        joined = JOINED.fullmatch(text, earlier.end(), formulas[index].start())
        if not joined or ("=" in earlier[0]) != ("=" in formulas[index][0]):
            break
        begin, alone = content_of(earlier)[0], False
    return right_side(text, begin, stop) if alone else (begin, stop)


def _singled_out(text: str, formulas: list[re.Match[str]], end: int) -> re.Match[str] | None:
    """The formula that the last sentence is about: "$n = 12$ is the smallest such that $5 < n$"."""
    for formula in reversed(formulas):
        if SINGLED_OUT.match(text, formula.end(), end):
            closing = SENTENCE_END.search(text, formula.end(), end)
            return None if closing and NUMBER.search(text, closing.end(), end) else formula
    return None
