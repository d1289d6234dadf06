"""ColumnMap: which column of a user's file holds what."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from distlab.errors import UserError
from distlab.problems.rows import Row, RowStream
from distlab.tabular import paths
from distlab.tabular.choices import gathered
from distlab.tabular.columns import ProblemColumns, hinted, row_number

STRATUM: Final = "strata."
# Stands for the column of ids where neither ids nor questions are mapped.
ROW_NUMBER: Final = "row number"
# Rows that a message lists (ours).
_ROWS_SHOWN: Final = 100
# Names under which tools write whether a sample is correct.
LABEL_COLUMNS: Final = ("score", "scores", "correct", "is_correct", "label", "labels")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap(ProblemColumns):
    """The columns of a file of samples, as ``--map`` names them.

    Without ``problem_id``, ids are hashes of the questions, and without those too, numbers of the
    rows.

    Attributes:
        samples: The completions: a list of n texts per row, or one text per row.
        rank: Draw index or branch rank from 0, where a row holds one sample.
        truncated: Whether a sample was cut off: true or false, or a finish reason.
        delta: CoT-decoding's answer-span confidence of a sample.
        label: Whether a sample is correct, as the file's own judge found.
    """

    samples: str
    rank: str | None = None
    truncated: str | None = None
    delta: str | None = None
    label: str | None = None

    @classmethod
    def parse(cls, words: Sequence[str]) -> "ColumnMap":
        """Read ``samples=code gold=gt strata.level=level``.

        Raises:
            UserError: A word is no pair, names something else, twice, or what is needed is absent.
        """
        named: dict[str, str] = {}
        for word in words:
            name, _, column = word.partition("=")
            if not column:
                raise UserError(
                    f"--map {word} names no column: write it as {name or 'gold'}=COLUMN"
                )
            if name not in _NAMES and not (name.startswith(STRATUM) and name != STRATUM):
                raise UserError(f"--map has no `{name}`; {hinted(name, _NAMES)}")
            if name in named:
                raise UserError(f"--map names `{name}` twice; name it once")
            named[name] = column
        for name in ("samples", "gold"):
            if name not in named:
                raise UserError(f"--map does not say which column holds the {name}: add {name}=...")
        if "problem_id" not in named and "question" not in named:
            named["problem_id"] = ROW_NUMBER
        offered = tuple(filter(None, named.get("choices", "").split(",")))
        if len(offered) > 1:
            named["choices"] = ", ".join(offered)
        strata = {n.removeprefix(STRATUM): c for n, c in named.items() if n.startswith(STRATUM)}
        plain = {name: column for name, column in named.items() if name in _NAMES}
        columns = offered if len(offered) > 1 else ()
        return cls(**plain, choice_columns=columns, strata=strata)

    def of_samples(self) -> dict[str, str]:
        """What is mapped and can change a stored sample, by name."""
        mine = ("problem_id", "question", "samples", "rank", "truncated", "delta")
        return {name: column for name in mine if (column := getattr(self, name)) is not None}

    @property
    def by_row(self) -> bool:
        """Whether rows are told apart by nothing but their place in the file."""
        return self.problem_id == ROW_NUMBER

    def of_each_sample(self) -> dict[str, str]:
        """The mapped columns that hold something of each sample, by name."""
        names = ("samples", "truncated", "delta", "label")
        return {name: column for name in names if (column := getattr(self, name)) is not None}

    def laid_out(self, rows: Iterable[Row]) -> RowStream:
        """The rows with every mapped column at hand: nested ones, and lists written as text.

        Args:
            rows: A whole file, so that a row's number is its place in it; they are asked for again
                whenever the result is.
        """
        others = [c for name, c in self.of_each_sample().items() if name != "samples"]
        if self.label is None:
            others += LABEL_COLUMNS
        # Texts may look like lists: they are lists where every row's do.
        if any(paths.unpacked(row, self.samples, others) is None for row in self._at_hand(rows)):
            return RowStream(lambda: self._at_hand(rows))
        return RowStream(lambda: self._unpacked(rows, others))

    def _unpacked(self, rows: Iterable[Row], others: Sequence[str]) -> Iterator[Row]:
        for row in self._at_hand(rows):
            if (lists := paths.unpacked(row, self.samples, others)) is not None:
                yield lists

    def _at_hand(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows with what dotted paths lead to, and with their numbers where these are ids."""
        with_paths = paths.each_with_paths(rows, [column for _, column in self.pairs()])
        if self.choice_columns and self.choices is not None:
            with_paths = gathered(with_paths, self.choice_columns, self.choices)
        if not self.by_row:
            return with_paths
        return (
            replace(row, fields={**row.fields, ROW_NUMBER: str(number)})
            for number, row in enumerate(with_paths, start=1)
        )

    def pairs(self) -> Iterator[tuple[str, str]]:
        """What is held where, the samples first: their column is the first to be looked for."""
        yield "samples", self.samples
        yield from (pair for pair in ProblemColumns.pairs(self) if pair[0] != "samples")

    def named_by(self, name: str) -> str:
        """The option that names the column of something."""
        return f"--map names for {name}"

    def naming(self, *names: str) -> str:
        """What to add to ``--map``."""
        return f"map {' and '.join(names)}"

    def remedy(self, rows: Sequence[Row]) -> str:
        """How to leave rows out."""
        numbers = " ".join(str(row_number(row)) for row in rows[:_ROWS_SHOWN])
        rest = " ..." if len(rows) > _ROWS_SHOWN else ""
        return f"leave out the row{'s' if len(rows) > 1 else ''} with --skip {numbers}{rest}"

    def untaken(self, row: Row) -> list[str]:
        """Columns of a row that nothing was taken of."""
        taken = {column.partition(".")[0] for _, column in self.pairs()}
        whole = self.named() | taken | {ROW_NUMBER}
        return [str(name) for name in row.fields if name not in whole]


_NAMES: Final = tuple(
    name for name in ColumnMap.__dataclass_fields__ if name not in ("strata", "choice_columns")
)
