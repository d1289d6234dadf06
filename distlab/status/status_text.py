"""Statuses in; a table with the failures below it on the terminal out."""

import datetime
from collections import Counter
from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from distlab.console.printing import say
from distlab.errors import counted
from distlab.escape import terminal
from distlab.status.cell_status import CellStatus
from distlab.sweep.record import SweepRecord

_SHOWN_RUNS = 2


def render_cells(cells: Sequence[CellStatus], console: Console) -> None:
    """Print what each cell has and lacks, which studies stopped early, what failed, and faults.

    Args:
        cells: In the order to print.
        console: Where to print.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=0, show_footer=True)
    table.add_column("cell", "total", overflow="fold")
    sums = [
        sum(cell.samples for cell in cells),
        sum(cell.done for cell in cells),
        sum(cell.missing for cell in cells),
        sum(len(cell.failed) for cell in cells),
    ]
    titles = ("samples\nheld", "of those\nwanted", "missing", "problems\nfailed")
    for title, total in zip(titles, sums, strict=True):
        table.add_column(title, str(total), justify="right")
    table.add_column("last commit\nby run", overflow="fold")
    for cell in cells:
        numbers = (cell.samples, cell.done, cell.missing, len(cell.failed))
        by = [terminal(line, None) for line in _by(cell)]
        table.add_row(terminal(cell.name, None), *map(str, numbers), Text("\n").join(by))
    console.print(table)
    stopped = dict.fromkeys(cell.stopped for cell in cells if cell.stopped)
    unreadable = [f"fault: {why}" for cell in cells for why in cell.unreadable]
    for line in (*stopped, *_failures(cells), *unreadable):
        say(console, line)


def render_jobs(sweep: SweepRecord, console: Console) -> None:
    """Print what became of each job of a sweep.

    Args:
        sweep: Its record.
        console: Where to print.
    """
    for job in sweep.jobs:
        line = f"{job.name}: {job.state}  {' '.join(job.overrides)}"
        say(console, line)
        for error in job.errors:
            say(console, f"  {error}")
    console.print(
        f"{counted(sweep.samples, 'sample')} drawn, {counted(sweep.engine_starts, 'engine start')}",
        highlight=False,
    )


def _by(cell: CellStatus) -> Iterator[str]:
    yield _when(cell.last)
    runs = sorted(cell.runs.items(), key=lambda item: -item[1])
    for run, samples in runs[:_SHOWN_RUNS]:
        yield f"{run}: {samples}"
    if len(runs) > _SHOWN_RUNS:
        yield f"and {len(runs) - _SHOWN_RUNS} more"
    if cell.drawing:
        yield f"now: {cell.drawing}"


def _when(moment: datetime.datetime | None) -> str:
    return "never" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M}"


def _failures(cells: Sequence[CellStatus]) -> Iterator[str]:
    """Problems of a cell that failed alike together."""
    for cell in cells:
        for why, count in Counter(cell.failed.values()).most_common():
            first = next(problem for problem, reason in cell.failed.items() if reason == why)
            others = f" and {count - 1} more" if count > 1 else ""
            yield f"failed: {cell.name}: {first}{others}: {why}"
