"""Spans of typed values in running text: numbers, dates, weeks and days.

Every function takes a text with bounds and returns offsets into that text, so that an answer's
span is exact. Patterns are bounded or possessive: searches are linear in the text.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator

from distlab.scoring.numerals import DOZENS, HALF, NUMERAL, PARTS_TAIL

Span = tuple[int, int]

_FRAC = r"\\[dtc]?frac\s?(?:\{\s?-?[0-9]{1,30}\s?\}|[0-9])\s?(?:\{\s?[0-9]{1,30}\s?\}|[0-9])"
# 1,234  1{,}234  1,\!234  1\,234, and the narrow spaces; Indian 1,00,000 too.
_SEP = r"(?:\{,\}|,\\!\s?|\\[,!]|,|[\u00a0\u2009\u202f])"
_PLAIN = (
    # 1.234,50 and 1.234.567; 1'234'567 and 1_234_567.
    r"(?:[0-9]{1,3}(?:\.[0-9]{3})++,[0-9]{1,2}(?![0-9])|[0-9]{1,3}(?:\.[0-9]{3}){2,}+(?!\.?[0-9])"
    r"|[0-9]{1,3}(?:'[0-9]{3})++(?![\w'])|[0-9]{1,3}(?:_[0-9]{3}){2,}+(?!\w))"
    # 1,234 and its kin; 12,34,567; the decimal comma of 2,74.
    rf"|(?:[0-9]{{1,3}}(?:{_SEP}[0-9]{{3}}(?![0-9]))++|[0-9]{{1,2}}(?:,[0-9]{{2}})++,[0-9]{{3}}"
    r"(?![0-9])|[0-9]{1,9},[0-9]{1,2}(?![0-9,]|\.[0-9])|[0-9]++)(?:\.[0-9]++)?|\.[0-9]++"
)
_VULGAR = "[¼½¾⅐-⅞]"
_POWER = (
    r"(?:[eE][-+]?[0-9]{1,3}(?![\w.])"
    r"|\s?(?:x|×|\*|\\times|\\cdot)\s?10(?:\^|\*\*)\s?(?:\{?\s?[-−]?[0-9]{1,3}\s?\}?))"
)
# "3 and a half"
_AND_A_SHARE = (
    r"\s(?:and|&)\s(?:(?:an?|one|two|three)[- ](?:half|halves|thirds?|quarters?|fourths?|fifths?)\b"
    r"|half\b(?!\sof\b)|[0-9]{1,9}/[0-9]{1,9}(?![\w/]))"
)
_MONEY = r"(?:US)?\\?[$€£¥₹]\s?"

NUMBER = re.compile(
    # A time of day is one value.
    r"(?<![\w.:])[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?![\w:]|\.[0-9])"
    r"(?:\s?[AaPp](?:\.[Mm]\.|[Mm]\b))?"
    # Spaces as separators are told from two numbers by a currency sign alone.
    rf"|[$€£]\s?[0-9]{{1,9}}(?:\.[0-9]{{1,6}})?\s?(?:k|K|M|[bB]n|B|mn)\b"
    rf"|(?<=[$€£¥₹])[0-9]{{1,3}}(?: [0-9]{{3}})++(?![0-9])(?:\.[0-9]++)?"
    r"|(?:(?<![0-9A-Za-z_.])|(?<=\\approx)|(?<=\\times)|(?<=\\cdot)|(?<=\\quad))"
    rf"(?:[-−](?:{_MONEY})?|negative\s)?"
    rf"(?:{_FRAC}|{_VULGAR}|(?:{_PLAIN})"
    rf"(?:\s?{_FRAC}|\s?{_VULGAR}|\s[0-9]{{1,9}}/[0-9]{{1,9}}(?![\w/])"
    rf"|\s?/\s?[0-9]{{1,30}}(?:\.[0-9]{{1,30}})?(?![\w/])|{_POWER}|{_AND_A_SHARE})?)"
    rf"(?:\s?\\?%|\s(?:hundred|thousand|million|billion|trillion"
    rf"|dozens?(?:\s(?:and|&)\s(?:a|one)\shalf)?)\b|{PARTS_TAIL})?"
    # A sign after a value is a minus, and the number starts behind it.
    r"|(?<=[\w)\]}])[-−](?P<after>[0-9]++(?:\.[0-9]++)?)"
)

# A number in words, or a count of dozens.
WORDED = re.compile(rf"{DOZENS.pattern}|{NUMERAL.pattern}", re.IGNORECASE)

_OPERATOR = re.compile(
    r"!?\s?(?:[-+×÷−–^/]|\*(?!\*)|\\times|\\cdot|\\div|x(?=\s?[0-9]))\s?[0-9(${\\.]"
    # A root, a variable, a time of day.
    r"|\s?\\(?:sqrt|pi)|[xyzn](?![A-Za-z])|:[0-9]|\("
    r"(?=[^()]{0,20}[-+*/]\s?[^()]{1,20}\))"
)
# "84 sofas and 88 chairs", "1 minute and 24 seconds": two numbers are not one.
_COMPOUND = re.compile(
    r"\s?(?:[A-Za-z]{2,20}\s){1,3}(?:and|plus|\+)\s\\?\$?[0-9]|\s(?:and|or|to)\s\\?\$?[0-9]"
    r"|,\s?\\?\$?[0-9]"
)
# "8 times 100"
_WORD_OPERATOR = re.compile(
    r"\s(?:[A-Za-z]{1,12}\s){0,3}?(?:times|multiplied\sby|divided\sby|plus|minus)\s\\?\$?[0-9]"
)
_OPERATION = re.compile(
    r"\b(?:times|multiplied\sby|divided\sby|plus|minus|of|less|(?:more|less|fewer)\sthan)\s\\?\$?[0-9]"
    r"|[-+*/×÷x]\s?\\?\$?[0-9]"
)
# "twice 14", "half of 80"
_MULTIPLE_OF = re.compile(
    r"\b(?:[Tt]wice|[Dd]ouble|[Tt]riple|[Hh]alf(?:\sof)?|(?:third|quarter|fourth|fifth)s?\sof)\s"
    r"(?:the\s)?\\?\$?(?=[0-9])"
)
# "5 pages per day for 6 days, or 30 pages", but not "60 miles per hour, or 1 mile per minute".
_RATED = re.compile(
    r"[0-9]\s?(?:[A-Za-z]{1,15}\s){0,3}(?:(?:per|a|an|every)\s[a-z]{2,12}|each|apiece|mph|km/h)\b"
)
_RATE = re.compile(r"\s?(?:[A-Za-z]{1,15}\s){0,3}?(?:per|a|an|every|each|apiece|mph|km/h)\b|/")
_TOTAL = re.compile(r"\s(?:[A-Za-z]{1,15}\s){0,2}(?:in\s)?(?:total|all|altogether)\b")
_OR = re.compile(r",\s(?:or|i\.e\.,?|that\sis,?|which\s(?:is|makes|equals))\s")
# "7 more than 8, i.e. 15"
_MORE_THAN = re.compile(
    r"\s(?:[A-Za-z]{1,12}\s){0,2}?(?:more|less|fewer)\sthan\s\\?\$?[0-9][0-9.]{0,12}(?:\s[A-Za-z]{1,15}){0,2},"
)
# Units between a value and "=".
_UNITS_EQUAL = re.compile(
    r"(?:!|\s?\\?%|\s?[A-Za-z°²³/]{1,12}(?<!\bso)(?<!\bas)(?<!\bfor)(?<!because)(?<!since)){0,2}\s?="
)
_SUM = re.compile(r"[^(),;=]*[+×*][^(),;=]*")

_JUNK = re.compile(
    r"(?:[\s:*_`>~≈=\"'“”(\[{]|\\\(|\\\[|\\approx|\\text\{|\\boxed|\\fbox|\\\$"
    r"|[$€£¥₹](?!\s?[0-9.]{1,12}\s?(?:k|K|M|[bB]n|B|mn)\b)"
    r"|(?:about|approximately|approx\.?|roughly|around|exactly|simply|just|only|[Aa] total of|USD"
    r"|therefore|thus|hence|then|now|also|equal to|Rs\.?)\s)*+"
)

_COPULA = re.compile(
    r"\b(?:is|are|was|were|be|equals?|equal to|makes|becomes|so|thus|hence|giv(?:es|ing)"
    r"|leav(?:es|ing)|total(?:s|ing)?\sof|totals)\s|(?P<colon>:\s)"
)
# "2 hours and 30 minutes, which is 150 minutes".
_RESTATED = re.compile(
    r"(?:\swhich\s(?:is|equals|makes|means|totals)(?:\sthe\ssame\sas)?|\bi\.e\.,?|\bthat\sis,?|,?\sor)\s"
)
# "20% of 50, which is 10", "3 dozen, which is 36": shares and dozens, worked out.
_SHARE_OF = re.compile(r"\s?of\s(?:the\s)?\\?\$?[0-9]")
_CONCLUSION = re.compile(
    r"\s{0,9}(?:(?:Thus|Therefore|Hence|So|Then|Finally),?\s(?:that\s)?|that\s)"
)
# "34 is the largest n such that ...": what is told of it is no value.
SINGLED_OUT = re.compile(
    r"\s(?:is|was)\s(?:(?:thus|then|therefore|indeed|clearly)\s)?the\s"
    r"(?:largest|smallest|greatest|least|highest|lowest|minimum|maximum|biggest|only|first|last)\s"
    r"(?:[^\s,.;=]{1,20}\s){1,5}?(?:such\sthat|so\sthat|for\swhich|with|that|satisfying|where"
    r"|(?:less|greater|more|smaller|larger)\sthan|below|above|under|divisible\sby"
    r"|between\s\S{1,12}\sand)\s"
    r"(?!.{0,200}?\b(?:and|so|thus|then|hence|therefore|giving|makes)\b)"
)
# Characters looked back from a number for what makes it an aside. (ours)
_WINDOW = 80
# Spans of time behind the value, and the value once more in other units.
_TIMED = re.compile(
    r"\b(?:over|during|within|across|after|in|for|every)\s(?:(?:the|all|these|those|a)\s)?"
    r"(?:(?:next|first|last|past|entire|whole|course of)\s)?\Z"
)
_PERIOD = re.compile(r"[\s-](?:second|minute|hour|day|night|week|month|year|people|person|friend)")
_ALTERNATIVE = re.compile(
    r"[0-9][A-Za-z ]{0,30},?\s(?:or|i\.e\.,?)\s(?:about\s|roughly\s)?(?=[0-9])"
)
_LATER = re.compile(r"\s[A-Za-z]{1,12}\s(?:later|earlier|ago)\b")
# "$64 for 16 glasses"
_PAID_FOR = re.compile(
    r"[$€£]\s?[0-9][0-9,.]{0,12}\sfor\s(?:(?:(?:the|all|these|those|his|her|their)\s)?"
    # "$30 for 6 books at $5 each"
    r"|[^.;$€£\n]{1,40}\sat\s\\?[$€£]?\s?)\Z"
)
# "the goal of 100", "packs of 4", "3 of the 80"
_GROUPED = re.compile(
    r"\b(?:goal|target|packs?|packages?|groups?|bundles?|batch(?:es)?|out)\sof\s(?:the\s)?\\?\$?\Z"
    r"|[0-9]\sof\s(?:the|all|these|those)\s\Z"
    # "30 more points to get to 100"
    r"|\bmore\s(?:[a-z]{1,15}\s){0,3}to\s(?:get|come)\s(?:up\s)?to\s\\?\$?\Z"
)
# "buses are needed for the 180 pupils", "7 instead of 8"
_NEEDED_FOR = re.compile(
    r"\b(?:needed|required|necessary)\sfor\s(?:(?:the|all|these|those)\s){0,2}\Z"
)
_INSTEAD_OF = re.compile(r"\b(?:instead\sof|rather\sthan)\s\\?\$?\Z")
# "6 hours for 3 workers to do the job", "5 apples for 3 kids"
_FOR_SOME = re.compile(
    r"[0-9]\s(?:(?!enough\b)[a-z]{2,15}\s){1,2}for\s(?:(?:the|all|these|those)\s)?\Z"
)
_FOLK = re.compile(
    r"\s(?:[a-z]{2,15}\sto\s[a-z]|(?:kid|child|worker|student|guest|pupil|boy|girl|adult)[a-z]{0,3}\b)"
)
# "4 people each get 6 slices"
_EACH = re.compile(
    r"\s[A-Za-z]{2,15}\s(?:(?:will|would|can)\s)?each\s[a-z]{2,12}\s(?:[a-z]{1,12}\s){0,2}\\?\$?[0-9]"
)
# "After 6 hours, 60 miles", but not "after 2 hours, 30 minutes".
_OPENING = re.compile(
    r"\s{0,3}(?:that\s(?:after|at|by|for|from|if|in|of|on|out\sof|since|when|with)"
    r"|(?:After|At|By|For|From|If|In|Of|On|Out\sof|Since|When|With))\s[^,.;:=\n]{1,60},\s"
    r"(?![0-9]{1,9}\s(?:second|minute|hour|day|month|inch|cent|ounce)s?\b)"
)
# "so together they have 12 apples"
_SO = re.compile(r",\s(?:and\s)?(?:so|thus|hence|therefore),?\s(?!that\b)")
# "5 red and 5 blue, 10 total"
_IN_ALL = re.compile(
    r"(?:,|\bor|\bfor|\bso|\bmaking)\s(?:a\stotal\sof\s\\?\$?(?=[0-9])"
    r"|\\?\$?(?=[0-9][0-9,.]{0,15}\s(?:[A-Za-z]{1,15}\s){0,2}(?:in\s)?(?:total|all|altogether)\b))"
)
# What opens a clause of purpose or condition; what a step leads to ("adds 4 to get 9") is none.
_SUBORDINATE = re.compile(
    r"\s(?:when|if|because|since|while|whereas|although"
    r"|to\s(?!(?:be|get|make|give|find|earn|equal|have|total|become|leave|obtain|yield|see|about)\b)"
    r"[a-z]{2,15})(?=\s)"
)
# Characters from there to the number. (ours)
_CLAUSE = 60
# "Twelve people can sit at 3 tables"
_PLACE = re.compile(r"\s(?:at|on|around|aboard|along)\s(?:(?:the|these|those|all)\s)?\Z")
_COUNTED = re.compile(
    r"\s(?!(?:is|are|was|were|times|per|percent|divided|plus|minus|of|and|or|to|more|less)\b)"
    r"[A-Za-z]{3,20}\s"
)
# "14 friends came at 6 pm", but not "2 hours later he came home at 6 pm".
_CLOCK = re.compile(r"(?<![0-9])[0-9]{1,2}(?::[0-9]{2})?\s?(?:[AaPp]\.?[Mm]\b|o'clock|noon)")
_AT_TIME = re.compile(r"\b(?:at|by|before|until|after|around)\s\Z")
_COMES = re.compile(
    r"\b(?:arriv|end|start|begin|finish|lea|reach|stop|land|clos|open|wak|return|complet|done|ready|depart|sail"
    r"|get|got|home|back|is|be|was)[a-z]{0,4}\s(?:[a-z]{2,12}\s){0,2}(?:at|by|before|until|after"
    r"|around)\s\Z"
)
_STEP = re.compile(r"\b(?:Step|Part|Case|Stage|Phase)\s[0-9]{1,3}\s?[:.)]")
_REASON = re.compile(r",?\s(?:because|since)\s")
_MINUS = re.compile(r"minus\s(?=[0-9])")
_SPACED = re.compile(r"[0-9]{1,3}(?: [0-9]{3})+(?![\w,]|\.[0-9]|\s[0-9])")
# All that a completion is: "1 000".
ONE_NUMBER = re.compile(r"\s{0,9}(?P<number>[-−]?[0-9]{1,3}(?: [0-9]{3})+(?:\.[0-9]{1,9})?)\s{0,9}")
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
    for the grader to judge; the number right after its last "is"; its first number that is no
    aside, in digits or words.
    """
    start = _past_opening(text, start, end)
    first = NUMBER.search(text, start, end)
    lead = skip_junk(text, start, end)
    word = WORDED.match(text, lead, end)
    if first is None:
        word = word or HALF.match(text, lead, end) or WORDED.search(text, start, end)
        return word.span() if word else None
    head, tail = _span(first)
    if _MINUS.match(text, lead, end) and text[lead:head] == "minus ":
        return lead, tail
    if word and word.end() <= head and _COMPOUND.match(text, word.end(), end):
        head, tail = word.span()
    elif lead < head:
        return _told(text, start, end, head, tail)
    return _begun(text, start, end, head, tail)


