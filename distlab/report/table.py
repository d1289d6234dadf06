"""What a table of the report is; the scores it is computed from, and the study it is shown in."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Generic

from rich.console import Console

from distlab.analysis.claims import MARGINS, NO_CLAIMS, Decision, Family, Kind, Margins
from distlab.prompts.prompt import Shown
from distlab.report.sides import PAIR, Sides
from distlab.runs.manifest import Manifest, PaperFamilies
from distlab.runs.pairing import ArmPair, ScoreMap
from distlab.runs.scored import Judge, JudgedRuns
from distlab.runs.scores import ProblemScores
from distlab.store.cell import Cell
from distlab.tables.column import Columns, Row
from distlab.tables.flat import Record, flatten
from distlab.tables.terminal import print_table
from distlab.tables.text import TextTable, lay


@dataclass(frozen=True, slots=True, eq=False)
class ScoredRerun:
    """A run that drew cells of the study again.

    Attributes:
        manifest: What ran in it, cells that it did not draw again among it.
        scores: The scores of those that it did.
    """

    manifest: Manifest
    scores: ScoreMap


@dataclass(frozen=True, slots=True, eq=False)
class ScoredStudy:
    """A study with the scores of its problems: what the rows of every table are computed from.

    Attributes:
        study: The run folders as they were read.
        judges: Extractors and graders, in the config's order.
        pairs: The arms to compare.
        scores: Cell key and judge to the scores of the cell's problems.
        headlines: As in ``StudyTables``.
        probes: The scores of cells whose prompts show less than the question; they are in no
            other figure.
        reruns: Runs that drew some of the cells again, in no other figure either.
    """

    study: JudgedRuns
    judges: tuple[Judge, ...]
    pairs: tuple[ArmPair, ...]
    scores: ScoreMap
    headlines: Mapping[str, Judge]
    probes: ScoreMap = field(default_factory=dict)
    reruns: tuple[ScoredRerun, ...] = ()
    _rows: dict["Table[Any]", tuple[Any, ...]] = field(default_factory=dict, init=False)

    @property
    def whole(self) -> ScoreMap:
        """The scores without cells that are drawn until solved or decided.

        Which samples such a cell has depends on what they are, so no rate of samples is unbiased.
        """
        return {key: row for key, row in self.scores.items() if not row.table.cell.stops_early}

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells that are no probes, in the order of the tables."""
        manifest = self.study.manifest
        return tuple(cell for cell in manifest.cells if manifest.shown(cell) is Shown.QUESTION)

    @property
    def ends(self) -> frozenset[tuple[Cell, Cell]]:
        """The first pair of each setting: instruct with base, or the ends of a ladder."""
        first: dict[tuple[str, str, str], tuple[Cell, Cell]] = {}
        for pair in self.pairs:
            cell = pair.base
            first.setdefault((cell.family, cell.dataset, cell.prompt), (cell, pair.instruct))
        return frozenset(first.values())

    def own_arms(self) -> Iterator[tuple[ArmPair, Judge, ProblemScores, ProblemScores]]:
        """The study's own two arms of every setting under every judge that both have."""
        for pair, judge in product(self.pairs, self.judges):
            base = self.scores.get((pair.base.key, judge))
            instruct = self.scores.get((pair.instruct.key, judge))
            if pair.primary and base is not None and instruct is not None:
                yield pair, judge, base, instruct

    def rows(self, table: "Table[Row]") -> tuple[Row, ...]:
        """The rows of a table, computed when they are first asked for."""
        if table not in self._rows:
            self._rows[table] = tuple(table.rows(self))
        return self._rows[table]


