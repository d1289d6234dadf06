"""Equality of normalised values, without algebra: numbers, tuples, sets, intervals, words."""

import itertools
import math
import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from distlab.scoring.graders._arithmetic import worked_out
from distlab.scoring.graders._spelling import closing
from distlab.scoring.graders._text import Item, split

Same = Callable[[str, str], bool]

_DECIMAL = re.compile(r"([-+]?)([0-9]*)(?:\.([0-9]*))?")
_SCIENTIFIC = re.compile(
    r"(?<![0-9])([-+]?[0-9]+(?:\.[0-9]*)?|[-+]?\.[0-9]+)(?:[eE]([-+]?[0-9]{1,3})"
    r"|(?:\*|x)10\^\{?(-?[0-9]{1,3})\}?)"
)
# 6!; of larger ones nobody writes the digits.
_FACTORIAL = re.compile(r"([0-9]|[1-9][0-9])!")
_REPEATING = re.compile(r"([-+]?)([0-9]{0,9})\.([0-9]{0,9})\\overline\{([0-9]{1,9})\}")
_DECIMALS = re.compile(r"\.([0-9]*)")
_TIME = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?([ap]m)?")
_UNIT_OF_TIME = re.compile(
    r"hour|hrs?\b|(?<![/\w])h\b|min|morning|noon|evening|night|o'clock|day|time|sharp|\b[A-Z]{2,3}T\b"
)
_BASED = re.compile(
    r"(?<![0-9A-F])(?P<digits>-?[0-9][0-9A-F]*(?:\.[0-9A-F]+)?|[A-F][0-9A-F]*(?=_\{1[1-6]\}))"
    r"_\{(?P<base>[0-9]{1,2}|[a-z])\}"
)
_LEADING_PLUS = re.compile(r"(?:\A|(?<=[({]))\+")
# Signs that may be either, in one value.
_MOST_SIGNS = 2
_HALF_DAY = 12
_LETTER = re.compile(r"\(?([A-Za-z])[).]?")
_MATRIX = re.compile(
    r"\\begin\{(?:[pbBv]?matrix|array|smallmatrix)\}(?:\{[clr|]*\})?(.*)"
    r"\\end\{(?:[pbBv]?matrix|array|smallmatrix)\}",
    re.DOTALL,
)
_ABSENT = re.compile(r"(?:does|do)?n[o']t?-?exist|dne|nosolutions?|undefined", re.IGNORECASE)
_MAX_DEPTH = 6


def number(body: str) -> tuple[Fraction, bool] | None:
    """The rational number that ``body`` writes out, and whether in per cent; None if none."""
    percent = body.endswith("%")
    if percent:
        body = body[:-1].rstrip("\\")
    upper, slash, lower = body.partition("/")
    above = _plain(upper.strip("()") if slash else upper)
    below = _plain(lower.strip("()")) if slash else Fraction(1)
    if above is None or below is None or below == 0:
        return None
    return above / below, percent


def _plain(body: str) -> Fraction | None:
    decimal = _DECIMAL.fullmatch(body)
    if decimal and (decimal[2] or decimal[3]):
        places = decimal[3] or ""
        value = Fraction(int(f"{decimal[2]}{places}"), 10 ** len(places))
        return -value if decimal[1] == "-" else value
    repeating = _REPEATING.fullmatch(body)
    if repeating:
        return _repeating(repeating)
    factorial = _FACTORIAL.fullmatch(body)
    if factorial:
        return Fraction(math.factorial(int(factorial[1])))
    scientific = _SCIENTIFIC.fullmatch(body)
    if scientific is None:
        return None
    mantissa = _plain(scientific[1])
    exponent = int(scientific[2] or scientific[3])
    return None if mantissa is None else mantissa * Fraction(10) ** exponent


def _repeating(match: re.Match[str]) -> Fraction:
    r"""0.1\overline{6} as 1/6."""
    sign, whole, start, period = match.groups()
    shift = 10 ** len(start)
    value = Fraction(int(f"{whole or 0}{start}"), shift)
    value += Fraction(int(period), shift * (10 ** len(period) - 1))
    return -value if sign == "-" else value


def same_numbers(left: str, right: str) -> bool | None:
    """Whether two numbers are equal; None where one of them is no number.

    A per cent sign on one side only may be a unit or a hundredth: 50% equals 50 and 0.5.
    """
    one, two = number(left), number(right)
    if one is None or two is None:
        return None
    if one[0] == two[0]:
        return True
    if one[1] == two[1]:
        return False
    return one[0] / (100 if one[1] else 1) == two[0] / (100 if two[1] else 1)


