"""What an answer may be read as, given the gold: beside its plain reading, what it says twice."""

import itertools
import re
from collections.abc import Iterator
from fractions import Fraction

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.equations import is_condition
from distlab.scoring.graders._match import based, number, same_numbers
from distlab.scoring.graders._spelling import decimal_point, spelled, unboxed
from distlab.scoring.graders._text import Item, gold_text, golds, readings, split, undressed

# A left side that names what was asked for, without white space: a+b, 2+3, |z|, (x,y), [ABC].
_ASKED = re.compile(
    r"[-+*/()0-9.!]{1,40}|[A-Za-z](?:[-+*/]?[A-Za-z]){0,6}|\|[A-Za-z]\||\[[A-Z]{3,6}\]"
    r"|\([A-Za-z](?:,[A-Za-z]){1,4}\)|[A-Za-z]/[A-Za-z]"
)
# f(g(2)), f^{-1}(3), P(A), (f\circ g)(2): the name is no factor if the argument is without it.
_APPLIED = re.compile(
    r"(?:(?P<name>[A-Za-z])'{0,3}(?:\^\{-?[0-9]\}|_\{[^{}]{1,20}\}){0,2}"
    r"|\([fgh](?:[-+*/]|\\circ)[fgh]\))(?P<argument>\(.{1,60}\))",
    re.DOTALL,
)
# \cos A, \angle ABC, \overline{AB}: nobody calls an unknown so.
_LABEL = re.compile(
    r"\\\||(?:m?\\(?:angle|measuredangle)|\\(?:sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan|overline"
    r"|triangle|vec|mathbb|Pr|det|gcd|max|min|lfloor|lceil|sum|prod|int|lim))(?![A-Za-z])"
)
_RELATION = re.compile(r"[<>;]|\\(?:leq?|geq?|neq?|in|equiv|approx|to|implies)(?![A-Za-z])")
_MACRO = re.compile(r"\\[A-Za-z]+")
_COORDINATES = frozenset("xyz")
_DIGIT = re.compile(r"[0-9]")
_LETTER = re.compile(r"[A-Za-z]")
_LONGEST_NAME = 60
_BARE = re.compile(r"-?[0-9A-F][0-9A-F.]*")
_OPTION = re.compile(
    r"(?:(?i:option|choice|graph|figure|statement|case|answer)\s){0,2}"
    r"(?P<bracket>\()?(?P<letter>[A-J])(?(bracket)\)|(?P<mark>[).:]|\s-(?=\s[A-Za-z]{2}))?)"
    r"(?P<colon>\s?:)?(?:\s?|(?:\s|(?<=\))(?=[A-Z]))(?P<rest>[-0-9\\(A-Za-z].{0,200}))",
    re.DOTALL,
)
_OTHER_OPTION = re.compile(r"(?<![A-Za-z])\(?[A-J]\)")
_OF_OPTIONS = re.compile(r"(?:both|all|neither|none|either|only)\b", re.IGNORECASE)
_DECIMALS = re.compile(r"-?[0-9]*\.[0-9]+")
_DOZENS = re.compile(r"\$?([0-9]{1,9}(?:\.[0-9]{1,3})?)\$?\sdozens?(?:\s[A-Za-z ]{1,60})?")
_AND_FRACTION = re.compile(
    r"(-?[0-9]{1,15})\s(?:and|&)\s(?:(?P<plain>[0-9]{1,15}/[0-9]{1,15})(?:\s[A-Za-z ]{1,60})?"
    r"|(?P<latex>\\[dt]?frac.{2,40}))",
    re.DOTALL,
)
_LETTER_BOX = re.compile(r"(?<=[0-9)}])\s?\\(?:text|mbox|mathrm)\s?\{\s?([A-Za-z])\s?\}")
# What ends in an operator or an opening bracket, or begins with an operator, is half a formula.
# "A+" and "C-" are marks; an asterisk that touches the number is emphasis.
_UNFINISHED = re.compile(
    r"(?:(?<![A-Z])[-+]|[/^=<>({]|(?<!_)_|\s\*|\\(?:times|cdot|ast|div|pm|mp|leq?|geq?|neq?|approx|cup|cap"
    r"|d?frac|sqrt)|\b(?:plus|minus|equals|(?:multiplied|divided)\sby))"
    r"\s?(?:\{\s?\}\s?|\\[lcd]?dots\s?)?\Z"
    r"|\A(?:[/^]|\\(?:times|cdot|div)(?![A-Za-z]))"
)


# "7*" is half a product, *7* and **7** are emphasis.
_HALF_PRODUCT = re.compile(r"\A[^*]*[^*\s]\*\s?\Z")
# Money: an escaped dollar, a single one (two are a formula's), another currency.
_MONEY = re.compile(r"\\\$\s?[0-9]|\A[^$]*(?<!\\)\$\s?[0-9][^$]*\Z|[€£]")
_CLOCK = re.compile(
    r"[0-9}](?:\s|\\[,;: ]|~)*(?:\\(?:text|mbox|mathrm)\s?\{\s?)?[ap]\.?\s?m\b|[0-9]:[0-9]{2}", re.I
)


