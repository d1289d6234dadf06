"""StudyTables in; the compact tables at the end of a run out."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from distlab.escape import terminal
from distlab.report.columns import (
    COMPACT_DROP_COLUMNS,
    COMPACT_GAP_COLUMNS,
    Column,
    Row,
    compact_arm_columns,
)
from distlab.report.figures import pass_label
from distlab.report.records import StudyTables


def render_terminal(study: StudyTables, console: Console) -> None:
    """Print scores and drops under each cell's headline judge, and gaps under every judge.

    Args:
        study: The tables.
        console: Where to print.
    """
    _sentences(console, study.manifest.notes)
    arms = [row for row in study.arms if row.judge == study.headlines[row.cell.key]]
    label = pass_label({row.cell.n for row in arms})
    print_table(console, "Scores, per cent", compact_arm_columns(label), arms)
    gaps = [row for row in study.gaps if row.primary and row.headline]
    print_table(console, "Gap, instruct − base, percentage points", COMPACT_GAP_COLUMNS, gaps)
    drops = [row for row in study.drops if row.judge == study.headlines[row.cell.key]]
    print_table(
        console, "Perturbation drop, paired, percentage points", COMPACT_DROP_COLUMNS, drops
    )
    _sentences(console, (*study.cannot, *study.remarks))


def _sentences(console: Console, sentences: Iterable[str]) -> None:
    for sentence in sentences:
        console.print(terminal(f"Note: {sentence}", None))


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