@dataclass(frozen=True, slots=True, eq=False)
class StudyTables:
    """Everything the report shows.

    Attributes:
        manifest: What ran.
        judges: Extractors and graders, in the config's order.
        headlines: Cell key to the judge that stands for it where one must: of those that score
            most of its problems, the first (ours).
        tables: Every table of every question, with its rows.
        cannot: What the data cannot say, one sentence each.
        remarks: What was odd about the files, one sentence each.
        doubts: Which verdicts to doubt before any figure is read, one sentence each.
        margins: Differences that are taken for none.
        family: All that the report may assert, decided together.
        sides: What the arms of its pairs are called.
        paper: Which of the paper's families stand in figures.
    """

    manifest: Manifest
    judges: tuple[Judge, ...]
    headlines: Mapping[str, Judge]
    tables: Mapping["Table[Any]", tuple[Any, ...]]
    cannot: tuple[str, ...]
    remarks: tuple[str, ...]
    doubts: tuple[str, ...]
    margins: Margins = MARGINS
    family: Family = NO_CLAIMS
    sides: Sides = PAIR
    paper: PaperFamilies = "own"

    def decision(self, kind: Kind, key: Hashable) -> Decision:
        """What is decided of a claim of some question.

        Raises:
            KeyError: No question claims it.
        """
        return self.family.of(kind, key)

    def rows(self, table: "Table[Row]") -> tuple[Row, ...]:
        """The rows of a table.

        Raises:
            KeyError: No question of the report shows it.
        """
        return self.tables[table]

    def titled(self, columns: Columns[Row]) -> Columns[Row]:
        """Columns whose titles call the arms by the names that they have here."""
        return tuple(replace(column, title=self.sides.named(column.title)) for column in columns)

    def is_headline(self, cell: Cell, judge: Judge) -> bool:
        """Whether it is the judge that stands for the cell."""
        return self.headlines[cell.key] == judge


# Titles of columns, and what they mean.
Term = tuple[str, str]
# Columns, or how to choose them where they depend on what the study holds.
StudyColumns = Columns[Row] | Callable[[StudyTables], Columns[Row]]


def _one_record(row: Any) -> Iterator[Record]:  # noqa: ANN401 (any record of the tables)
    yield flatten(row)


@dataclass(frozen=True, slots=True, eq=False)
class Table(Generic[Row]):
    """A table of the report. It is its own key, so the rows of a study keep their type.

    Attributes:
        name: Unique in the report; the name of its files in ``results/``.
        caption: What it shows, in one line.
        rows: Computes its rows; may ask the study for the rows of other tables.
        columns: What people read, in Markdown, LaTeX and on the page.
        records: What programs read of a row, in Parquet and CSV: by default its fields, flat.
    """

    name: str
    caption: str
    rows: Callable[[ScoredStudy], Iterable[Row]]
    columns: StudyColumns[Row]
    records: Callable[[Row], Iterable[Record]] = _one_record

    def as_text(self, study: StudyTables) -> TextTable:
        """The table as people read it."""
        columns = study.titled(_chosen(self.columns, study))
        return lay(self.name, study.sides.named(self.caption), columns, study.rows(self))

    def as_records(self, study: StudyTables) -> list[Record]:
        """The table as programs read it."""
        return [record for row in study.rows(self) for record in self.records(row)]


@dataclass(frozen=True, slots=True)
class ShortTable(Generic[Row]):
    """A table as the terminal shows it at the end of a run.

    Attributes:
        title: The line above it.
        table: The table whose rows it shows.
        columns: Few enough for 80 characters.
        shows: Whether it shows a row.
    """

    title: str
    table: Table[Row]
    columns: StudyColumns[Row]
    shows: Callable[[StudyTables, Row], bool]

    def print(self, study: StudyTables, console: Console) -> None:
        """Print it; nothing where no row is to be shown."""
        rows = [row for row in study.rows(self.table) if self.shows(study, row)]
        columns = study.titled(_chosen(self.columns, study))
        print_table(console, study.sides.named(self.title), columns, rows)


def _chosen(columns: StudyColumns[Row], study: StudyTables) -> Columns[Row]:
    return columns if isinstance(columns, tuple) else columns(study)
