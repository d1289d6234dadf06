"""Normalising of answers that `standard` and `prm800k` share: pure text, linear, no algebra."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.numerals import NUMERAL, numeral_value

_SYMBOLS = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "—": "-",
        "‐": "-",
        "‑": "-",
        "×": "\\times ",
        "⋅": "\\cdot ",
        "·": "\\cdot ",
        "÷": "/",
        "⁄": "/",
        "∕": "/",
        "π": "\\pi ",
        "∞": "\\infty ",
        "√": "\\sqrt ",
        "°": "^\\circ ",
        "≤": "\\le ",
        "≥": "\\ge ",
        "≠": "\\ne ",
        "±": "\\pm ",
        "∪": "\\cup ",
        "∩": "\\cap ",
        "∈": "\\in ",
        "∅": "\\emptyset ",
        "θ": "\\theta ",
        "α": "\\alpha ",
        "β": "\\beta ",
        "≈": "\\approx ",
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "€": "",
        "£": "",
        "¥": "",
        "₹": "",
    }
)
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# ½ and its kin, x¹⁰, x₁, √(x+1).
_VULGAR = re.compile(r"[¼½¾⅐-⅞]")
_RAISED = re.compile(r"[⁰¹²³⁴-⁹⁺⁻]+")
_LOWERED = re.compile(r"[₀-₉]+")
_ROOT = re.compile(r"√\s?\(([^()]{1,80})\)")

_THOUSANDS = re.compile(r"(?<=[0-9])(?:\{,\}|,?\\!(?:\s*\\!)*|,\s?\\!|\\,)\s*(?=[0-9]{3}(?![0-9]))")
_SPACING = re.compile(
    r"(?<!\\)\\(?:[,;:! ]|q?quad\b|displaystyle\b|textstyle\b|limits\b|left\b|right\b"
    r"|[bB]igg?[lrm]?(?![A-Za-z]))|~|\\(?=\n|\Z)"
)
# Not the ** of a power.
BOLD = r"(?<![0-9)])(?<!\b[A-Za-z])\*\*|\*\*(?![0-9(])"
_DELIMITER = re.compile(r"(?<!\\)\\[()\[\]]|\\?\$|__|`|" + BOLD)
_BOX = re.compile(r"\\(?:boxed|fbox)\s*(?=\{)")
_FRAC = re.compile(r"\\[dtc]frac(?![A-Za-z])")
_FRAC_ARGS = re.compile(r"\\frac\s*([0-9A-Za-z]|\{[^{}]*\})\s*([0-9A-Za-z](?![0-9])|\{[^{}]*\})")
_FRAC_DIGITS = re.compile(r"\\frac\s*([0-9])([0-9])(?![0-9])")
_SQRT_ARG = re.compile(r"\\sqrt\s*([0-9]+|[A-Za-z])")
_DEGREE = re.compile(r"\^\s*(?:\{\s*\\circ\s*\}|\\circ\b)|\\degree\b|\\circ\b")
# \boxed{1} and \boxed{2}, without what encloses it: a list.
_BOXES = re.compile(r"\}\s?\$?[\s,]{0,2}(?:and|or|,)\s{0,2}\$?\s?\\f?boxed\s?\{")
_ANSWER = re.compile(
    r"\A\s*(?:\\text(?:bf)?\s*\{\s*)?(?:the\s)?(?:final\s)?answer(?:\sis\b|\s?[:=])\s*:?\s*\}?",
    re.IGNORECASE,
)
_MINUS_WORD = re.compile(r"\A(\s*)(?:minus|negative)\s+(?=[0-9\\$.])", re.IGNORECASE)
# $70k
_SHORT = re.compile(r"(?<=\$)\s?([0-9]{1,9}(?:\.[0-9]{1,6})?)\s?(k|K|M|[bB]n|B|mn)\b")
_SHORT_WORDS = {"k": "thousand", "m": "million", "b": "billion"}
# 1.234.567 and 1.234,50; 1'234'567; 1_234_567; 12,34,567.
_DOTTED = re.compile(
    r"(?<![0-9.,])([0-9]{1,3}(?:\.[0-9]{3})+),([0-9]{1,2})(?![0-9.,])"
    r"|(?<![0-9.,])([0-9]{1,3}(?:\.[0-9]{3}){2,})(?![0-9,]|\.[0-9])"
)
_TICKED = re.compile(r"(?<![\w'.])[0-9]{1,3}(?:(?:'[0-9]{3})+|(?:_[0-9]{3}){2,})(?![\w'])")
_INDIAN = re.compile(r"(?<![\w,.])[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?![\w,])")
# The height of a matrix row.
_ROW = re.compile(r"\\\\\[\s?-?[0-9.]{1,5}\s?(?:pt|em|ex|mm|cm)\s?\]")
# \text{1 and 2}: words within a text box that join two numbers.
_TEXT_BOX = re.compile(r"\\(?:text|mbox|textrm|mathrm)\s*\{([^{}]*)\}")
_JOINS = re.compile(r"\s(?:and|or)\s|,\s")
# 5 \text{ hours and } 3, 5 \text{ feet } 3: two numbers.
_TEXT_AND = re.compile(
    r"(?<=[0-9])\s*\\(?:text|mbox|textrm|mathrm)\s*\{[^{}]*[A-Za-z][^{}]*\}\s*(?=[0-9])"
)
_OPTION_WORD = re.compile(r"\A\s*(?:option|choice)\s+(?=\(?[A-J]\b)", re.IGNORECASE)
_PLAIN_ROOT = re.compile(r"(?<![\\A-Za-z])sqrt\s?\(([^()]{1,60})\)")
_PLAIN_PI = re.compile(r"(?<![\\A-Za-z])pi\b")
_OVER = re.compile(r"\{([^{}]{1,60})\\over(?![A-Za-z])([^{}]{1,60})\}")
_CONJUNCTION = re.compile(
    r"\s*,?\s*(?:\\(?:text|mbox|textrm|mathrm)\s*\{\s*(?:,?\s*(?:and|or)\s*,?|,)\s*\}"
    r"|(?<=[\s\d)\]}])(?:and|or)(?=[\s\d(\[\\{$-]))\s*",
)
_TEXT = re.compile(
    r"\\(?:text(?:bf|rm|it|sf|tt|normal)?|mbox|mathrm|mathbf|mathit|mathsf|operatorname|hbox|rm)"
    r"\s*\{([^{}]*)\}"
)
# \text{A, D}: a list in a box of its own.
LETTERS = re.compile(
    r"\\(?:text(?:bf|rm|it)?|mbox|mathrm)\s*\{\s*([A-Za-z](?:\s*,\s*[A-Za-z])+)\s*\}"
)
_UNIT_TAIL = re.compile(
    r"(?<=[0-9A-Za-z)}\]!])\s*(?:\\(?:text(?:bf|rm|it|normal)?|mbox|mathrm|hbox|operatorname)\s*"
    r"\{[^{}]*[A-Za-z%][^{}]*\}\s*(?:\^\s*(?:\{\s*-?[0-9]\s*\}|[0-9]))?[\s./]*)+\Z"
)
_MERIDIEM = re.compile(
    r"([0-9])\s*(?:\\(?:text|mbox|textrm|mathrm)\s*\{\s*([APap])\.?\s?[Mm]\b\.?\s*\}"
    r"|([APap])\.?\s?[Mm]\b\.?)"
)
WORD_TAIL = re.compile(
    r"(?<=[0-9}])(?:\s*(?!(?:pi|sqrt|sin|cos|tan|log|ln|exp|times|cdot|cup|if|x|i|mod|[ap]m)\b)"
    r"(?:[A-Za-z]{2,20}|per\s[a-z]|\sm(?=[\^][23]))\.?(?:[\^][23])?[\s/,]{0,2}){1,8}\Z"
)
_NUMERAL = re.compile(rf"\A({NUMERAL.pattern})(?:\s[A-Za-z ]{{1,60}})?\Z", re.IGNORECASE)
_ZEROS = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_LARGE = re.compile(
    r"([0-9]{1,12}(?:,[0-9]{3})*(?:\.[0-9]{1,15})?)\s*(?:\\(?:text|mbox)\s*\{\s*)?"
    r"(thousand|million|billion|trillion)\b(?:\s*\})?",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"\A(?:an?|the)\s+(?=[A-Za-z]{2})", re.IGNORECASE)


_NAME = re.compile(
    r"\s*(?:\\text\s*\{[^{}]*\}|(?:\\angle\s*)?\\?[A-Za-z]{1,12}(?:_(?:\{[^{}]*\}|\w))?"
    r"(?:\s*\([A-Za-z0-9, ]*\))?|\\(?:m|measured)?angle\s*[A-Z]{1,3})\s*"
    r"(?:=|\\in\b|\\approx\b|\\equiv\b)(?!=)\s*"
)
_MIXED = re.compile(
    r"(?<![\w.}])(-?)([0-9]{1,15})(?:\s*\\frac\{\s*([0-9]{1,15})\s*\}\{\s*([0-9]{1,15})\s*\}"
    r"|\s+([0-9]{1,15})/([0-9]{1,15})(?![\w/]))"
)
MODULO = re.compile(
    r"\s*(?:\\pmod\s*(?:\{[^{}]*\}|[0-9])|\(\s*\\?(?:text\{\s?)?mod\b[^()]{0,20}\)|\\b?mod\b.{0,20})\Z"
)
_ATOM = re.compile(r"[0-9]+(?:\.[0-9]+)?|[A-Za-z]|\\[A-Za-z]+|\\sqrt(?:\[[^\[\]]*\])?\{[^{}]*\}")
_PRODUCT = re.compile(r"[^-+=,<>]+|-[^-+=,<>]+")
_POWER = re.compile(r"([\^_])\s*(\\(?!frac|sqrt)[A-Za-z]+|[0-9]+|[A-Za-z*'])")
_COEFFICIENT = re.compile(
    r"\(([0-9]{1,30})/([0-9]{1,30})\)((?:\\sqrt\{[^{}]*\}|\\pi|[a-z](?:\^\{[0-9]+\})?)+)(?![\w(\\^/{])"
)
_AFTER_FRACTION = re.compile(
    r"\Z|[-+=,)\]}&<>%*]|\\(?:[\\}%]|(?:cup|cap|pm|mp|end|leq?|geq?|lt|gt|neq?|text|in)(?![A-Za-z]))"
)
_IDLE_BRACES = re.compile(r"(?<![\^_A-Za-z\]}\\])\{([0-9]+)\}")
_TIMES = re.compile(r"(?<![0-9])\*|\*(?![0-9])")
_SPACED_THOUSANDS = re.compile(r"[0-9]{1,3}(?: [0-9]{3})+(?:\.[0-9]+)?")
_COMMA_THOUSANDS = re.compile(
    r"(\A|(?<=[-+*/\s=]))([0-9]{1,3}(?:,[0-9]{3})+)(?![0-9,])(?!\s*[)\]])"
)


class Item(NamedTuple):
    """One value of an answer, normalised.

    Attributes:
        name: What the value is said to be of ("x" in "x = 5"), or "".
        body: The value, without white space.
    """

    name: str
    body: str


def visible(text: str) -> str:
    """``text`` without control, format (bidi, zero-width), private and surrogate characters."""
    if text.isascii() and text.isprintable():
        return text
    kept = (
        character
        for character in text
        if character in "\n\t" or unicodedata.category(character) not in _INVISIBLE
    )
    return _typed_out("".join(kept)).translate(_SYMBOLS)


def _typed_out(text: str) -> str:
    """Fractions, powers, indices and roots that are characters of their own, as LaTeX."""
    text = _VULGAR.sub(_vulgar, text)
    text = _RAISED.sub(lambda m: f"^{_braced(_compatible(m[0]))}", text)
    text = _LOWERED.sub(lambda m: f"_{_braced(_compatible(m[0]))}", text)
    return _ROOT.sub(r"\\sqrt{\1}", text)


def _vulgar(match: re.Match[str]) -> str:
    upper, _, lower = _compatible(match[0]).partition("⁄")
    return f"\\frac{{{upper}}}{{{lower}}}"


def _braced(text: str) -> str:
    return text if len(text) == 1 else f"{{{text}}}"


def _compatible(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("−", "-")


def spelled(text: str) -> str:
    r"""``text`` in the one spelling that parsers know: what models write otherwise.

    Visible characters alone; boxes that are joined, and words in a box that join numbers, are a
    list; "Answer:" goes; "minus 5" is -5; $70k and 1.5 million are written out; 1.234,50,
    1'234'567, 1_234_567 and ``1\,234`` are numbers; ``{a \over b}`` is a fraction,
    sqrt(2) and pi are LaTeX.
    """
    text = visible(text)
    if text.isdigit():
        return text
    text = _PLAIN_PI.sub(r"\\pi ", _PLAIN_ROOT.sub(r"\\sqrt{\1}", in_digits(text)))
    text = _BOXES.sub(", ", text.replace("\\textdollar", "\\$"))
    text = _OPTION_WORD.sub("", _ANSWER.sub("", text))
    text = _MINUS_WORD.sub(r"\1-", _TEXT_BOX.sub(_opened, text))
    text = _OVER.sub(r"\\frac{\1}{\2}", _TEXT_AND.sub(", ", _ROW.sub(r"\\\\ ", text)))
    text = _SHORT.sub(lambda m: f"{m[1]} {_SHORT_WORDS[m[2][0].lower()]}", text)
    text = _DOTTED.sub(_undotted, text)
    text = _TICKED.sub(lambda m: re.sub("['_]", "", m[0]), text)
    return _LARGE.sub(_written_out, _THOUSANDS.sub("", text))


def _opened(box: re.Match[str]) -> str:
    """What a text box holds, if that is several numbers."""
    parts = _JOINS.split(box[1])
    numbers = [part for part in parts if any(character.isdigit() for character in part)]
    return box[1] if len(numbers) > 1 else box[0]


def _undotted(match: re.Match[str]) -> str:
    if match[3]:
        return match[3].replace(".", "")
    return f"{match[1].replace('.', '')}.{match[2]}"


def undressed(text: str) -> str:
    """``text`` without markup around and spacing inside its values; "and" and "or" are commas."""
    text = spelled(text)
    if text.isdigit():
        return text
    text = _MERIDIEM.sub(lambda m: f"{m[1]}{(m[2] or m[3]).lower()}m", text)
    text = _BOX.sub("", _DELIMITER.sub("", text))
    text = _SPACING.sub(" ", text)
    text = LETTERS.sub(r"\1", _CONJUNCTION.sub(", ", text))
    return _DEGREE.sub("", text).lstrip(" \t\n,;:\"'").rstrip(" \t\n.,;:?\"'")


def _written_out(match: re.Match[str]) -> str:
    """1.5 million as 1500000, by moving the decimal point."""
    whole, _, places = match[1].replace(",", "").partition(".")
    zeros = _ZEROS[match[2].lower()]
    if len(places) > zeros:
        return f"{whole}{places[:zeros]}.{places[zeros:]}"
    return f"{whole}{places.ljust(zeros, '0')}".lstrip("0") or "0"


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
    return readings(gold.text)[:1]


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
    text = MODULO.sub("", text) or text
    text = WORD_TAIL.sub("", _UNIT_TAIL.sub("", text)) or text
    text = _ARTICLE.sub("", _TEXT.sub(r"\1", text).strip(" ,;:\n\t").rstrip("."))
    text = _unbracketed(text)
    text = _NUMERAL.sub(_digits, text)
    if _SPACED_THOUSANDS.fullmatch(text):
        text = text.replace(" ", "")
    label = re.sub(r"[\s=]|\\in\b|\\text|[{}]", "", name[0]) if name else ""
    return Item(label, _algebra(text))


def _unbraced(text: str) -> str:
    """Without braces that enclose all of it."""
    while len(text) > 1 and text[0] == "{" and _closes(text, 0) == len(text) - 1:
        text = text[1:-1].strip()
    return text


def _unbracketed(text: str) -> str:
    """Without parentheses that enclose all of one value."""
    if text[:1] != "(" or _closes(text, 0) != len(text) - 1:
        return text
    inner = text[1:-1].strip()
    return inner if len(split(inner)) == 1 and "," not in inner[-1:] else text


def _closes(text: str, at: int) -> int:
    """The offset of the bracket that closes the one at ``at``, or -1."""
    depth = 0
    for index in range(at, len(text)):
        if text[index] in "([{":
            depth += 1
        elif text[index] in ")]}":
            depth -= 1
            if depth == 0:
                return index
    return -1


def _algebra(text: str) -> str:
    """Fractions as a/b, roots and powers with braces, no white space, no idle signs."""
    text = _FRAC.sub(r"\\frac", text.replace("**", "^"))
    text = _FRAC_DIGITS.sub(r"\\frac{\1}{\2}", text)
    text = _SQRT_ARG.sub(r"\\sqrt{\1}", text)
    text = _MIXED.sub(_improper, text)
    text = _POWER.sub(r"\1{\2}", re.sub(r"\\(?:cdot|times)(?![A-Za-z])", "*", text))
    text = re.sub(r"\s+", "", re.sub(r"(\\[A-Za-z]+)\s+(?=[A-Za-z])", r"\1{}", text))
    text = _fractions(text.replace("\\varnothing", "\\emptyset"))
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
        elif before[-1:] == "/" or before[-1:].isalnum() or not _AFTER_FRACTION.match(after):
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


def in_digits(text: str) -> str:
    r"""``text`` in digits where it is a number in words: ``\text{five}``, "five cm"."""
    word = _NUMERAL.match(_TEXT.sub(r"\1", text).strip())
    return _digits(word) if word else text


def _digits(match: re.Match[str]) -> str:
    """A number in words, maybe with a unit behind it, in digits."""
    return str(numeral_value(match[1]))


def _argument(text: str, at: int) -> tuple[str, int] | None:
    """The LaTeX argument at ``at`` and how many characters it takes."""
    if at >= len(text):
        return None
    if text[at] != "{":
        return text[at], 1
    close = _closes(text, at)
    return (text[at + 1 : close], close + 1 - at) if close > 0 else None