def contradicts(left: str, right: str) -> bool:
    """Whether two numbers, or sums of numbers, differ by more than a unit of their last decimal."""
    one, two = _sum(left), _sum(right)
    if one is None or two is None:
        return False
    places = [len(decimals) for decimals in _DECIMALS.findall(f"{left}={right}")]
    return abs(one - two) > (Fraction(1, 10 ** min(places)) if places else 0)


def _sum(body: str) -> Fraction | None:
    plain = number(body)
    if plain:
        return None if plain[1] else plain[0]
    return worked_out(body)


def same_items(left: Sequence[Item], right: Sequence[Item], same: Same) -> bool:
    """Whether two lists hold the same values, in any order."""
    left, right = _expanded(left), _expanded(right)
    if len(left) != len(right):
        left, right = _members(left), _members(right)
    if len(left) != len(right):
        return False
    if len(left) == 1:
        return same_item(left[0], right[0], same)
    if len(left) > 64:
        return [each[:2] for each in left] == [each[:2] for each in right]
    remaining = list(right)
    for one in left:
        at = next((i for i, two in enumerate(remaining) if same_item(one, two, same)), None)
        if at is None:
            return False
        del remaining[at]
    return True


def _members(items: list[Item]) -> list[Item]:
    """The members of a lone set, which is one way to give several values."""
    members = _set(items[0].body) if len(items) == 1 else None
    return [Item("", body) for body in members[1]] if members else items


def same_item(left: Item, right: Item, same: Same) -> bool:
    """Whether two values are equal, and not said to be of different things."""
    if left.name and right.name and left.name != right.name:
        return False
    if other_quantity(left, right) or other_quantity(right, left):
        return False
    return same(left.body, right.body)


def other_quantity(told: Item, measured: Item) -> bool:
    """Whether ``told`` is a time of day or digits of a base, and ``measured`` is neither.

    9 is 9 a.m., but 9 degrees or 9% are not; 25 may be digits of a base, 25 degrees are none.
    """
    if not measured.unit and not measured.body.endswith("%"):
        return False
    if _is_told(measured.body):
        return False
    return bool(based(told.body)) or (
        _is_told(told.body) and not _UNIT_OF_TIME.search(measured.unit)
    )


def _is_told(body: str) -> bool:
    """Whether ``body`` is written as a time of day: 2:00 or 2pm, but not 2."""
    time = _TIME.fullmatch(body)
    return bool(time and (time[2] or time[3]))


def _expanded(items: Sequence[Item]) -> list[Item]:
    r"""Items with ``a \pm b`` as a+b and a-b."""
    return [each._replace(body=body) for each in items for body in both_signs(each.body)]


def both_signs(body: str) -> list[str]:
    r"""``a \pm b`` as a+b and a-b, ``\mp`` with the other sign; two ``\pm`` make four values.

    A tuple or a set, which brackets enclose, is left whole.
    """
    if "\\pm" not in body:
        body = body.replace("\\mp", "\\pm")
    count = body.count("\\pm")
    enclosed = body.startswith("\\{") or (
        body[:1] in ("(", "[", "{") and closing(body, 0) == len(body) - 1
    )
    if enclosed or not 0 < count <= _MOST_SIGNS:
        return [body]
    return [_with_signs(body, signs) for signs in itertools.product("+-", repeat=count)]


def _with_signs(body: str, signs: Sequence[str]) -> str:
    first, *rest = body.replace("\\mp", "-" if signs[0] == "+" else "+").split("\\pm")
    signed = first + "".join(f"{sign}{part}" for sign, part in zip(signs, rest, strict=True))
    return _LEADING_PLUS.sub("", signed)


def same_body(left: str, right: str, depth: int = 0) -> bool:
    """Whether two normalised values are equal by form or as rational numbers."""
    if left == right:
        return True
    for same in (same_numbers(left, right), same_based(left, right)):
        if same is not None:
            return same
    if depth > _MAX_DEPTH:
        return False

    def deeper(one: str, two: str) -> bool:
        return same_body(one, two, depth + 1)

    structured = same_structure(left, right, deeper)
    if structured is not None:
        return structured
    return same_words(left, right) or bool(same_time(left, right)) or _same_terms(left, right)


