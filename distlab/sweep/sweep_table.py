"""Jobs and their reports in; one table over all of them out."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from distlab.escape import terminal
from distlab.report.gap_table import GAPS, GapRow
from distlab.report.score_table import SCORES, ScoreRow
from distlab.report.table import StudyTables
from distlab.sweep.record import JobRecord, JobState
from distlab.tables.numbers import percent, points_interval

_NONE = "—"


@dataclass(frozen=True, slots=True)
class SweepRow:
    """A line of the table: a gap of a job, or the job where it has none.

    Attributes:
        job: Its record.
        what: Family, dataset, prompt and score.
        base: Score of the base arm, per cent.
        instruct: Score of the instruct arm, per cent.
        gap: Instruct minus base in points, with its interval.
    """

    job: JobRecord
    what: str = ""
    base: str = _NONE
    instruct: str = _NONE
    gap: str = _NONE


def lines_of(job: JobRecord, tables: StudyTables | None) -> tuple[SweepRow, ...]:
    """The lines of a job: its main gaps under the headline judge, else its arms' scores.

    Args:
        job: The job.
        tables: Its report, None where it has none.
    """
    if tables is None:
        return (SweepRow(job),)
    gaps = [
        _gap(job, row)
        for row in tables.rows(GAPS)
        if row.primary and row.headline and tables.is_headline(row.base, row.judge)
    ]
    scores = tables.rows(SCORES)
    arms = [_arm(job, row) for row in scores if tables.is_headline(row.cell, row.judge)]
    return tuple(gaps or arms) or (SweepRow(job),)


def _gap(job: JobRecord, row: GapRow) -> SweepRow:
    cell = row.base
    what = f"{cell.family} {cell.dataset} {cell.prompt} {row.metric}"
    base, instruct = percent(row.gap.base), percent(row.gap.instruct)
    return SweepRow(job, what, base, instruct, points_interval(row.gap.difference.estimate))


def _arm(job: JobRecord, row: ScoreRow) -> SweepRow:
    cell, score = row.cell, percent(row.pass_n.value)
    what = f"{cell.family} {cell.dataset} {cell.prompt} {cell.arm} Pass@{cell.n}"
    is_base = cell.variant == "base"
    return SweepRow(job, what, score if is_base else _NONE, _NONE if is_base else score)


def render_jobs(lines: Sequence[SweepRow], console: Console) -> None:
    """Print the table and, below it, what went wrong.

    Args:
        lines: In the order of the jobs.
        console: Where to print.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=0, title="Jobs", title_justify="left")
    for name in ("job", "what", "state"):
        table.add_column(name, overflow="fold")
    for name in ("base", "instruct", "gap [95 %]"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        name = " ".join([str(line.job.number), *line.job.overrides])
        texts = (name, line.what, line.job.state, line.base, line.instruct, line.gap)
        table.add_row(*(terminal(text, None) for text in texts))
    console.print(table)
    for job in dict.fromkeys(line.job for line in lines):
        if job.state is JobState.FAILED:
            console.print(
                terminal(f"job {job.number} failed: {'; '.join(job.errors)}", None), soft_wrap=True
            )
