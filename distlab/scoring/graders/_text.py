"""Normalising of answers that `standard` and `prm800k` share: pure text, linear, no algebra."""

import re
from functools import lru_cache
from typing import NamedTuple

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.graders._characters import one_space
from distlab.scoring.graders._spelling import (
    BOLD,
    closing,
    decimal_point,
    in_digits,
    spelled,
    unboxed,
)

_SPACING = re.compile(
    r"(?<!\\)\\(?:[,;:! ]|q?quad\b|displaystyle\b|textstyle\b|limits\b|left\b|right\b"
    r"|[bB]igg?[lrm]?(?![A-Za-z]))|~|\\(?=\n|\Z)"
)
_DELIMITER = re.compile(r"(?<!\\)\\[()\[\]]|\\?\$|__|`|" + BOLD)
_BOX = re.compile(r"\\(?:boxed|fbox)\s?(?=\{)")
_FRAC = re.compile(r"\\[dtc]frac(?![A-Za-z])")
_FRAC_DIGITS = re.compile(r"\\frac\s?([0-9])([0-9])(?![0-9])")
_SQRT_ARG = re.compile(r"\\sqrt\s?([0-9]+|[A-Za-z])")
_DEGREE = re.compile(r"\^\s?(?:\{\s?\\circ\s?\}|\\circ\b)|\\degree\b|\\circ\b")
_INDIAN = re.compile(r"(?<![\w,.])[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?![\w,])")
_CONJUNCTION = re.compile(
    r"\s?,?\s?(?:\\(?:text|mbox|textrm|mathrm)\s?\{\s?(?:,?\s?(?:and|or)\s?,?|,)\s?\}"
    r"|(?<=[\s\d)\]}])(?:and|or)(?=[\s\d(\[\\{$-]))\s?",
)
# \text{A, D}: a list in a box of its own.
LETTERS = re.compile(
    r"\\(?:text(?:bf|rm|it)?|mbox|mathrm)\s?\{\s?([A-Za-z](?:\s?,\s?[A-Za-z])+)\s?\}"
)
_UNIT_TAIL = re.compile(
    r"(?<=[0-9A-Za-z)}\]!])\s?(?:\\(?:text(?:bf|rm|it|normal)?|mbox|mathrm|hbox|operatorname)\s?"
    r"\{[^{}A-Za-z%]*+[A-Za-z%][^{}]*+\}\s?(?:\^\s?(?:\{\s?-?[0-9]\s?\}|[0-9]))?[\s./]{0,4}+){1,8}\Z"
)
_MERIDIEM = re.compile(
    r"([0-9])\s?(?:\\(?:text|mbox|textrm|mathrm)\s?\{\s?([APap])\.?\s?[Mm]\b\.?\s?\}"
    r"|([APap])\.?\s?[Mm]\b\.?)"
)
# Words behind a number that are no unit: functions, operators, products of variables, and what
# makes another number.
_NO_UNIT = (
    r"(?!(?:pi|sqrt|sin|cos|tan|log|ln|exp|times\s?\S|cdot|cup|if|x|i|mod|[ap]m"
    r"|d[tuvwxyz]|[xyz]{2,3}|[a-oq-z]x|x[a-z]|ab|bc|ac|pq|plus|minus|point|over|squared|cubed|factorial|base)\b|and\s(?:an?|one|two|three|half)\b)"
)
_UNIT_WORD = (
    rf"{_NO_UNIT}(?:[A-Za-z]{{2,20}}(?![A-Za-z])|per\s[a-z](?![a-z])|m(?=/s\b|[\^][23]))"
    r"\.?(?:[\^][23])?"
)
WORD_TAIL = re.compile(
    rf"(?<=[0-9}}])\s?(?!and\b){_UNIT_WORD}"
    rf"(?:[\s/,]{{0,2}}+(?:{_UNIT_WORD}|(?<=/)[a-z](?![A-Za-z])(?:[\^][23])?)){{0,7}}[\s/,]{{0,2}}\Z"
)
_ARTICLE = re.compile(r"\A(?:an?|the)\s(?=[A-Za-z]{2})", re.IGNORECASE)


