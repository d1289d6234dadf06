"""Numbers in English words: a pattern that finds one, and its value. Pure text, linear."""

import re
from fractions import Fraction

_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS = {
    "half": 2,
    "halves": 2,
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "eighth": 8,
    "tenth": 10,
}
_VALUES = (
    {"zero": 0, "a": 1, "an": 1}
    | {word: value for value, word in enumerate(_ONES + _TEENS, 1)}
    | {word: 20 + 10 * value for value, word in enumerate(_TENS)}
)

_ONE = "|".join(_ONES)
_BELOW_100 = rf"(?:(?:{'|'.join(_TENS)})(?:[- ](?:{_ONE}))?|{'|'.join(_TEENS)}|{_ONE})"
_BELOW_1000 = (
    rf"(?:(?:{_ONE}|a)\shundred(?:\s(?:and\s)?{_BELOW_100})?|{_BELOW_100}"
    rf"|a(?=\s(?:{'|'.join(_SCALES)})\b))"
)
_PART = "halves|(?:half|third|quarter|fourth|fifth|sixth|eighth|tenth)s?"
_FEW_PARTS = rf"(?:{_ONE}|an?)[- ](?:{_PART})"
_SCALE = "|".join(_SCALES)
# What makes three, or 3, into three and a half.
_AND_PARTS = rf"[- ](?:and|&)[- ](?:{_FEW_PARTS}|half(?!\sof\b))\b"
# "3 fifths"; 3 quarters are coins more often.
SMALL_PARTS = "halves|(?:third|fourth|fifth|sixth|eighth|tenth)s"
PARTS_TAIL = rf"[- ](?:{SMALL_PARTS})\b"
COUNTED_PARTS = re.compile(rf"(?<![\w.,/])(?P<count>[0-9]{{1,9}})[- ](?P<part>{SMALL_PARTS})\b")
_WHOLE = rf"{_BELOW_1000}(?:\s(?:{_SCALE})(?:,?\s(?:and\s)?{_BELOW_1000})?){{0,4}}"

_MIXED = rf"(?:\b{_WHOLE}|(?<![\w.,])[0-9]{{1,15}}){_AND_PARTS}(?:\s(?:{_SCALE})\b)?"

# "(a) dozen" is left alone: how many dozens would have to be worked out.
NUMERAL = re.compile(
    rf"(?:\b(?:minus|negative)\s)?(?:{_MIXED}"
    rf"|\b(?:zero|{_FEW_PARTS}(?:\s(?:{_SCALE}))?|{_WHOLE}|half\sa\s(?:{_SCALE})))\b"
    rf"(?!\s(?:dozen|score|hundred|thousand|million)\b|[- ](?:{_PART})\b|{_AND_PARTS})",
    re.IGNORECASE,
)
# "three and a half", "3 and a half": what NUMERAL matches, where a part follows a whole.
MIXED_NUMERAL = re.compile(_MIXED, re.IGNORECASE)
# "two dozen", "3 and a half dozen", "a dozen and a half"; what is counted may follow. "3 dozen" is
# left alone too: whether dozens were asked for only the gold can tell.
_AND_HALF = r"\s(?:and|&)\s(?:a|one)\shalf"
DOZENS = re.compile(
    rf"(?:\b(?P<half>half\sa)|(?P<mixed>{_MIXED})"
    rf"|\b(?P<count>{_WHOLE}|a|[0-9]{{1,9}}(?=\sdozens?{_AND_HALF}\b)))"
    rf"\sdozens?(?P<more>{_AND_HALF})?\b",
    re.IGNORECASE,
)
# As an answer of its own; not of "half past six", "half as many".
HALF = re.compile(r"half\b(?!\s(?:past|as|way|dozen|of\s\\?\$?[0-9]))", re.IGNORECASE)
_PARTS_AT_END = re.compile(
    rf"\b(?:(?P<count>{_ONE}|an?)[- ])?(?P<part>{_PART})(?:\s(?:a\s)?(?P<scale>{_SCALE}))?\Z"
)


def numeral_value(words: str) -> Fraction:
    """The value of what ``NUMERAL`` matched: "minus two hundred and five" is -205."""
    words = words.lower()
    sign = -1 if words.startswith(("minus", "negative")) else 1
    fraction = _PARTS_AT_END.search(words)
    if fraction is None:
        return Fraction(sign * _whole(words))
    part = fraction["part"]
    parts = Fraction(_VALUES[fraction["count"] or "a"], _denominator(part))
    scale = _SCALES.get(fraction["scale"] or "", 1)
    return sign * scale * (_whole(words[: fraction.start()]) + parts)


def counted_parts(match: re.Match[str]) -> str:
    """What ``COUNTED_PARTS`` matched as a fraction: 3/5 for "3 fifths"."""
    return f"{match['count']}/{_denominator(match['part'])}"


def _denominator(part: str) -> int:
    return _PARTS.get(part) or _PARTS[part.removesuffix("s")]


def _whole(words: str) -> int:
    """The value of words without a fraction, or of digits; signs and "and" are not read."""
    total = group = 0
    for token in re.findall(r"[a-z]+|[0-9]+", words):
        if token == "hundred":
            group *= 100
        elif token in _SCALES:
            total, group = total + group * _SCALES[token], 0
        elif token.isdigit():
            group += int(token)
        else:
            group += _VALUES.get(token, 0)
    return total + group


def dozens_value(match: re.Match[str]) -> Fraction:
    """The number that a match of ``DOZENS`` gives: 24 for "two dozen", 6 for "half a dozen"."""
    if match["half"]:
        return Fraction(6)
    dozens = numeral_value(match["mixed"]) if match["mixed"] else _whole(match["count"].lower())
    return 12 * (dozens + Fraction(bool(match["more"]), 2))
