"""ColumnMap: which column of a user's file holds what."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from distlab.errors import UserError
from distlab.ingest import paths
from distlab.problems.rows import Row

STRATUM: Final = "strata."
# Stands for the column of ids where neither ids nor questions are mapped.
ROW_NUMBER: Final = "row number"
# Names under which tools write whether a sample is correct.
LABEL_COLUMNS: Final = ("score", "scores", "correct", "is_correct", "label", "labels")


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Names of columns, or dotted paths into nested ones; None where the file has none for it.

    Attributes:
        samples: The completions: a list of n texts per row, or one text per row.
        gold: The reference answer.
        problem_id: Id of the problem; without it, ids are hashes of the questions, and without
            those too, numbers of the rows.
        question: The text put to the model.
        rank: Draw index or branch rank from 0, where a row holds one sample.
        truncated: Whether a sample was cut off: true or false, or a finish reason.
        delta: CoT-decoding's answer-span confidence of a sample.
        label: Whether a sample is correct, as the file's own judge found.
        gold_lower: Least accepted value of an interval gold.
        gold_upper: Greatest accepted value of an interval gold.
        cluster: Problems that share a source share its value.
        pair: Key shared by a problem and its perturbation.
        side: Side of the pair: seed, simple, hard or twin.
        strata: Name of a stratum to its column.
    """

    samples: str
    gold: str
    problem_id: str | None = None
    question: str | None = None
    rank: str | None = None
    truncated: str | None = None
    delta: str | None = None
    label: str | None = None
    gold_lower: str | None = None
    gold_upper: str | None = None
    cluster: str | None = None
    pair: str | None = None
    side: str | None = None
    strata: Mapping[str, str] = field(default_factory=dict)

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
                raise UserError(f"--map has no `{name}`; {_hint(name, _NAMES)}")
            if name in named:
                raise UserError(f"--map names `{name}` twice; name it once")
            named[name] = column
        for name in ("samples", "gold"):
            if name not in named:
                raise UserError(f"--map does not say which column holds the {name}: add {name}=...")
        if "problem_id" not in named and "question" not in named:
            named["problem_id"] = ROW_NUMBER
        strata = {n.removeprefix(STRATUM): c for n, c in named.items() if n.startswith(STRATUM)}
        plain = {name: column for name, column in named.items() if name in _NAMES}
        return cls(**plain, strata=strata)

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

    def laid_out(self, rows: Sequence[Row]) -> list[Row]:
        """The rows with every mapped column at hand: nested ones, and lists written as text.

        Args:
            rows: A whole file, so that a row's number is its place in it.

        """
        if self.by_row:
            rows = [
                replace(row, fields={**row.fields, ROW_NUMBER: str(number)})
                for number, row in enumerate(rows, start=1)
            ]
        made = paths.with_paths(rows, [column for _, column in self._pairs()])
        others = [c for name, c in self.of_each_sample().items() if name != "samples"]
        if self.label is None:
            others += LABEL_COLUMNS
        return paths.unpacked(made, self.samples, others) or made

    def check(self, rows: Sequence[Row]) -> None:
        """Check that every row has every mapped column.

        Raises:
            UserError: One is absent; the sentence gives the nearest, or how to leave the row out.
        """
        for name, column in self._pairs():
            for row in rows:
                if column not in row.fields:
                    hint = _hint(column, paths.names(row)) if row is rows[0] else skip_hint(row)
                    raise UserError(
                        f"{row.place} has no column `{column}`, which --map names for {name}; "
                        f"{hint}"
                    )

    def named(self) -> frozenset[str]:
        """The columns that are mapped to something."""
        return frozenset(column for _, column in self._pairs())

    def untaken(self, row: Row) -> list[str]:
        """Columns of a row that nothing was taken of."""
        taken = {column.partition(".")[0] for _, column in self._pairs()}
        whole = self.named() | taken | {ROW_NUMBER}
        return [str(name) for name in row.fields if name not in whole]

    def _pairs(self) -> Iterator[tuple[str, str]]:
        yield from ((n, c) for n in _NAMES if (c := getattr(self, n)) is not None)
        yield from ((f"{STRATUM}{name}", column) for name, column in self.strata.items())


_NAMES: Final = tuple(name for name in ColumnMap.__dataclass_fields__ if name != "strata")


def row_number(row: Row) -> int:
    """Number of a row in its file, from 1: the line, where the file has lines."""
    return int(row.place.rpartition(" ")[2])


def row_file(row: Row) -> str:
    """The file that a row is of."""
    return row.place.rpartition(" ")[0].rpartition(" ")[0]


def skip_hint(row: Row) -> str:
    """How to go on without the row."""
    return f"correct it, or leave it out with --skip {row_number(row)}"


def _hint(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known) or 'none'}"