_NAME = re.compile(
    r"\s?(?:\\text\s?\{[^{}]*\}|(?:\\angle\s?)?\\?[A-Za-z]{1,12}(?:_(?:\{[^{}]*\}|\w))?"
    r"(?:\s?\([A-Za-z0-9, ]*\))?|\\(?:m|measured)?angle\s?[A-Z]{1,3})\s?"
    r"(?:=|\\in\b|\\approx\b|\\equiv\b)(?!=)\s?"
)
_MIXED = re.compile(
    r"(?<![\w.}])(-?)([0-9]{1,15})(?:\s?\\frac\{\s?([0-9]{1,15})\s?\}\{\s?([0-9]{1,15})\s?\}"
    r"|\s([0-9]{1,15})/([0-9]{1,15})(?![\w/]))"
)
MODULO = re.compile(
    r"\s?(?:\\pmod\s?(?:\{[^{}]*\}|[0-9])|\(\s?\\?(?:text\{\s?)?mod\b[^()]{0,20}\)|\\b?mod\b.{0,20})\Z"
)
_ATOM = re.compile(r"[0-9]+(?:\.[0-9]+)?|[A-Za-z]|\\[A-Za-z]+|\\sqrt(?:\[[^\[\]]*\])?\{[^{}]*\}")
_PRODUCT = re.compile(r"-?(?:(?!\\(?:pm|mp)(?![A-Za-z]))[^-+=,<>])++")
_POWER = re.compile(r"([\^_])\s?(\\(?!frac|sqrt)[A-Za-z]+|[0-9]+|[A-Za-z*'])")
_COEFFICIENT = re.compile(
    r"\(([0-9]{1,30})/([0-9]{1,30})\)((?:\\sqrt\{[^{}]*\}|\\pi|[a-z](?:\^\{[0-9]+\})?)+)(?![\w(\\^/{])"
)
_ROUND_ROOT = re.compile(r"\\sqrt\{\(([^(){}]{1,60})\)\}")
_HALF_POWER = re.compile(r"(?<![\w.}])([0-9]{1,15}|[a-z])\^\{(?:1/2|\(1/2\)|0?\.5)\}")
_AFTER_FRACTION = re.compile(
    r"\Z|[-+=,)\]}&<>%*]|\\(?:[\\}%]|(?:cup|cap|pm|mp|end|leq?|geq?|lt|gt|neq?|text|in)(?![A-Za-z]))"
)
_BEFORE_FACTOR = re.compile(r"(?:/|(?<!\\pm)(?<!\\mp)(?<=[^\W_]))\Z")
_IDLE_BRACES = re.compile(r"(?<![\^_A-Za-z\]}\\])\{([0-9]+)\}")
_TIMES = re.compile(r"(?<![0-9])\*|\*(?![0-9])")
_SPACED_THOUSANDS = re.compile(r"[0-9]{1,3}(?: [0-9]{3})+(?:\.[0-9]+)?")
_COMMA_THOUSANDS = re.compile(
    r"(\A|(?<=[-+*/\s=]))([0-9]{1,3}(?:,[0-9]{3})+)(?![0-9,])(?!\s?[)\]])"
)


class Item(NamedTuple):
    """One value of an answer, normalised.

    Attributes:
        name: What the value is said to be of ("x" in "x = 5"), or "".
        body: The value, without white space.
        unit: What was dropped of it as a unit, as it was written, or "".
    """

    name: str
    body: str
    unit: str = ""


@lru_cache(maxsize=4096)
def undressed(text: str) -> str:
    """``text`` without markup around and spacing inside its values; "and" and "or" are commas."""
    text = spelled(text)
    if text.isdigit():
        return text
    text = _MERIDIEM.sub(lambda m: f"{m[1]}{(m[2] or m[3]).lower()}m", text)
    text = _BOX.sub("", _DELIMITER.sub("", text))
    text = _SPACING.sub(" ", text)
    text = LETTERS.sub(r"\1", _CONJUNCTION.sub(", ", one_space(text)))
    return text.lstrip(" \t\n,;:\"'=").rstrip(" \t\n.,;:?\"'")


def split(text: str, separator: str = ",") -> list[str]:
    """The parts of ``text`` between separators that stand in no bracket; empty parts dropped."""
    parts: list[str] = []
    depth = start = 0
    for at, character in enumerate(text):
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == separator and depth <= 0:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return [part for part in (part.strip() for part in parts) if part]


@lru_cache(maxsize=4096)
def readings(text: str) -> tuple[tuple[Item, ...], ...]:
    """The lists of values that ``text`` can be read as.

    One, but for commas between groups of three digits: "100,200" is a number first, a list
    second.
    """
    text = undressed(text)
    joined = _COMMA_THOUSANDS.sub(lambda m: m[2].replace(",", ""), text)
    joined = joined_groups(joined)
    texts = (joined,) if joined == text else (joined, text)
    return tuple(tuple(item(part) for part in split(each)) for each in texts)


@lru_cache(maxsize=4096)
def golds(gold: Gold) -> tuple[tuple[Item, ...], ...]:
    """The readings of a gold: one where its values are told apart already."""
    if gold.kind is GoldKind.LIST:
        return (tuple(each for part in gold.items for each in readings(part)[0]),)
    return readings(gold_text(gold))[:1]


def gold_text(gold: Gold) -> str:
    """The text of a gold; one number has a decimal point, where commas may else part a list."""
    return decimal_point(gold.text) if gold.kind is GoldKind.NUMBER else gold.text


