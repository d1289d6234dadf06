r"""Golds in LaTeX: the last ``\boxed`` of a solution, and golds that list several values."""

import re

from distlab.brackets import group_end, nesting
from distlab.problems.problem import Gold, GoldKind

# "10,000", "\$115,000", "111, \! 111": one number with separators, no list.
_SEPARATED = re.compile(r"-?(?:\\?\$)?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SPACING = re.compile(r"\\[!,:; ]|\s")
_AND = re.compile(r"\s*(?:,\s*)?\\text\s*\{\s*(?:and|or)\s*\}\s*|\s+or\s+")


def last_boxed(solution: str) -> str | None:
    r"""What the last ``\boxed{...}`` (or ``\fbox{...}``) holds, braces nested; None without one."""
    start = max(solution.rfind("\\boxed"), solution.rfind("\\fbox"))
    if start < 0:
        return None
    opening = solution.find("{", start)
    if opening < 0 or solution[start:opening].strip() not in ("\\boxed", "\\fbox"):
        return None
    end = group_end(solution, opening)
    return None if end < 0 else solution[opening + 1 : end]


def latex_gold(text: str) -> Gold:
    r"""A gold as MATH and MATH-Perturb write it: ``LIST`` where it names several values.

    "1,-2", "0 or 4" and "12\text{ and }13" are lists; "(1,2)", "[0,\infty)" and "10,000" are not
    (ours: the sets have no such field).
    """
    items = tuple(
        item for part in _AND.split(text) for item in _split_commas(part) if not _is_blank(item)
    )
    if len(items) < 2:
        return Gold(GoldKind.LATEX, text)
    return Gold(GoldKind.LIST, text, items=items)


def _split_commas(text: str) -> tuple[str, ...]:
    r"""Split at commas outside of brackets; ``\,`` is a space, not a comma."""
    if _SEPARATED.fullmatch(_SPACING.sub("", text)):
        return (text.strip(),)
    parts, start = [], 0
    for position, sign, depth in nesting(text):
        if sign == "," and depth == 0 and text[position - 1 : position] != "\\":
            parts.append(text[start:position].strip())
            start = position + 1
    return (*parts, text[start:].strip())


def _is_blank(text: str) -> bool:
    return not _SPACING.sub("", text)