def _past_opening(text: str, start: int, end: int) -> int:
    """Where the main clause begins that a number follows: "for 8 hours at $15, she earns $120"."""
    opening = _OPENING.match(text, start, end)
    return opening.end() if opening and NUMBER.search(text, opening.end(), end) else start


def _begun(text: str, start: int, end: int, head: int, tail: int) -> Span:
    """The value of a statement that begins with the number ``text[head:tail]``."""
    spaced = _SPACED.match(text, head, end)
    if spaced:
        return spaced.span()
    compound = bool(_COMPOUND.match(text, tail, end))
    worded = bool(_WORD_OPERATOR.match(text, tail, end))
    part = text[tail - 1] == "%" or "/" in text[head:tail]
    more = bool(_MORE_THAN.match(text, tail, end))
    share = part and bool(_SHARE_OF.match(text, tail, end))
    dozens = text[head:tail].endswith(("dozen", "dozens"))
    restated = compound or worded or share or dozens or more
    if value := _restated(text, tail, end) if restated else None:
        return value
    if value := _in_all(text, tail, end) if compound else None:
        return value
    operated = bool(_OPERATOR.match(text, tail, end))
    several = compound or worded or operated
    equals = [mark.end() for mark in _EQUALS.finditer(text, start, end)]
    if (share or worded or operated) and not equals and (value := _after_copula(text, tail, end)):
        return value
    equal = _UNITS_EQUAL.match(text, tail, end)
    if not several and not equal and not _is_sum(text, tail, equals):
        return head, tail
    return _after_equals(text, equals, end) or (head, trim_end(text, head, end))


