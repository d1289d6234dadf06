"""What a grader refuses to judge, and the checks that run before anything costly."""

import re

from distlab.brackets import depth
from distlab.scoring.graders._magnitude import magnitude

# Characters of an answer that are parsed. The longest gold at hand has under 200. (ours)
MAX_CHARACTERS = 2_000
# Digits in a row. CPython itself refuses to convert more than 4300. (ours)
MAX_DIGITS = 400
# Braces, brackets and parentheses inside each other; golds at hand have three. (ours)
MAX_DEPTH = 12
# Signs, names and numbers in one value of an answer; golds at hand have under 60. (ours)
MAX_TOKENS = 200
# Parsers and sympy take twice as long for each quotient more that divides the last. (ours)
_MAX_DIVISIONS = 10
# The parser tries each bar as an opening and as a closing one. (ours)
_MAX_BARS = 16
_MAX_FACTORIAL = 5_000
# Each sign is a level of the parser's tree.
_MAX_SIGNS = 40

_TOKEN = re.compile(r"\\[A-Za-z]++|[0-9.]++|\S")
_NO_FACTOR = re.compile(r"[,;=&+-]|\\\\")
_RUN = re.compile(r"\.?[0-9]++")
# One number, in whatever base and with whatever separators.
_NUMBER = re.compile(r"(?:[0-9A-Fa-f](?:\{,\}|\\[,! ]|[,\s_'])?+)++")
_NO_DIGIT = re.compile(r"[^0-9A-Fa-f]+")
# A power of a power, with or without braces, or an exponent of five digits and more.
_TOWER = re.compile(
    r"(?:\^|\*\*)\s?[{(\s]{0,6}[0-9.]{1,20}[\s)}]{0,6}\s?(?:\^|\*\*)"
    r"|(?:\^|\*\*)\s?[{(\s]{0,6}[0-9]{5,}"
    r"|(?:\^|\*\*)\s?[{(\s]{0,6}[0-9]{1,9}\s?!"
)
_FACTORIAL = re.compile(r"(?<![0-9])(?P<plain>[0-9]++)\s?!|(?P<group>[)\]}!]\s?!)")
_RAISED = re.compile(r"[\^!]|\*\*")
_BINOMIAL = re.compile(r"binom\s*\{[^{}]{0,40}(?:[0-9]{5}|\^|!)")
_SIGNS = re.compile(rf"(?:[-+^_]\s{{0,4}}){{{_MAX_SIGNS + 1}}}")
_NEGATED = re.compile(r"!\s?=")


class AnswerRefusedError(Exception):
    """The answer cannot be judged safely; the pool reports ``error``, never ``incorrect``."""


def sized(answer: str, gold: str) -> str | None:
    """``answer`` fit to be parsed, or None where no parser is needed to call it wrong.

    Digits that add nothing go: zeros before a number and after its decimals, and decimals past
    ``MAX_DIGITS``. A number that is longer still, hexadecimal ones included, equals no gold but
    one as long, and one that powers or factorials make as long or as small none but such a one.

    Raises:
        AnswerRefusedError: ``answer`` is too long or too deep to parse.
    """
    answer = _RUN.sub(_shortened, answer)
    if any(far(answer) and not far(gold) for far in (_is_huge, _is_out_of_reach)):
        return None
    check_size(answer)
    return answer


def _is_huge(text: str) -> bool:
    """Whether ``text`` has a number of more than ``MAX_DIGITS`` digits."""
    return len(text) > MAX_DIGITS and any(
        len(number[0]) > MAX_DIGITS and len(_NO_DIGIT.sub("", number[0])) > MAX_DIGITS
        for number in _NUMBER.finditer(text)
    )


def _is_out_of_reach(text: str) -> bool:
    """Whether ``text`` writes a number of more than ``MAX_DIGITS`` digits, or places, as powers."""
    size = magnitude(text.rpartition("=")[2]) if _RAISED.search(text) else None
    return size is not None and abs(size.log) > MAX_DIGITS


def _shortened(run: re.Match[str]) -> str:
    digits = run[0]
    if len(digits) <= MAX_DIGITS:
        return digits
    if not digits.startswith("."):
        return digits.lstrip("0") or "0"
    digits = digits.rstrip("0")
    # The last digit tells what is cut from what is exact.
    return digits if len(digits) <= MAX_DIGITS else f"{digits[: MAX_DIGITS - 1]}1"


def check_size(text: str) -> None:
    """Refuse what is too long or too deep to parse.

    Raises:
        AnswerRefusedError: With the limit that ``text`` exceeds.
    """
    if len(text) > MAX_CHARACTERS:
        raise AnswerRefusedError(f"answer of {len(text)} characters, {MAX_CHARACTERS} are parsed")
    deepest = depth(text)
    if deepest > MAX_DEPTH:
        raise AnswerRefusedError(f"answer nested {deepest} deep, {MAX_DEPTH} levels are parsed")


def check_cost(text: str) -> None:
    """Refuse what computer algebra would need more than this machine to work out.

    Raises:
        AnswerRefusedError: For power towers, factorials and binomials of large numbers, and for
            formulas that parsers take long to read.
    """
    check_size(text)
    _check_reading(text)
    if _SIGNS.search(text):
        raise AnswerRefusedError(f"answer with more than {_MAX_SIGNS} signs in a row")
    if _is_small(text):
        return
    if _TOWER.search(text):
        raise AnswerRefusedError("answer with a power tower or an exponent of five digits")
    if _BINOMIAL.search(text):
        raise AnswerRefusedError("answer with a binomial coefficient of large numbers")
    for factorial in _FACTORIAL.finditer(_NEGATED.sub("", text)):
        plain = factorial["plain"]
        if plain is None or int(plain) > _MAX_FACTORIAL:
            raise AnswerRefusedError("answer with the factorial of a large or composite number")


def _is_small(text: str) -> bool:
    """Whether nothing in ``text`` comes to more than ``MAX_DIGITS`` digits, if that is told."""
    size = magnitude(text) if _RAISED.search(text) else None
    return size is not None and size.peak <= MAX_DIGITS


def _check_reading(text: str) -> None:
    """Refuse what is short, and still takes the parser long to read."""
    tokens = max(len(_TOKEN.findall(value)) for value in text.split(","))
    if tokens > MAX_TOKENS:
        raise AnswerRefusedError(f"value of {tokens} signs and numbers, {MAX_TOKENS} are parsed")
    if max(factors.count("/") for factors in _NO_FACTOR.split(text)) > _MAX_DIVISIONS:
        raise AnswerRefusedError(f"answer with more than {_MAX_DIVISIONS} divisions in a row")
    if text.count("|") > _MAX_BARS:
        raise AnswerRefusedError(f"answer with more than {_MAX_BARS} bars")
