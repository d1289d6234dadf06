"""MedCalc: the dataset's rule for each kind of calculator, without eval."""

import re
from datetime import date
from fractions import Fraction
from typing import TypeVar

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.graders._arithmetic import worked_out
from distlab.scoring.graders._characters import one_space, visible
from distlab.scoring.graders._guard import sized
from distlab.scoring.graders._match import number
from distlab.scoring.graders._text import readings, undressed
from distlab.scoring.numerals import NUMERAL, numeral_value

T = TypeVar("T")

MEDCALC_KINDS = frozenset({GoldKind.DATE, GoldKind.WEEKS_DAYS, GoldKind.INTEGER, GoldKind.INTERVAL})

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SLASHED = re.compile(
    r"([0-9]{1,2})\s?[/-]\s?([0-9]{1,2})\s?[/-]\s?([0-9]{4}|[0-9]{2})"
    r"|([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})"
)
_ISO = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:T[0-9:.Z]*)?")
_MONTH_FIRST = re.compile(r"([A-Za-z]{3,9})\.?\s([0-9]{1,2})(?:st|nd|rd|th)?,?\s([0-9]{4})")
_DAY_FIRST = re.compile(
    r"([0-9]{1,2})(?:st|nd|rd|th)?(?:\s(?:of\s)?|-)([A-Za-z]{3,9})\.?(?:,?\s|-)([0-9]{4})"
)

# Beyond any clinical value; a float could overflow.
_LARGEST = 10**100
_TEXT_BOX = re.compile(r"\\(?:text|mbox|textrm|mathrm)\s?\{([^{}]*)\}")
# "4/10": four points out of ten. No score is a quotient.
_OUT_OF = re.compile(r"([0-9]{1,4})\s?/\s?[0-9]{1,4}(?:\s?points?)?")
_LABELLED = re.compile(
    r"weeks?\s?[:=]\s?([0-9]{1,3})[\s,;]{1,3}(?:and\s)?days?\s?[:=]\s?([0-9]{1,3})", re.I
)
_WEEKS = re.compile(
    r"([0-9]{1,3})\s?(?:week\(s\)|weeks?|wks?|w)(?![a-z])|([0-9]{1,3})w(?=[0-9])", re.I
)
_DAYS = re.compile(r"([0-9]{1,3})\s?(?:day\(s\)|(?:days?|d)\b)", re.I)
_PAIR = re.compile(r"[(\[]?\s?['\"]?([0-9]{1,3})['\"]?\s?[,+]\s?['\"]?([0-9]{1,3})['\"]?\s?[)\]]?")
_SEVENTHS = re.compile(r"([0-9]{1,3})\s?(?:\+\s?([0-6])|\s([0-6])/7)\s?(?:weeks?|wks?|w)\b", re.I)

# A number with units that themselves hold digits (mL/min/1.73 m^2), but no range or sum.
_LEADING = re.compile(
    r"[\s=]{0,4}(?P<value>[-+]?(?:(?<![0-9])[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
    r"(?:[eE][-+]?[0-9]{1,3}|\s?(?:x|\*|\\times)\s?10\^\{?-?[0-9]{1,3}\}?)?)"
    r"\s?(?![-+*]|(?:to|or|and|x|times)\b|\\times|\\cdot)[A-Za-z%µμ°(/\\^]"
)


class MedCalc:
    """MedCalc-Bench's rule by the kind of gold, which its loader sets by calculator id.

    - DATE (calculators 13, 68): equal after parsing month/day/year; also year-month-day and
      spelled months, which are no less clear (ours).
    - WEEKS_DAYS (69): both counts equal; one that is not given is 0.
    - INTEGER (the scores): equal after rounding the answer, halves to even, as Python does;
      "4/10" is four points out of ten (ours: the official scorer takes the quotient).
    - INTERVAL (the other 34): inside the limits, which count as inside.

    Unlike the official scorer this one keeps thousands separators ("1,234.5" is 1234.5), reads
    "0.495%" as 0.495 as the golds do, understands calculator 69, and works out sums and products
    ("140/72") on its own syntax tree instead of with eval.
    """

    name = "medcalc"
    version = "5"

    def applies(self, kind: GoldKind) -> bool:
        """The four kinds that MedCalc-Bench has."""
        return kind in MEDCALC_KINDS

    def grade(self, gold: Gold, answer: str) -> bool:
        """Whether ``answer`` is right by the rule for ``gold.kind``.

        Raises:
            AnswerRefusedError: ``answer`` is too long or too deep to parse.
            ValueError: The gold itself cannot be read.
        """
        return judge(gold, answer)


