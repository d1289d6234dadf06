"""StudyTables in; what a terminal shows at the end of a run out."""

from collections.abc import Iterable
from typing import Final

from rich.console import Console

from distlab.escape import terminal
from distlab.report.questions import decoding
from distlab.report.questions.order import QUESTIONS
from distlab.report.scoreboard import answers, board, board_columns
from distlab.report.table import StudyTables
from distlab.tables.terminal import print_table

# Answers to a question that the terminal shows (ours); the report has all.
_MOST_ANSWERS: Final = 3


def render_terminal(study: StudyTables, console: Console) -> None:
    """Print what to doubt, the answer, whether it is the decoding, and the scoreboard.

    Short tables of questions follow it.

    Args:
        study: The tables.
        console: Where to print.
    """
    _sentences(console, study.doubts, "Warning: ")
    _sentences(console, study.manifest.notes, "Note: ")
    _sentences(console, answers(study))
    said = [statement.text for statement in decoding.QUESTION.statements(study)]
    if len(said) > _MOST_ANSWERS:
        said = [f"{decoding.QUESTION.text} The report answers it for {len(said)} comparisons."]
    _sentences(console, said)
    title = study.sides.named("Scores in per cent, gap (instruct − base) in points")
    print_table(console, title, study.titled(board_columns(study)), board(study))
    for question in QUESTIONS:
        for short in question.short_tables:
            short.print(study, console)
    _sentences(console, (*study.cannot, *study.remarks), "Note: ")


def _sentences(console: Console, sentences: Iterable[str], kind: str = "") -> None:
    for sentence in sentences:
        console.print(terminal(f"{kind}{sentence}", None))