def _told(text: str, start: int, end: int, head: int, tail: int) -> Span:
    """The value of a statement in words, whose first number is ``text[head:tail]``."""
    for so in list(_SO.finditer(text, tail, end))[-1:]:
        if NUMBER.search(text, so.end(), end):
            return number_in(text, so.end(), end) or (head, tail)
    reason = _REASON.search(text, tail, end)
    end = reason.start() if reason else end
    equals = [mark.end() for mark in _EQUALS.finditer(text, start, end)]
    value = _after_equals(text, equals, end) or _after_copula(text, start, end)
    if value:
        return value
    numbers = (_span(match) for match in NUMBER.finditer(text, head, end))
    to_the_point = (span for span in numbers if not aside(text, start, span))
    return next(to_the_point, None) or _subject(text, start, head) or (head, tail)


def _after_equals(text: str, equals: list[int], end: int) -> Span | None:
    """The number behind the last equals sign that has one, unless an operator follows it."""
    if not equals:
        return None
    numbers = list(NUMBER.finditer(text, equals[0], end))
    begins = [_span(number)[0] for number in numbers]
    for after in reversed(equals):
        at = bisect_left(begins, after)
        if at < len(numbers) and not _OPERATOR.match(text, numbers[at].end(), end):
            return _span(numbers[at])
    return None