def answers(text: str, gold: Gold) -> tuple[tuple[Item, ...], ...]:
    """The readings of an answer to ``gold``; none of what its form alone makes wrong.

    Beside those of :func:`readings`, where the gold is one value: one number said twice ("3/4 or
    0.75"), and the :func:`rewordings`.
    """
    if misfit(text, gold):
        return ()
    plain = readings(text)
    if gold.kind is GoldKind.LIST:
        return plain
    first, *others = plain[0] or (Item("", ""),)
    if others and all(same_numbers(first.body, other.body) for other in others):
        return (*plain, (first,))
    reworded = (readings(other)[:1] for other in rewordings(text, gold))
    return (*plain, *itertools.chain.from_iterable(reworded))


def misfit(text: str, gold: Gold) -> bool:
    """Whether the form of ``text`` alone makes it wrong.

    It breaks off ("7 +"), which ``gold`` does not; it states a condition ("3x = 9"), where the gold
    is a value; or one is money and one a time of day, which has no currency, whatever its number.
    """
    bare = unboxed(undressed(text))
    half = _UNFINISHED.search(bare) or _HALF_PRODUCT.match(bare)
    if half and not _UNFINISHED.search(gold.text):
        return True
    if gold.kind is not GoldKind.LIST and "=" not in gold.text and is_condition(bare):
        return True
    pairs = ((text, gold.text), (gold.text, text))
    return any(_MONEY.search(one) and _CLOCK.search(other) for one, other in pairs)


def rewordings(text: str, gold: Gold) -> Iterator[str]:
    r"""Other texts that an answer may stand for, where ``gold`` is one value.

    What stands before ``\approx``; the value of an equation whose other side names what was asked
    for ("a+b = 5", "2+3 = 5", "f(g(2)) = 9", ``\cos A = 1/4``), where the gold is none; the letter
    of an option and what stands beside it ("(B) 5", "(C) Plane"); "3 dozen" as 36; "3 and 1/2" as
    a mixed number; ``2\text{ m}`` as 2m; 2,74 as 2.74, where the gold is a number
    with decimals.
    """
    items = readings(text)[0]
    if len(items) == 1:
        yield from _stated(items[0], gold)
        yield from _in_the_base_asked_for(items[0].body, spelled(text).strip(" $."), gold)
    text = spelled(text)
    if gold.kind is GoldKind.NUMBER and _DECIMALS.fullmatch(gold_text(gold)):
        yield decimal_point(text.strip(" $"))
    if dozens := _DOZENS.fullmatch(text):
        yield str(12 * Fraction(dozens[1]))
    if mixed := _AND_FRACTION.fullmatch(text.replace("$", "")):
        yield f"{mixed[1]} {mixed['plain'] or mixed['latex']}"
    if _LETTER_BOX.search(text):
        yield _LETTER_BOX.sub(r"\1", text)
    yield from _options(undressed(text))


def _in_the_base_asked_for(body: str, text: str, gold: Gold) -> Iterator[str]:
    """Bare digits as digits of the gold's base, and digits of a base as the gold's bare ones."""
    given, wanted = based(body), based(golds(gold)[0][0].body)
    if wanted and not given and _BARE.fullmatch(text):
        yield f"{text}_{{{wanted[1]}}}"
    if given and not wanted and _BARE.fullmatch(gold.text):
        yield given[0]


def _options(text: str) -> Iterator[str]:
    """The letter of an option and what stands beside it."""
    option = _OPTION.fullmatch(unboxed(text))
    if option is None:
        return
    rest = option["rest"] or ""
    if rest[:1].isalpha():
        # "A plane" has an article; "(C) Cone, (D) Plane" is two options, "(D) Both (A), (B)" one.
        marked = option["bracket"] or option["mark"] or option["colon"]
        if not marked or (_OTHER_OPTION.search(rest) and not _OF_OPTIONS.match(rest)):
            return
    yield option["letter"]
    if rest:
        yield rest


def _stated(said: Item, gold: Gold) -> Iterator[str]:
    exact, approx, _ = said.body.partition("\\approx")
    if approx and exact:
        yield f"{said.name}={exact}" if said.name else exact
    if "=" not in said.body or "=" in gold.text:
        return
    *names, value = split(said.body, "=")
    if len(names) == 1 and number(names[0]) and (_APPLIED.fullmatch(value) or value.isalpha()):
        yield names[0]
    elif names and all(_is_asked(name, value) for name in names):
        yield value


def _is_asked(name: str, value: str) -> bool:
    """Whether one side of an equation names what was asked for, rather than states a condition.

    2x = 5, x^2 = 5 and 4x-5y = 20 are conditions. A sum or product of several letters is what
    was asked for, unless it is a curve's, is said to be nought, or the value has its letters too.
    """
    if _ASKED.fullmatch(name):
        return True
    if len(name) > _LONGEST_NAME or _RELATION.search(name):
        return False
    letters = set(_LETTER.findall(_MACRO.sub(" ", name)))
    applied = _APPLIED.fullmatch(name)
    if not letters or _LABEL.match(name):
        return True
    if applied and applied["name"] not in _LETTER.findall(applied["argument"]):
        return True
    if letters <= _COORDINATES and _DIGIT.search(name):
        return False
    return len(letters) > 1 and value != "0" and not letters & set(_LETTER.findall(value))
