"""LaTeX of a model as MathML: what is known to be harmless is drawn, all else stays as typed.

MathML needs no script, so that the content policy of the pages holds. latex2mathml's own strings
are not used: they undo their escapes, and a formula could hold a script. Its tree is written out
here, with the elements and attributes that are listed and no others. Phantoms, negative spaces,
colours and links are not among them: a drawing shows all that was typed, where it was typed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element
from markupsafe import Markup, escape

# Characters of a formula, and brackets that are open at once (ours): what is longer or deeper is
# shown as it was typed. They bound the time of a drawing.
LONGEST: Final = 1_000
_DEEPEST: Final = 12
# Formulas that are drawn of one text (ours).
MOST: Final = 400
_KEPT: Final = 4_096

_PAIRS: Final = {"$$": "$$", "$": "$", r"\[": r"\]", r"\(": r"\)"}
_OPENING: Final = re.compile(
    r"(?<!\\)(\$\$|\$|\\\[|\\\(|\\begin\{((?:align|equation|gather|multline)\*?)\})"
)
_DEEPER: Final = re.compile(r"\\(?:left|begin)(?![a-zA-Z])|\\\\|\\[{}]|[{]")
_SHALLOWER: Final = re.compile(r"\\(?:right|end)(?![a-zA-Z])|\\\\|\\[{}]|[}]")
_ESCAPED: Final = frozenset((r"\\", r"\{", r"\}"))
# Words that define others, which can grow without bound, and words whose argument is not drawn.
_REFUSED: Final = re.compile(
    r"(?<!\\)%|\\(?:[egx]?def|let|(?:re|provide)?newcommand|renewcommand|providecommand|"
    r"DeclareMathOperator|newenvironment|class|style|cssId|href|url|html\w*|unicode|"
    r"includegraphics|[hmv]?phantom|(?:text|f?box)?color(?:box)?|[hm]?s(?:kip|pace)\*?|m?kern|"
    r"raise|lower|move\w+|rule|smash|[lrc]lap|mathchoice|label|up ?root|left ?root)(?![a-zA-Z])"
)
_PRINTABLE: Final = re.compile(r"[\n\t\x20-\x7e]*")
_REFERENCE: Final = re.compile(r"&#x([0-9A-Fa-f]{1,6});|&([a-z]{2,4});")
_ENTITIES: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "nbsp": "\xa0"}

_WORDS: Final = re.compile(r"[a-z-]+(?: [a-z-]+)*")
_LENGTH: Final = re.compile(r"[0-9.]+(?:em|ex|px|pt|%)?")
# What may be written, and what an attribute of it must look like.
_TAGS: Final = {
    *("math", "mrow", "mi", "mo", "mn", "mtext", "mspace", "mstyle", "menclose", "mfrac", "msqrt"),
    *("mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd"),
}
# Those that need so many parts: with fewer, a browser draws nonsense.
_PARTS: Final = {
    **dict.fromkeys(("mfrac", "mroot", "msub", "msup", "munder", "mover"), 2),
    **dict.fromkeys(("msubsup", "munderover"), 3),
}
_ATTRIBUTES: Final = {
    "display": _WORDS,
    "mathvariant": _WORDS,
    "stretchy": _WORDS,
    "fence": _WORDS,
    "form": _WORDS,
    "separator": _WORDS,
    "accent": _WORDS,
    "accentunder": _WORDS,
    "movablelimits": _WORDS,
    "largeop": _WORDS,
    "displaystyle": _WORDS,
    "scriptlevel": re.compile(r"[0-3]"),
    "columnalign": _WORDS,
    "columnlines": _WORDS,
    "rowlines": _WORDS,
    "linethickness": _LENGTH,
    "notation": _WORDS,
    "minsize": _LENGTH,
    "maxsize": _LENGTH,
    "width": re.compile(r"[0-2](?:\.[0-9]+)?em"),
}


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula in a text.

    Attributes:
        begin: Offset of its first delimiter, in characters.
        end: Offset after its last one.
        latex: What stands between them; of an environment, all of it.
        is_display: Whether it asks for a line of its own.
    """

    begin: int
    end: int
    latex: str
    is_display: bool


class _NotHarmless(Exception):
    """A tree has an element that is not on the list, or one that lacks a part."""


def formulas(text: str) -> Iterator[Formula]:
    """The formulas of a text, from its begin; time grows linearly with its length."""
    place = found = 0
    while found < MOST and (opening := _OPENING.search(text, place)):
        formula = _formula(text, opening)
        if formula is not None:
            yield formula
            found += 1
        place = formula.end if formula else opening.end()


def mathml(formula: Formula) -> Markup | None:
    """A formula as MathML; None where it has to be shown as it was typed."""
    return _drawn(formula.latex, formula.is_display)


def _formula(text: str, opening: re.Match[str]) -> Formula | None:
    mark, environment = opening.groups()
    closing = rf"\end{{{environment}}}" if environment else _PAIRS[mark]
    begin = opening.end()
    end = text.find(closing, begin, begin + LONGEST + len(closing))
    if end < 0 or not text[begin:end].strip() or "\n\n" in text[begin:end]:
        return None
    stop = end + len(closing)
    # A dollar sign may be money: as in Pandoc, those of a formula touch it, and no digit follows.
    if mark == "$" and (
        text[begin].isspace() or text[end - 1].isspace() or text[stop : stop + 1].isdigit()
    ):
        return None
    latex = text[opening.start() : stop] if environment else text[begin:end]
    return Formula(opening.start(), stop, latex, mark not in ("$", r"\("))


@lru_cache(_KEPT)
def _drawn(latex: str, is_display: bool) -> Markup | None:
    if not _PRINTABLE.fullmatch(latex) or _REFUSED.search(latex) or _depth(latex) > _DEEPEST:
        return None
    try:
        tree = convert_to_element(latex, display="block" if is_display else "inline")
        return Markup("".join(_written(tree)))
    # The library raises whatever its parser meets: KeyError, IndexError, RecursionError and more.
    except Exception:
        return None


def _depth(latex: str) -> int:
    """The most brackets that are open at once, and scripts that follow each other."""
    deepest = depth = 0
    for found in re.finditer(f"{_DEEPER.pattern}|{_SHALLOWER.pattern}", latex):
        token = found[0]
        if token not in _ESCAPED:
            depth += 1 if _DEEPER.fullmatch(token) else -1
            deepest = max(deepest, depth)
    return deepest


def _written(element: Element) -> Iterator[str]:
    if element.tag not in _TAGS or len(element) != _PARTS.get(element.tag, len(element)):
        raise _NotHarmless
    kept = "".join(
        f' {name}="{value}"'
        for name, value in element.attrib.items()
        if name in _ATTRIBUTES and _ATTRIBUTES[name].fullmatch(value)
    )
    yield f"<{element.tag}{kept}>"
    yield str(escape(_characters(element.text or "")))
    for child in element:
        yield from _written(child)
    yield f"</{element.tag}>"


def _characters(text: str) -> str:
    """The library's references as characters; the result is escaped like any text."""
    return _REFERENCE.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    code, name = found.groups()
    if name:
        return _ENTITIES.get(name, found[0])
    return chr(int(code, 16)) if int(code, 16) <= 0x10FFFF else found[0]