def item(text: str) -> Item:
    """One value, normalised: see the steps in ``Standard``."""
    text = _unbraced(text.strip(" \t\n,;:").rstrip("."))
    if text.isdigit():
        return Item("", text)
    name = _NAME.match(text)
    if name and name.end() < len(text) and "=" not in text[name.end() :]:
        text = text[name.end() :]
    else:
        name = None
    measured = MODULO.sub("", text) or text
    text = WORD_TAIL.sub("", _UNIT_TAIL.sub("", _DEGREE.sub("", measured))) or measured
    unit = measured.removeprefix(text)
    text = _ARTICLE.sub("", unboxed(text).strip(" ,;:\n\t").rstrip("."))
    text = _unbracketed(text)
    text = in_digits(text)
    if _SPACED_THOUSANDS.fullmatch(text):
        text = text.replace(" ", "")
    label = re.sub(r"[\s=]|\\in\b|\\text|[{}]", "", name[0]) if name else ""
    return Item(label, _algebra(text), unit)


def _unbraced(text: str) -> str:
    """Without braces that enclose all of it."""
    while len(text) > 1 and text[0] == "{" and closing(text, 0) == len(text) - 1:
        text = text[1:-1].strip()
    return text


def _unbracketed(text: str) -> str:
    """Without parentheses that enclose all of one value."""
    if text[:1] != "(" or closing(text, 0) != len(text) - 1:
        return text
    inner = text[1:-1].strip()
    return inner if len(split(inner)) == 1 and "," not in inner[-1:] else text


def _algebra(text: str) -> str:
    """Fractions as a/b, roots and powers with braces, no white space, no idle signs."""
    text = _FRAC.sub(r"\\frac", text.replace("**", "^"))
    text = _FRAC_DIGITS.sub(r"\\frac{\1}{\2}", text)
    text = _SQRT_ARG.sub(r"\\sqrt{\1}", text)
    text = _MIXED.sub(_improper, text)
    text = _POWER.sub(r"\1{\2}", re.sub(r"\\(?:cdot|times)(?![A-Za-z])", "*", text))
    text = re.sub(r"\s+", "", re.sub(r"(\\[A-Za-z]+)\s+(?=[A-Za-z])", r"\1{}", text))
    text = _fractions(text.replace("\\varnothing", "\\emptyset"))
    text = _HALF_POWER.sub(r"\\sqrt{\1}", _ROUND_ROOT.sub(r"\\sqrt{\1}", text))
    text = _IDLE_BRACES.sub(r"\1", _COEFFICIENT.sub(_one_fraction, text))
    return _TIMES.sub("", text).replace("{}", "").removeprefix("+")


def _improper(match: re.Match[str]) -> str:
    sign, whole, upper, lower = match[1], match[2], match[3] or match[5], match[4] or match[6]
    if not 0 < int(upper) < int(lower):
        return match[0]
    return f"{sign}{int(whole) * int(lower) + int(upper)}/{int(lower)}"


def _fractions(text: str) -> str:
    r"""``\frac{a}{b}`` as a/b, innermost first, with brackets where they are needed."""
    while (at := text.rfind("\\frac")) >= 0:
        upper = _argument(text, at + 5)
        lower = _argument(text, at + 5 + upper[1]) if upper else None
        if upper is None or lower is None:
            return text
        above = upper[0] if _PRODUCT.fullmatch(upper[0]) else f"({upper[0]})"
        below = lower[0] if _ATOM.fullmatch(lower[0]) else f"({lower[0]})"
        before, after = text[:at], text[at + 5 + upper[1] + lower[1] :]
        whole = f"{above}/{below}"
        if before.endswith(("^", "_", "\\sqrt")):
            whole = f"{{{whole}}}"
        elif _BEFORE_FACTOR.search(before) or not _AFTER_FRACTION.match(after):
            whole = f"({whole})"
        text = f"{before}{whole}{after}"
    return text


def _one_fraction(match: re.Match[str]) -> str:
    r"""(3/4)\pi as 3\pi/4."""
    upper = "" if match[1] == "1" else match[1]
    return f"{upper}{match[3]}/{match[2]}"


def joined_groups(text: str) -> str:
    """``text`` without the separators in "12,34,567" and, where it is nothing else, "1 234 567"."""
    text = _INDIAN.sub(lambda m: m[0].replace(",", ""), text)
    return text.replace(" ", "") if _SPACED_THOUSANDS.fullmatch(text.strip()) else text


def _argument(text: str, at: int) -> tuple[str, int] | None:
    """The LaTeX argument at ``at`` and how many characters it takes."""
    if at >= len(text):
        return None
    if text[at] != "{":
        return text[at], 1
    close = closing(text, at)
    return (text[at + 1 : close], close + 1 - at) if close > 0 else None