def judge(gold: Gold, answer: str) -> bool:
    """The rule of :class:`MedCalc`, for graders that defer to it."""
    fit = sized(answer, gold.text)
    if fit is None:
        return False
    answer = fit
    text = one_space(_TEXT_BOX.sub(r"\1", visible(answer).replace("\\,", " "))).strip(
        " \t\n*_`\"'."
    )
    if gold.kind is GoldKind.DATE:
        return _known(day(gold.text), gold) == day(text)
    if gold.kind is GoldKind.WEEKS_DAYS:
        return _known(weeks_days(gold.text), gold) == weeks_days(text)
    given = value(answer)
    if given is None:
        return False
    if gold.kind is GoldKind.INTEGER:
        out_of = _OUT_OF.fullmatch(text)
        if out_of:
            return int(out_of[1]) == _known(value(gold.text), gold)
        return round(given) == _known(value(gold.text), gold)
    if gold.lower is None or gold.upper is None:
        raise ValueError(f"gold {gold.text!r} has no limits")
    if abs(given) > _LARGEST:
        return False
    return gold.lower <= float(given) <= gold.upper


def _known(parsed: T | None, gold: Gold) -> T:
    if parsed is None:
        raise ValueError(f"gold {gold.text!r} is no {gold.kind.value}")
    return parsed


def day(text: str) -> date | None:
    """The calendar day that ``text`` names, month before day; None if none.

    A year of two digits is taken to be in 1969 to 2068, as POSIX has it.
    """
    text = text.strip(" \t\n\"'()")
    if match := _ISO.fullmatch(text):
        return _date(match[1], match[2], match[3])
    if match := _SLASHED.fullmatch(text):
        return _date(match[3] or match[6], match[1] or match[4], match[2] or match[5])
    if match := _MONTH_FIRST.fullmatch(text):
        return _date(match[3], _month(match[1]), match[2])
    if match := _DAY_FIRST.fullmatch(text):
        return _date(match[3], _month(match[2]), match[1])
    return None


def _month(name: str) -> str:
    short = name[:3].lower()
    return str(_MONTHS.index(short) + 1) if short in _MONTHS else "0"


def _date(year: str, month: str, of_month: str) -> date | None:
    century = 0 if len(year) == 4 else 2000 if int(year) < 69 else 1900
    try:
        return date(int(year) + century, int(month), int(of_month))
    except ValueError:
        return None


def weeks_days(text: str) -> tuple[int, int] | None:
    """The weeks and days that ``text`` gives; None where it gives neither."""
    text = NUMERAL.sub(lambda words: str(numeral_value(words[0])), text)
    if match := _SEVENTHS.fullmatch(text):
        return int(match[1]), int(match[2] or match[3])
    if match := _LABELLED.fullmatch(text):
        return int(match[1]), int(match[2])
    weeks, days = _WEEKS.findall(text), _DAYS.findall(text)
    if len(weeks) > 1 or len(days) > 1:
        return None
    if weeks or days:
        return int("".join(weeks[0])) if weeks else 0, int(days[0]) if days else 0
    pair = _PAIR.fullmatch(text)
    return (int(pair[1]), int(pair[2])) if pair else None


def value(text: str) -> Fraction | None:
    """The one number that ``text`` gives, units and a per cent sign aside; None if none."""
    items = readings(text)[0]
    if len(items) != 1:
        return None
    known = number(items[0].body)
    if known:
        return known[0]
    plain = undressed(text).replace(",", "")
    if leading := _LEADING.match(plain):
        known = number(re.sub(r"\s", "", leading["value"].replace("\\times", "*")))
        return known[0] if known else None
    return worked_out(plain)