def same_structure(left: str, right: str, same: Same) -> bool | None:
    """Whether two unions, sets, tuples, intervals or matrices are equal part by part.

    Returns:
        None where neither side has such a structure.
    """
    for parts in (_union, _set, _matrix, _bracketed):
        one, two = parts(left), parts(right)
        if one is None and two is None:
            continue
        if one is None or two is None or one[0] != two[0] or len(one[1]) != len(two[1]):
            return False
        if one[0] in ("union", "set"):
            items = [Item("", part) for part in one[1]], [Item("", part) for part in two[1]]
            return same_items(*items, same)
        return all(same(a, b) for a, b in zip(one[1], two[1], strict=True))
    return None


Parts = tuple[str, list[str]] | None


def _union(body: str) -> Parts:
    if "\\cup" not in body:
        return None
    return "union", split(body.replace("\\cup", "\0"), "\0")


def _set(body: str) -> Parts:
    if not (body.startswith("\\{") and body.endswith("\\}")):
        return None
    items = _expanded([Item("", part) for part in split(body[2:-2])])
    return "set", [each.body for each in items]


def _matrix(body: str) -> Parts:
    match = _MATRIX.fullmatch(body)
    if match is None:
        return None
    rows = [row for row in match[1].split("\\\\") if row]
    cells = [row.split("&") for row in rows]
    shape = "x".join(str(len(row)) for row in cells)
    return f"matrix {shape}", [cell.removeprefix("+") for row in cells for cell in row]


def _bracketed(body: str) -> Parts:
    if len(body) < 3 or body[0] not in "([" or body[-1] not in ")]":
        return None
    parts = split(body[1:-1])
    if len(parts) < 2:
        return None
    return body[0] + body[-1], [part.removeprefix("+") for part in parts]


def same_words(left: str, right: str) -> bool:
    """Words without case; an option's letter with or without parentheses."""
    one, two = _LETTER.fullmatch(left), _LETTER.fullmatch(right)
    if one and two:
        return one[1] == two[1]
    if _ABSENT.fullmatch(left) and _ABSENT.fullmatch(right):
        return True
    if len(left) < 3 or "\\" in left:
        return False
    return left.isalpha() and left.casefold() == right.casefold()


def same_time(left: str, right: str) -> bool | None:
    """Whether two times of day are the same; None where they may be no times.

    A missing a.m. or p.m. is a missing unit, a different one is wrong: 2, 2:00, 2:00 p.m. and
    14:00 are alike, if one of them at least is written as a time; 14 alone is no 2:00 p.m., and
    1:12 may be a ratio.
    """
    one, two = _TIME.fullmatch(left), _TIME.fullmatch(right)
    if one is None or two is None or not (one[2] or one[3] or two[2] or two[3]):
        return None
    told = one[3] or two[3]
    if int(one[2] or 0) != int(two[2] or 0) or (one[3] and two[3] and one[3] != two[3]):
        return False if told else None
    hours = int(one[1]), int(two[1])
    if hours[0] == hours[1]:
        return True
    if not told:
        return None
    afternoon, other = (one, two) if one[3] else (two, one)
    if afternoon[3] != "pm" or other[3] or not other[2]:
        return False
    return int(other[1]) - int(afternoon[1]) == _HALF_DAY


def based(body: str) -> tuple[str, str] | None:
    """The digits and the base of ``221_{3}``; None where no base is named."""
    match = _BASED.fullmatch(body)
    return (match["digits"], match["base"]) if match else None


def same_based(left: str, right: str) -> bool | None:
    """Whether digits of a base are the same; None unless both sides name their base.

    The base of a number is the gold's own, letter for letter: 52_b is no 52_8.
    """
    one, two = based(left), based(right)
    if one is None or two is None:
        return None
    return one == two


def _same_terms(left: str, right: str) -> bool:
    """Sums of the same terms in any order."""
    if len(left) != len(right) and "+" not in left + right:
        return False
    return sorted(_terms(left)) == sorted(_terms(right))


def _terms(body: str) -> list[str]:
    terms: list[str] = []
    depth = start = 0
    for at, character in enumerate(body):
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character in "+-" and depth <= 0 and at > start and body[at - 1] not in "^/*=":
            terms.append(body[start:at].removeprefix("+"))
            start = at
    terms.append(body[start:].removeprefix("+"))
    return terms
