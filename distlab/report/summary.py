"""StudyTables in; the short tables at the end of a run out."""

from collections.abc import Iterable

from rich.console import Console

from distlab.escape import terminal
from distlab.report.questions.order import QUESTIONS
from distlab.report.table import StudyTables


def render_terminal(study: StudyTables, console: Console) -> None:
    """Print each question's short tables between what the run and the tables have to note.

    Args:
        study: The tables.
        console: Where to print.
    """
    _sentences(console, study.manifest.notes)
    for question in QUESTIONS:
        for short in question.short_tables:
            short.print(study, console)
    _sentences(console, (*study.cannot, *study.remarks))


def _sentences(console: Console, sentences: Iterable[str]) -> None:
    for sentence in sentences:
        console.print(terminal(f"Note: {sentence}", None))
