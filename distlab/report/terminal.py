"""StudyTables in; the compact tables at the end of a run out."""

from collections.abc import Iterable

from rich.console import Console

from distlab.escape import terminal
from distlab.report.questions.drops import COMPACT_DROP_COLUMNS
from distlab.report.questions.gap import COMPACT_GAP_COLUMNS
from distlab.report.questions.scores import compact_arm_columns
from distlab.report.records import StudyTables
from distlab.report.wording import pass_label
from distlab.tables.terminal import print_table


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