def _after_copula(text: str, start: int, end: int) -> Span | None:
    """The number right behind the last "is", "costs" or colon that has one."""
    marks = list(_COPULA.finditer(text, start, end))
    numbered = NUMBER.search(text, start, end)
    for mark in reversed(marks):
        if mark["colon"] and numbered and numbered.end() <= mark.start():
            # "3 bolts: 2 blue and 1 white"
            continue
        value = NUMBER.match(text, skip_junk(text, mark.end(), end), end)
        if value is None or _OPERATOR.match(text, value.end(), end):
            continue
        if not _subordinate(text, start, _span(value)[0]):
            return _span(value)
    return None


def _restated(text: str, start: int, end: int) -> Span | None:
    """The one number that several are said to be the same as."""
    for mark in _RESTATED.finditer(text, start, end):
        at = skip_junk(text, mark.end(), end)
        value = NUMBER.match(text, at, end)
        if value and not _COMPOUND.match(text, value.end(), end):
            return _span(value)
        word = None if value else WORDED.match(text, at, end)
        if word:
            return word.span()
    return None


def _in_all(text: str, start: int, end: int) -> Span | None:
    """What several numbers are said to be in total."""
    mark = _IN_ALL.search(text, start, end)
    value = NUMBER.match(text, mark.end(), end) if mark else None
    return _span(value) if value else None


