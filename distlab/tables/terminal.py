"""A table on a terminal."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from distlab.escape import terminal
from distlab.tables.column import Column, Row


def print_table(
    console: Console, title: str, columns: Sequence[Column[Row]], rows: Sequence[Row]
) -> None:
    """A table; a label that every row shares moves into the title, so that 80 columns do."""
    if not rows:
        return
    shared = [column for column in columns[1:] if _is_shared(column, rows)]
    title = "; ".join([title, *(column.text(rows[0]) for column in shared)])
    console.print(terminal(title, None), style="bold")
    table = Table(box=box.SIMPLE_HEAD, padding=0)
    kept = [column for column in columns if column not in shared]
    for column in kept:
        header = column.title.replace(" ", "\n", 1) if column.number else column.title
        table.add_column(header, justify="right" if column.number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(terminal(column.text(row)) for column in kept))
    console.print(table)


def _is_shared(column: Column[Row], rows: Sequence[Row]) -> bool:
    return not column.number and len({column.text(row) for row in rows}) == 1
