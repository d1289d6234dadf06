"""StudyTables in; the compact tables at the end of a run out."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from distlab.report.columns import (
    COMPACT_DROP_COLUMNS,
    COMPACT_GAP_COLUMNS,
    Column,
    Row,
    compact_arm_columns,
)
from distlab.report.escape import terminal
from distlab.report.figures import pass_label
from distlab.report.records import StudyTables


def render_terminal(study: StudyTables, console: Console) -> None:
    """Print the tables of the first extractor: scores under the first grader, gaps under each.

    Args:
        study: The tables.
        console: Where to print.
    """
    _sentences(console, study.manifest.notes)
    if study.judges:
        _tables(study, console)
    _sentences(console, (*study.cannot, *study.remarks))


def _sentences(console: Console, sentences: Iterable[str]) -> None:
    for sentence in sentences:
        console.print(terminal(f"Note: {sentence}", None))


def _tables(study: StudyTables, console: Console) -> None:
    first = study.judges[0]
    arms = [row for row in study.arms if row.judge == first]
    label = pass_label({row.cell.n for row in arms})
    judge = f"extractor {first.extractor}, grader {first.grader}"
    _print(console, f"Scores, per cent ({judge})", compact_arm_columns(label), arms)
    gaps = [
        row
        for row in study.gaps
        if row.primary and row.judge.extractor == first.extractor and row.metric != "one answer"
    ]
    title = f"Gap, instruct − base, percentage points (extractor {first.extractor})"
    _print(console, title, COMPACT_GAP_COLUMNS, gaps)
    drops = [row for row in study.drops if row.judge == first]
    title = f"Perturbation drop, paired, percentage points ({judge})"
    _print(console, title, COMPACT_DROP_COLUMNS, drops)


def _print(
    console: Console, title: str, columns: Sequence[Column[Row]], rows: Sequence[Row]
) -> None:
    if not rows:
        return
    table = Table(title=terminal(title, None), title_justify="left", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column.title, justify="right" if column.number else "left")
    for row in rows:
        table.add_row(*(terminal(column.text(row)) for column in columns))
    console.print(table)
