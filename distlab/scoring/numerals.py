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

_SHARE = rf"(?:an?|{_ONE})[- ](?:{_PART})"

# "two and a half" and "3 and a half" are one number. "(a) dozen" is left alone: how many dozens
# would have to be worked out.
NUMERAL = re.compile(
    rf"\b(?:(?:minus|negative)\s)?(?:zero|(?:[0-9]{{1,9}}|{_BELOW_100})\sand\s{_SHARE}"
    rf"|{_SHARE}"
    rf"|{_BELOW_1000}(?:\s(?:{'|'.join(_SCALES)})(?:,?\s(?:and\s)?{_BELOW_1000})?){{0,4}})\b"
    r"(?!\s(?:dozen|score|hundred|thousand|million)\b)",
    re.IGNORECASE,
)
_MIXED = re.compile(rf"(.*)\sand\s({_SHARE})")


def numeral_value(words: str) -> Fraction:
    """The value of what ``NUMERAL`` matched: "minus two hundred and five" is -205."""
    words = words.lower()
    sign = -1 if words.startswith(("minus", "negative")) else 1
    mixed = _MIXED.fullmatch(words)
    if mixed:
        return sign * (_unsigned(mixed[1]) + _unsigned(mixed[2]))
    return sign * _unsigned(words)


def _unsigned(words: str) -> Fraction:
    total = group = 0
    for token in re.findall(r"[a-z]+|[0-9]+", words):
        part = _PARTS.get(token) or _PARTS.get(token.removesuffix("s"))
        if part:
            return Fraction(group, part)
        if token.isdigit():
            group += int(token)
        elif token == "hundred":
            group *= 100
        elif token in _SCALES:
            total, group = total + group * _SCALES[token], 0
        else:
            group += _VALUES.get(token, 0)
    return Fraction(total + group)
