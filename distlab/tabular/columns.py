"""ProblemColumns: which columns of a file hold what of a problem."""

import difflib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Final

from distlab.errors import UserError
from distlab.problems.rows import Row
from distlab.tabular import paths

# Fields that name several columns.
_SEVERAL: Final = ("strata", "choice_columns")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemColumns(ABC):
    """Names of columns, or dotted paths into nested ones; None where the file has none for it.

    A door that takes files says in a subclass how its user names columns.

    Attributes:
        gold: The reference answer.
        problem_id: Id of the problem.
        question: The text put to the model.
        choices: What a multiple-choice question offers: a list of texts, or an object that holds
            them under ``text``.
        choice_columns: Columns that hold a choice each, in order; ``choices`` is then what the list
            of them is called, which ``choices.gathered`` makes.
        gold_lower: Least accepted value of an interval gold.
        gold_upper: Greatest accepted value of an interval gold.
        cluster: Problems that share a source share its value.
        pair: Key shared by a problem and its perturbation.
        side: Side of the pair: seed, simple, hard or twin.
        strata: Name of a stratum to its column.
    """

    gold: str
    problem_id: str | None = None
    question: str | None = None
    choices: str | None = None
    choice_columns: tuple[str, ...] = ()
    gold_lower: str | None = None
    gold_upper: str | None = None
    cluster: str | None = None
    pair: str | None = None
    side: str | None = None
    strata: Mapping[str, str] = field(default_factory=dict)

    @abstractmethod
    def named_by(self, name: str) -> str:
        """What names the column of something: "--map names for gold"."""

    @abstractmethod
    def naming(self, *names: str) -> str:
        """What to do to name the columns of some things: "map gold_lower and gold_upper"."""

    @abstractmethod
    def remedy(self, rows: Sequence[Row]) -> str:
        """How to go on without some rows."""

    def check(self, rows: Sequence[Row]) -> None:
        """Check that every row has every column that is named.

        Raises:
            UserError: One is absent; the sentence gives the nearest, or how to leave the row out.
        """
        for row in rows:
            self.check_row(row, is_first=row is rows[0])

    def check_row(self, row: Row, *, is_first: bool) -> None:
        """Check that a row has every column that is named.

        Args:
            row: Of a file, with nested columns at hand.
            is_first: Whether no row comes before it, so that the name may be wrong.

        Raises:
            UserError: One is absent; the sentence gives the nearest, or how to leave the row out.
        """
        for name, column in self.pairs():
            if column not in row.fields:
                hint = f"correct it, or {self.remedy([row])}"
                if is_first:
                    hint = hinted(column, paths.names(row))
                raise UserError(
                    f"{row.place} has no column `{column}`, which {self.named_by(name)}; {hint}"
                )

    def named(self) -> frozenset[str]:
        """The columns that are named."""
        return frozenset(column for _, column in self.pairs())

    def pairs(self) -> Iterator[tuple[str, str]]:
        """What is held where."""
        # First, since what they are missing in, the list of them is missing in too.
        yield from (("choices", column) for column in self.choice_columns)
        for each in fields(self):
            if each.name not in _SEVERAL and (column := getattr(self, each.name)) is not None:
                yield each.name, column
        yield from ((f"strata.{name}", column) for name, column in self.strata.items())


def hinted(name: str, known: Sequence[str]) -> str:
    """What a name that is unknown may be meant for."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known) or 'none'}"


def row_number(row: Row) -> int:
    """Number of a row in its file, from 1: the line, where the file has lines."""
    return int(row.place.rpartition(" ")[2])


def row_file(row: Row) -> str:
    """The file that a row is of."""
    return row.place.rpartition(" ")[0].rpartition(" ")[0]