def _is_sum(text: str, tail: int, equals: list[int]) -> bool:
    """Whether what follows the number up to the last equals sign adds to it."""
    return bool(equals) and bool(_SUM.fullmatch(text, tail, max(tail, equals[-1] - 1)))


def concluded(text: str, start: int, end: int, last: Span) -> Span:
    """The value of a closing sentence, whose last number is ``last``.

    The number after its last equals sign; else what an operation is said to be ("44 times 5, or
    220"); else the number right after its last "is"; else its last number that is no aside.
    """
    for label in _STEP.finditer(text, start, last[0]):
        start = label.end()
    begun = _CONCLUSION.match(text, start, end)
    lead = skip_junk(text, begun.end() if begun else start, end)
    first = NUMBER.match(text, lead, end)
    if first and SINGLED_OUT.match(text, first.end(), end):
        return _span(first)
    equals = [mark.end() for mark in _EQUALS.finditer(text, start, end)]
    numbers = list(NUMBER.finditer(text, equals[0], end)) if equals else []
    begins = [_span(number)[0] for number in numbers]
    for after in reversed(equals):
        at = bisect_left(begins, after)
        if at < len(numbers):
            return _span(numbers[at])
    return (
        _worked_out(text, start, end)
        or _after_copula(text, start, end)
        or _to_the_point(text, start, last)
    )


