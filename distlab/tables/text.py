"""Rows laid out as a table of text, for Markdown, LaTeX and pages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from distlab.tables.column import Column, Row


@dataclass(frozen=True, slots=True)
class TextTable:
    """One table as text; titles and cells are not escaped.

    Attributes:
        name: Name of its files in ``results/``.
        caption: What it shows, in one line.
        titles: The header, one title per column.
        numbers: Which columns hold figures: aligned to the right.
        rows: Cells, row by row.
        spare: Which columns can be folded away.
    """

    name: str
    caption: str
    titles: tuple[str, ...]
    numbers: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    spare: tuple[bool, ...]


def lay(name: str, caption: str, columns: Sequence[Column[Row]], rows: Iterable[Row]) -> TextTable:
    """Write out every cell."""
    return TextTable(
        name=name,
        caption=caption,
        titles=tuple(column.title for column in columns),
        numbers=tuple(column.number for column in columns),
        rows=tuple(tuple(column.text(row) for column in columns) for row in rows),
        spare=tuple(column.spare > 0 for column in columns),
    )


def lay_texts(
    name: str, caption: str, titles: Sequence[str], rows: Sequence[Sequence[str]]
) -> TextTable:
    """A table of what is text already."""
    no = (False,) * len(titles)
    return TextTable(name, caption, tuple(titles), no, tuple(tuple(row) for row in rows), no)
