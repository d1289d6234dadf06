"""What an answer may be read as, given the gold: beside its plain reading, what it says twice."""

import itertools
import re
from collections.abc import Iterator
from fractions import Fraction

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.equations import is_condition
from distlab.scoring.graders._match import based, contradicts, number, same_numbers
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
# "c" and "(c)" are a choice only where the gold is one: (C).
_MARKED_OPTION = re.compile(r"\$?\([A-J]\)\$?")
_SMALL_OPTION = re.compile(r"\(?([a-j])\)?[.:]?")
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

# "10 or more", "10 is wrong", "10 squared": what follows is no unit, it makes another thing of 10.
_OTHERWISE = re.compile(
    r"\b(?:or\s(?:more|less|fewer|greater|higher|lower|above|below|over|under|later|earlier)"
    r"|and\s(?:more|above|up|over|below|under)|at\s(?:least|most)"
    r"|(?:raised\s)?to\sthe\s(?:power|second|third|[a-z]{3,9}th)"
    r"|not|cannot|isn't|wrong|incorrect|false|impossible|invalid)\b"
    r"|(?<=[0-9}])\s?(?:squared|cubed|factorial|doubled|tripled|halved)\b[\s.$]{0,4}\Z",
    re.IGNORECASE,
)
_BOUND = re.compile(
    r"\A[\s$]{0,4}(?:[A-Za-z]\s?)?(?:[<>]=?|\\(?:leq?|geq?|lt|gt|neq?)(?![A-Za-z])(?:slant)?)"
    r"\s?(?=[-0-9.\\$])"
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
    if others and all(_is_said_again(first, other) for other in others):
        return (*plain, (first,))
    reworded = (readings(other)[:1] for other in rewordings(text, gold))
    return (*plain, *itertools.chain.from_iterable(reworded))


def _is_said_again(first: Item, other: Item) -> bool:
    """Whether ``other`` is the same number, not said to be of something else ("a=9, b=9")."""
    return other.name in ("", first.name) and bool(same_numbers(first.body, other.body))


def misfit(text: str, gold: Gold) -> bool:
    """Whether the form of ``text`` alone makes it wrong.

    It breaks off ("7 +"), says something else of its number ("10 or more", "10 is wrong", "10
    squared"), or equates two numbers that differ ("10 = 9"), none of which ``gold`` does; it states
    a condition ("3x = 9") or a bound ("< 9"), or names a base, where the gold is a value; or one
    is money and one a time of day, which has no currency, whatever its number.
    """
    bare = unboxed(undressed(text))
    half = _UNFINISHED.search(bare) or _HALF_PRODUCT.match(bare)
    if half and not _UNFINISHED.search(gold.text):
        return True
    if _OTHERWISE.search(unboxed(text)) and not _OTHERWISE.search(unboxed(gold.text)):
        return True
    if gold.kind is not GoldKind.LIST and _is_no_value(bare, gold):
        return True
    pairs = ((text, gold.text), (gold.text, text))
    return any(_MONEY.search(one) and _CLOCK.search(other) for one, other in pairs)


def _is_no_value(bare: str, gold: Gold) -> bool:
    """Whether an answer to a gold that is one value is a condition, a bound or of another base."""
    if "=" not in gold.text and is_condition(bare):
        return True
    wanted, given = golds(gold)[0], readings(bare)[0]
    if len(wanted) != 1 or len(given) != 1:
        return False
    if number(wanted[0].body) and _BOUND.match(bare):
        return True
    return _is_false(given[0].body) or _is_of_a_base(given[0].body, wanted[0].body, gold.kind)


def _is_false(body: str) -> bool:
    """Whether ``body`` equates numbers that differ by more than their decimals can tell."""
    sides = split(body, "=")
    return any(contradicts(one, two) for one, two in itertools.pairwise(sides))


def _is_of_a_base(given: str, wanted: str, kind: GoldKind) -> bool:
    """Whether ``given`` are digits of a base, and ``wanted`` a number whose base is ten.

    One digit is the same in every base, and a base that is a letter is the one asked for; problems
    whose golds are plain numbers ask for none.
    """
    digits = based(given)
    if digits is None or based(wanted) or not number(wanted) or digits[1] == "10":
        return False
    return kind is GoldKind.NUMBER or (len(digits[0]) > 1 and digits[1].isdigit())


def rewordings(text: str, gold: Gold) -> Iterator[str]:
    r"""Other texts that an answer may stand for, where ``gold`` is one value.

    What stands before ``\approx``; the value of an equation whose other side names what was asked
    for ("a+b = 5", "2+3 = 5", "f(g(2)) = 9", ``\cos A = 1/4``), where the gold is none; the letter
    of an option and what stands beside it ("(B) 5", "(C) Plane"); "3 dozen" as 36; "3 and 1/2" as
    a mixed number; ``2\text{ m}`` as 2m; 2,74 as 2.74, where the gold is a number
    with decimals.

    A dozen is a unit, too, as any behind a number: "3 dozen" answers "how many dozens", whose gold
    is 3 (four of GSM8K's test problems ask so), and "how many", whose gold is 36. Nothing but the
    problem tells which; an answer that errs by just that factor is rarer than either.
    """
    items = readings(text)[0]
    if len(items) == 1:
        yield from _stated(items[0], gold)
        yield from _in_the_base_asked_for(items[0].body, spelled(text).strip(" $."), gold)
    text = spelled(text)
    small = _SMALL_OPTION.fullmatch(unboxed(text))
    if small and _MARKED_OPTION.fullmatch(unboxed(gold.text)):
        yield small[1].upper()
    if gold.kind is GoldKind.NUMBER and _DECIMALS.fullmatch(gold_text(gold)):
        yield decimal_point(text.strip(" $"))
    if dozens := _DOZENS.fullmatch(unboxed(text)):
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
