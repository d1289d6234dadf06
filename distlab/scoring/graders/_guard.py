"""What a grader refuses to judge, and the checks that run before anything costly."""

import re

# Characters of an answer that are parsed. The longest gold at hand has under 200. (ours)
MAX_CHARACTERS = 2_000
# Digits in a row. CPython itself refuses to convert more than 4300. (ours)
MAX_DIGITS = 400
# Braces, brackets and parentheses inside each other. (ours)
MAX_DEPTH = 20
_MAX_FACTORIAL = 5_000
# Each sign is a level of the parser's tree.
_MAX_SIGNS = 40

_DIGITS = re.compile(rf"[0-9]{{{MAX_DIGITS + 1}}}")
# A power of a power, with or without braces, or an exponent of five digits and more.
_TOWER = re.compile(
    r"(?:\^|\*\*)\s?[{(\s]{0,6}[0-9.]{1,20}[\s)}]{0,6}\s?(?:\^|\*\*)"
    r"|(?:\^|\*\*)\s?[{(\s]{0,6}[0-9]{5,}"
    r"|(?:\^|\*\*)\s?[{(\s]{0,6}[0-9]{1,9}\s?!"
)
_FACTORIAL = re.compile(r"(?P<plain>[0-9]+)\s?!|(?P<group>[)\]}!]\s?!)")
_BINOMIAL = re.compile(r"binom\s*\{[^{}]{0,40}(?:[0-9]{5}|\^|!)")
_SIGNS = re.compile(rf"(?:[-+^_]\s{{0,4}}){{{_MAX_SIGNS + 1}}}")
_NEGATED = re.compile(r"!\s?=")


class AnswerRefusedError(Exception):
    """The answer cannot be judged safely; the pool reports ``error``, never ``incorrect``."""


def check_size(text: str) -> None:
    """Refuse what is too long or too deep to parse.

    Raises:
        AnswerRefusedError: With the limit that ``text`` exceeds.
    """
    if len(text) > MAX_CHARACTERS:
        raise AnswerRefusedError(f"answer of {len(text)} characters, {MAX_CHARACTERS} are parsed")
    if _DIGITS.search(text):
        raise AnswerRefusedError(f"answer with a number of more than {MAX_DIGITS} digits")
    depth = deepest = 0
    for character in text:
        if character in "({[":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")}]" and depth:
            depth -= 1
    if deepest > MAX_DEPTH:
        raise AnswerRefusedError(f"answer nested {deepest} deep, {MAX_DEPTH} levels are parsed")


def check_cost(text: str) -> None:
    """Refuse what computer algebra would need more than this machine to work out.

    Raises:
        AnswerRefusedError: For power towers, factorials and binomials of large numbers.
    """
    check_size(text)
    if _TOWER.search(text):
        raise AnswerRefusedError("answer with a power tower or an exponent of five digits")
    if _SIGNS.search(text):
        raise AnswerRefusedError(f"answer with more than {_MAX_SIGNS} signs in a row")
    if _BINOMIAL.search(text):
        raise AnswerRefusedError("answer with a binomial coefficient of large numbers")
    for factorial in _FACTORIAL.finditer(_NEGATED.sub("", text)):
        plain = factorial["plain"]
        if plain is None or int(plain) > _MAX_FACTORIAL:
            raise AnswerRefusedError("answer with the factorial of a large or composite number")
