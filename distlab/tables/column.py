"""A column: its title, and what it says of a row."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")
# A column of what several rows have in common serves each of them.
Row_contra = TypeVar("Row_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Column(Generic[Row_contra]):
    """One column.

    Attributes:
        title: The header, not yet escaped.
        text: A row to the text of its cell, not yet escaped.
        number: Aligned to the right; holds figures that ``figures`` wrote, so nothing to escape.
        spare: Left out where there is no room, columns with the highest first; 0 never. A page
            folds every such column away.
        stays: In the table even where every row has the same text, which else moves into the title.
    """

    title: str
    text: Callable[[Row_contra], str]
    number: bool = True
    spare: int = 0
    stays: bool = False


# The columns of a table, from the left.
Columns = tuple[Column[Row], ...]


def label(
    title: str, text: Callable[[Row], str], spare: int = 0, *, stays: bool = False
) -> Column[Row]:
    """A column of text."""
    return Column(title, text, number=False, spare=spare, stays=stays)