def _worked_out(text: str, start: int, end: int) -> Span | None:
    """C in "A times B, or C", "twice A, or C" and "A each for B days, or C"."""
    first = NUMBER.search(text, start, end)
    if first is None:
        return None
    operation = _OPERATION.search(text, first.end(), end)
    multiple = _MULTIPLE_OF.search(text, start, first.end())
    if operation is None and multiple is None:
        return _product(text, first, end)
    value = _restated(text, operation.end() - 1 if operation else first.end(), end)
    return value if value and not _EQUALS.search(text, first.end(), value[0]) else None


def _product(text: str, first: re.Match[str], end: int) -> Span | None:
    """C in "A each for B days, or C" and "A each, or C in total"."""
    rated = _RATED.search(text, first.start(), end)
    mark = _OR.search(text, rated.end(), end) if rated else None
    value = NUMBER.match(text, skip_junk(text, mark.end(), end), end) if mark else None
    if mark is None or value is None or _EQUALS.search(text, first.end(), mark.start()):
        return None
    if _TOTAL.match(text, value.end(), end):
        return _span(value)
    factors = len(list(NUMBER.finditer(text, first.start(), mark.start())))
    return _span(value) if factors == 2 and not _RATE.match(text, value.end(), end) else None


def _to_the_point(text: str, begin: int, last: Span) -> Span:
    """The last number of a sentence that is no aside: "366 downloads over 3 months (90 days)"."""
    again = _ALTERNATIVE.search(text, begin, last[1])
    stop = again.end() if again else last[1]
    spans = [_span(match) for match in NUMBER.finditer(text, begin, stop)]
    kept = [span for span in spans if not aside(text, begin, span)]
    if kept:
        return kept[-1]
    return (_subject(text, begin, spans[0][0]) if spans else None) or last


def _subject(text: str, begin: int, end: int) -> Span | None:
    """The count that a sentence begins with: "Three trucks are needed to carry 80 stones"."""
    word = WORDED.match(text, _counted_at(text, begin, end), end)
    if word is None:
        return None
    beside = _needed(text, begin, end) or _placed(text, begin, end)
    return word.span() if beside or any(_clauses(text, begin, end)) else None


