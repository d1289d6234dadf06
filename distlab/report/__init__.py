"""Run folders in; report.md, results/ and the terminal's tables out. Renders, never computes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from distlab.files import whole
from distlab.runfolder import RunFolder

# The modules are imported where they are used: whoever wants `report.escape` alone, as the plan
# does, should not wait for scipy.
if TYPE_CHECKING:
    from rich.console import Console

    from distlab.report.records import StudyTables

__all__ = ["build_report", "render_terminal", "write_report"]


def build_report(run: Path) -> StudyTables:
    """Read a run folder and compute its tables.

    Args:
        run: The run folder.

    Raises:
        UserError: It is no run folder, or a file in it cannot be read.
    """
    from distlab.report.disagreements import read_disagreements
    from distlab.report.read import read_study
    from distlab.report.tables import build_tables

    study = read_study([run])
    return build_tables(study, read_disagreements([run], study))


def write_report(run: Path, tables: StudyTables) -> Path:
    """Replace the run's ``report.md`` and the tables under ``results/``, each in one step.

    Args:
        run: The run folder.
        tables: What ``build_report`` gave.

    Returns:
        The path of the report.
    """
    from distlab.report.markdown import render_markdown
    from distlab.report.results import write_results

    write_results(run / "results", tables)
    report = RunFolder(run).report
    with whole(report) as stream:
        stream.write(render_markdown(tables).encode())
    return report


def render_terminal(tables: StudyTables, console: Console) -> None:
    """Print the run's main tables.

    Args:
        tables: What ``build_report`` gave.
        console: Where to print.
    """
    from distlab.report.terminal import render_terminal as render

    render(tables, console)
