"""Run folders in; report.html, report.md, results/ and the terminal's tables out.

``analysis`` computes and this renders: no figure is made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from distlab.files import drop_dead_drafts, whole
from distlab.runs.folder import RunFolder

# The modules are imported where they are used: whoever wants a question or a table alone
# should not wait for scipy.
if TYPE_CHECKING:
    from rich.console import Console

    from distlab.report.margins import AskedMargins
    from distlab.report.table import StudyTables
    from distlab.runs.manifest import PaperFamilies
    from distlab.store.cell import StagePair

__all__ = ["build_report", "render_terminal", "write_report"]


def build_report(
    *paths: Path,
    margins: AskedMargins | None = None,
    pairs: Sequence[StagePair] = (),
    store: str | None = None,
    paper: PaperFamilies | None = None,
) -> StudyTables:
    """Read run folders as one study and compute its tables.

    Args:
        paths: Run folders, or folders in which a sweep left some.
        margins: Differences that are taken for none; None for those of the runs' config.
        pairs: Stages to compare beside the last with the first and those of the config.
        store: Where the samples are; None for where the runs say, or beside them.
        paper: Whose figures of the paper are drawn; None for what the runs' config says.

    Raises:
        UserError: One is no run folder, a file in it cannot be read, or they do not go together.
    """
    from distlab.report.build import build_tables
    from distlab.report.margins import AS_CONFIGURED
    from distlab.runs.joining import runs_in
    from distlab.runs.verdicts import read_study

    runs = [run for path in paths for run in runs_in(path)]
    settled = (margins or AS_CONFIGURED).settle([RunFolder(run).read_manifest() for run in runs])
    return build_tables(read_study(runs, store), settled, pairs, paper)


def write_report(run: Path, tables: StudyTables) -> Path:
    """Replace the run's ``report.html``, ``report.md`` and ``results/``, each file in one step.

    Args:
        run: The run folder, or the folder of a sweep; made if absent.
        tables: What ``build_report`` gave.

    Returns:
        The path of ``report.html``.
    """
    from distlab.report.charts.pictures import draw, write_pictures
    from distlab.report.findings import findings
    from distlab.report.markdown_report import render_markdown
    from distlab.report.page.writer import render_page
    from distlab.report.results import write_results

    folder = RunFolder(run)
    folder.path.mkdir(parents=True, exist_ok=True)
    drop_dead_drafts(folder.path)
    answered = findings(tables)
    pictures = {chart.name: draw(chart) for each in answered for chart in each.charts}
    write_results(folder.results, tables)
    write_pictures(folder.results / "figures", pictures)
    with whole(folder.report) as stream:
        stream.write(render_markdown(tables, answered).encode())
    with whole(folder.html) as stream:
        stream.write(render_page(tables, answered, pictures).encode())
    return folder.html


def render_terminal(tables: StudyTables, console: Console) -> None:
    """Print the run's main tables.

    Args:
        tables: What ``build_report`` gave.
        console: Where to print.
    """
    from distlab.report.summary import render_terminal as render

    render(tables, console)
