"""What a question of the report is, and what it comes to on one study."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from distlab.analysis.claims import Claim
from distlab.report.charts.kinds import Chart
from distlab.report.sides import PAIR
from distlab.report.table import ShortTable, StudyTables, Table, Term
from distlab.store.cell import Cell
from distlab.tables.text import TextTable


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence that the intervals allow, with what bears on it.

    Attributes:
        text: The sentence.
        controls: What the controls say of it, one sentence each.
        warnings: Where a control explains it away, or the design cannot carry it.
        samples: Where ``distlab view`` shows what it speaks of: an address beside the report's.
        is_answer: Whether it says something of the study, not why nothing can be said.
    """

    text: str
    controls: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    samples: str = ""
    is_answer: bool = True


def problems_of(cell: Cell, **more: str) -> str:
    """The view's list of problems, with what the arms of a cell's setting solve of each."""
    return _address(
        "problems", family=cell.family, dataset=cell.dataset, prompt=cell.prompt, **more
    )


def samples_of(cell: Cell, **more: str) -> str:
    """The view's list of a cell's samples."""
    labels = {"arm": cell.arm, "family": cell.family, "dataset": cell.dataset}
    return _address("samples", **labels, prompt=cell.prompt, **more)


def _address(page: str, **labels: str) -> str:
    return f"{page}?{urlencode(labels, errors='replace')}"


def cannot_say(why: str) -> Statement:
    """The answer of a question that this study cannot answer."""
    return Statement(f"Cannot be said: {why}.", is_answer=False)


def _no_charts(_: StudyTables) -> tuple[Chart, ...]:
    return ()


def _always(_: StudyTables) -> bool:
    return True


def _no_claims(_: StudyTables) -> tuple[Claim, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the report: all that its parts need to know of it.

    Attributes:
        name: Unique in the report; the name of its section on the page.
        text: The question, as it is asked.
        tables: The tables behind it, in the order in which they are shown.
        statements: Answers it, with at least one statement; "cannot be said" is one.
        charts: Draws what can be drawn; the charts' names are unique in the report.
        claims: What it may assert of the study; what it does is decided over all questions.
        short_tables: What the terminal shows of it.
        terms: Titles of its columns that need explaining, and what they mean.
        of_ladder: The question as it is asked of a ladder of stages; None where it is the same.
        applies: Whether it is asked of a study at all.
        samples: Where ``distlab view`` shows the samples behind it.
    """

    name: str
    text: str
    tables: tuple[Table[Any], ...]
    statements: Callable[[StudyTables], Iterable[Statement]]
    charts: Callable[[StudyTables], Iterable[Chart]] = _no_charts
    claims: Callable[[StudyTables], Iterable[Claim]] = _no_claims
    short_tables: tuple[ShortTable[Any], ...] = ()
    terms: tuple[Term, ...] = ()
    of_ladder: str | None = None
    applies: Callable[[StudyTables], bool] = _always
    samples: str = "problems?solved=some"

    def asked(self, study: StudyTables) -> str:
        """The question as it is asked of a study."""
        return self.text if self.of_ladder is None or study.sides == PAIR else self.of_ladder


@dataclass(frozen=True, slots=True)
class Finding:
    """A question with its answers on one study.

    Attributes:
        name: The question's name.
        question: The question, as it is asked.
        statements: The answers, at least one.
        charts: The charts; none where there is nothing to draw.
        tables: The tables behind it, also those without rows.
        terms: Titles of the tables' columns, and what they mean.
        samples: The question's.
    """

    name: str
    question: str
    statements: tuple[Statement, ...]
    charts: tuple[Chart, ...]
    tables: tuple[TextTable, ...]
    terms: tuple[Term, ...]
    samples: str

    @property
    def has_answer(self) -> bool:
        """Whether there is anything to show but why nothing can be said."""
        is_answered = any(statement.is_answer for statement in self.statements)
        return is_answered or bool(self.charts) or any(table.rows for table in self.tables)

    @property
    def why_not(self) -> str:
        """Why nothing can be said, a sentence each."""
        return " ".join(statement.text for statement in self.statements)
