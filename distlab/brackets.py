"""Brackets in text that nobody checked: what stands inside which, and where a TeX group ends."""

import re
from collections.abc import Iterator

_OPENING, _CLOSING = "([{", ")]}"
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)


def nesting(text: str, start: int = 0) -> Iterator[tuple[int, str, int]]:
    r"""Each character from ``start`` on, with the number of brackets that are open around it.

    Any closing bracket closes any opening one, as in ``[0, 1)``; one that closes nothing is passed
    over. ``\{`` is a bracket, as in ``\{1, 2\}``. A bracket stands in those around its pair.

    Yields:
        Offset, character, depth.
    """
    depth = 0
    for at in range(start, len(text)):
        character = text[at]
        if character in _CLOSING and depth:
            depth -= 1
        yield at, character, depth
        if character in _OPENING:
            depth += 1


def depth(text: str) -> int:
    """The most brackets that are open at once, counted as ``nesting`` does."""
    around = (count for _, character, count in nesting(text) if character in _OPENING)
    return max(around, default=-1) + 1


def group_end(text: str, start: int, end: int | None = None) -> int:
    r"""The offset of the brace that ends the TeX group which begins at ``start``, or -1.

    ``\{`` and ``\}`` are characters, not the braces of a group.

    Args:
        text: Any text.
        start: Offset of the opening brace.
        end: Where to stop looking; None for the end of the text.
    """
    depth = 0
    for brace in _BRACE.finditer(text, start, len(text) if end is None else end):
        if brace[0] == "{":
            depth += 1
        elif brace[0] == "}":
            depth -= 1
            if depth == 0:
                return brace.start()
    return -1