def _counted_at(text: str, begin: int, end: int) -> int:
    """Where the subject of a sentence begins."""
    lead = _CONCLUSION.match(text, skip_junk(text, begin, end), end)
    return skip_junk(text, lead.end() if lead else begin, end)


def _placed(text: str, begin: int, at: int) -> bool:
    """Whether ``at`` says where or when there are so many as the sentence begins with."""
    if not _PLACE.search(text, max(begin, at - 16), at):
        return False
    lead = _counted_at(text, begin, at)
    count = NUMBER.match(text, lead, at) or WORDED.match(text, lead, at)
    return bool(count and _COUNTED.match(text, count.end(), at))


def _needed(text: str, begin: int, at: int) -> bool:
    """Whether ``at`` says for whom the count is needed that the sentence begins with."""
    if at > begin + 2 * _WINDOW or not _NEEDED_FOR.search(text, max(begin, at - 40), at):
        return False
    lead = _counted_at(text, begin, at)
    return bool(NUMBER.match(text, lead, at) or WORDED.match(text, lead, at))


def _dated(text: str, begin: int, span: Span) -> bool:
    """Whether a time of day says when something was, of which the sentence has another number."""
    if not _CLOCK.match(text, span[0]) or not _AT_TIME.search(
        text, max(begin, span[0] - 8), span[0]
    ):
        return False
    if _COMES.search(text, max(begin, span[0] - 48), span[0]):
        return False
    earlier = NUMBER.finditer(text, max(begin, span[0] - _WINDOW), span[0])
    return any(
        not _PERIOD.match(text, e.end()) and not _CLOCK.match(text, e.start()) for e in earlier
    )


def aside(text: str, begin: int, span: Span) -> bool:
    """Whether a number is beside what its sentence says."""
    near = max(begin, span[0] - _WINDOW)
    opened = text.rfind("(", near, span[0])
    if opened > text.rfind(")", near, span[0]) and text[opened - 1 : opened] != "\\":
        return True
    if text[span[1] : span[1] + 1] == "-" and text[span[1] + 1 : span[1] + 2].isalpha():
        # "his 5-day week"
        return True
    near = max(begin, span[0] - 40)
    return bool(
        (_TIMED.search(text, near, span[0]) and _PERIOD.match(text, span[1]))
        or (_FOR_SOME.search(text, near, span[0]) and _FOLK.match(text, span[1]))
        or _LATER.match(text, span[1])
        or _EACH.match(text, span[1])
        or _PAID_FOR.search(text, max(begin, span[0] - _WINDOW), span[0])
        or _INSTEAD_OF.search(text, near, span[0])
        or _GROUPED.search(text, near, span[0])
        or _apart(text, begin, span[0])
        or _placed(text, begin, span[0])
        or _needed(text, begin, span[0])
        or _dated(text, begin, span)
        or _subordinate(text, begin, span[0])
    )


def _apart(text: str, begin: int, at: int) -> bool:
    """Whether ``at`` is behind a colon that itself follows a number: "3 bolts: 2 blue"."""
    near = max(begin, at - 2 * _WINDOW)
    colon = text.rfind(": ", near, at)
    return colon >= 0 and bool(NUMBER.search(text, near, colon)) and "=" not in text[colon:at]


def _subordinate(text: str, begin: int, at: int) -> bool:
    """Whether ``at`` is in a clause of purpose or condition that follows a number."""
    near = max(begin, at - 2 * _WINDOW)
    return any(
        NUMBER.search(text, near, clause) or WORDED.search(text, near, clause)
        for clause in _clauses(text, begin, at)
    )


def _clauses(text: str, begin: int, at: int) -> Iterator[int]:
    """Where clauses of purpose and condition open that reach up to ``at``."""
    near = max(begin, at - _WINDOW)
    barred = max(text.rfind(mark, near, at) for mark in ",;=:")
    for opening in _SUBORDINATE.finditer(text, max(near, barred), at):
        if opening.end() >= at - _CLAUSE:
            yield opening.start()


def trim_end(text: str, start: int, end: int) -> int:
    """``end`` moved left over punctuation and markup, never past ``start``."""
    while end > start and (text[end - 1].isspace() or text[end - 1] in ".,;:!*_`\"'“”$"):
        end -= 1
    return end
