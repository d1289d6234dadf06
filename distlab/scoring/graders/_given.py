"""What an answer may be read as, given the gold: beside its plain reading, what it says twice."""

import re

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.graders._match import same_numbers
from distlab.scoring.graders._text import Item, item, readings, undressed

# A left side that names what was asked for, without white space: a+b, 2+3, |z|, (x,y), [ABC].
_ASKED = re.compile(
    r"[-+*/()0-9.!]{1,40}|[A-Za-z](?:[-+*/]?[A-Za-z]){0,6}|\|[A-Za-z]\||\[[A-Z]{3,6}\]"
    r"|\([A-Za-z](?:,[A-Za-z]){1,4}\)|[A-Za-z]/[A-Za-z]"
)
_OPTION = re.compile(
    r"(?:(?i:option|choice|graph|figure|statement|case|answer)\s)?(?:\\text(?:bf)?\s*\{\s*)?"
    r"(?:(?i:option|choice|graph|figure|statement|case)\s)?"
    r"(?P<bracket>\()?(?P<letter>[A-J])(?(bracket)\)|[).:]?)"
    r"(?:\s*\}?|(?:\s*\}\s*|\s+)(?P<rest>[-0-9\\(].{0,200}))",
    re.DOTALL,
)


def answers(text: str, gold: Gold) -> tuple[tuple[Item, ...], ...]:
    r"""The readings of an answer to ``gold``.

    Beside those of :func:`readings`, where the gold is one value: one number said twice ("3/4 or
    0.75"); what stands before ``\approx``; the right side of an equation, where the gold is none
    and the left side names what was asked for ("a+b = 5", "2+3 = 5", "|z| = 5", "(x,y) = (3,4)");
    the letter of an option and what stands beside it ("(B) 5", "option B").
    """
    plain = readings(text)
    if gold.kind is GoldKind.LIST:
        return plain
    first, *others = plain[0] or (Item("", ""),)
    if others:
        same = all(same_numbers(first.body, other.body) for other in others)
        return (*plain, (first,)) if same else plain
    more = _option(undressed(text))
    exact, approx, _ = first.body.partition("\\approx")
    if approx and exact:
        more.append(Item(first.name, exact))
    left, equals, right = first.body.rpartition("=")
    if equals and "=" not in gold.text and all(_ASKED.fullmatch(one) for one in left.split("=")):
        more.append(Item("", right))
    return (*plain, *((one,) for one in more))


def _option(text: str) -> list[Item]:
    option = _OPTION.fullmatch(text)
    if option is None:
        return []
    return [Item("", option["letter"]), *([item(option["rest"])] if option["rest"] else [])]
