"""StudyTables in; the short tables at the end of a run out."""

from collections.abc import Iterable

from rich.console import Console

from distlab.escape import terminal
from distlab.report.questions.order import QUESTIONS
from distlab.report.table import StudyTables


def render_terminal(study: StudyTables, console: Console) -> None:
    """Print what to doubt, then each question's short tables between the run's and their notes.

    Args:
        study: The tables.
        console: Where to print.
    """
    _sentences(console, study.doubts, "Warning")
    _sentences(console, study.manifest.notes)
    for question in QUESTIONS:
        for short in question.short_tables:
            short.print(study, console)
    _sentences(console, (*study.cannot, *study.remarks))


def _sentences(console: Console, sentences: Iterable[str], kind: str = "Note") -> None:
    for sentence in sentences:
        console.print(terminal(f"{kind}: {sentence}", None))
