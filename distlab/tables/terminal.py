"""A table on a terminal: figures are never cut, whatever its width."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from distlab.escape import terminal
from distlab.tables.column import Column, Row

# Characters that a name keeps at the least where it is shortened (ours).
_SHORTEST_NAME: Final = 8
# Between columns, and at either end of a line, as box.SIMPLE_HEAD draws them.
_GUTTER, _ENDS = 1, 2
# Where a header is broken: a sign stays with its number, as in "(95 %)".
_WORDS: Final = re.compile(" (?!%)")


@dataclass(frozen=True, slots=True)
class _Laid(Generic[Row]):
    """A column with its cells as they are shown."""

    column: Column[Row]
    header: str
    cells: tuple[str, ...]

    @property
    def width(self) -> int:
        return max(map(cell_len, (*self.header.split("\n"), *self.cells)))


def print_table(
    console: Console, title: str, columns: Sequence[Column[Row]], rows: Sequence[Row]
) -> None:
    """A table; a label that every row shares moves into the title.

    Where the terminal is too narrow, spare columns are left out, which is said, then names are
    shortened, and in the end every cell has a line.
    """
    if not rows:
        return
    shared = [column for column in columns[1:] if _is_shared(column, rows)]
    title = "; ".join([title, *filter(None, (column.text(rows[0]) for column in shared))])
    console.print(terminal(title, None), style="bold")
    laid = [_lay(column, rows) for column in columns if column not in shared]
    kept = _with_room(laid, console.width)
    if _least(kept) > console.width:
        _print_list(console, kept)
        return
    console.print(_table(kept, _name_width(kept, console.width)))
    if left := [each.column.title for each in laid if each not in kept]:
        console.print(f"No room here for {', '.join(left)}; the report has them.", style="dim")


def _is_shared(column: Column[Row], rows: Sequence[Row]) -> bool:
    movable = not column.number and not column.stays
    return movable and len({column.text(row) for row in rows}) == 1


def _lay(column: Column[Row], rows: Sequence[Row]) -> _Laid[Row]:
    header = _WORDS.sub("\n", column.title) if column.number else column.title
    return _Laid(column, header, tuple(str(terminal(column.text(row))) for row in rows))


def _with_room(laid: Sequence[_Laid[Row]], width: int) -> list[_Laid[Row]]:
    """The columns without those that have to go."""
    kept = list(laid)
    for spare in sorted({each.column.spare for each in laid} - {0}, reverse=True):
        if _least(kept) <= width:
            break
        kept = [each for each in kept if each.column.spare != spare]
    return kept


def _least(laid: Sequence[_Laid[Row]]) -> int:
    """Width of a table whose names are as short as they may be."""
    widths = (
        each.width if each.column.number else min(each.width, _SHORTEST_NAME) for each in laid
    )
    return sum(widths) + _GUTTER * (len(laid) - 1) + _ENDS


def _name_width(laid: Sequence[_Laid[Row]], width: int) -> int:
    """The most that a name may take, so that the table fits."""
    names = [each.width for each in laid if not each.column.number]
    figures = [each.width for each in laid if each.column.number]
    room = width - _ENDS - _GUTTER * (len(laid) - 1) - sum(figures)
    widest = max(names, default=_SHORTEST_NAME)
    while widest > _SHORTEST_NAME and sum(min(name, widest) for name in names) > room:
        widest -= 1
    return widest


def _table(laid: Sequence[_Laid[Row]], name_width: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=0)
    for each in laid:
        width = each.width if each.column.number else min(each.width, name_width)
        table.add_column(
            each.header,
            justify="right" if each.column.number else "left",
            width=width,
            no_wrap=True,
        )
    for place in range(len(laid[0].cells)):
        table.add_row(*(_cell(each, place, name_width) for each in laid))
    return table


def _print_list(console: Console, laid: Sequence[_Laid[Row]]) -> None:
    for place in range(len(laid[0].cells)):
        for each in laid:
            line = Text(f"{each.column.title} {each.cells[place]}")
            console.print(line, soft_wrap=True)
        console.print()


def _cell(laid: _Laid[Row], place: int, name_width: int) -> Text:
    """Names are shortened in the middle: families and arms differ at either end."""
    text = laid.cells[place]
    if laid.column.number or len(text) <= name_width:
        return Text(text)
    tail = (name_width - 1) // 2
    return Text(f"{text[: name_width - 1 - tail]}…{text[-tail:]}")
