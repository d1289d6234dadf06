"""RunIndex: a run's verdicts in an in-memory DuckDB, for filters over a million samples.

No text of a sample is held, only where it is: lists need none, and a problem's texts are read from
the store when its page is asked for.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from distlab.errors import UserError
from distlab.problems import Problem, read_problems
from distlab.runs.folder import RunFolder
from distlab.runs.labels import read_labels
from distlab.runs.manifest import Manifest
from distlab.scoring.types import BY_CODE, CODES, CORRECT, Verdict
from distlab.scoring.verdict_schema import VERDICTS, upgraded
from distlab.store.cell import Cell
from distlab.view.completions import Finds
from distlab.view.samples import CellCount, Filter, JudgedAnswer, ProblemCount, SampleId, SampleRow

# By the codes that stand for verdicts in the tables below.
VERDICT_NAMES: Final = tuple(verdict.value for verdict in BY_CODE)
# Delta of the first extractor; samples without one count as not sure at all.
_DELTA: Final = """coalesce(
    (SELECT delta FROM reading WHERE reading.number = sample.number AND extractor = 0), 0
)"""
# Rows of a list page (ours).
PAGE: Final = 50
# Orders of a list: what it says, and what it sorts by before the place in the run.
ORDERS: Final[Mapping[str, tuple[str, str]]] = {
    "": ("as drawn", "number"),
    "longest": ("longest first", "-coalesce(tokens, 0)"),
    "shortest": ("shortest first", "coalesce(tokens, 0)"),
    "surest": ("highest Δ first", f"-{_DELTA}"),
    "least-sure": ("lowest Δ first", _DELTA),
    "rank": ("by rank", "rank"),
}

# Labels become numbers, so that a row takes a few bytes and filters compare integers.
_TABLES: Final = f"""
CREATE TABLE sample AS
SELECT (row_number() OVER (ORDER BY cell, problem, rank) - 1)::INTEGER AS number, *
FROM (
    SELECT cells.place AS cell, problems.place AS problem, rank,
           any_value(truncated) AS truncated, any_value(tokens) AS tokens,
           any_value(gold_in_text) AS gold_in_text
    FROM raw
    JOIN cells ON cells.name = raw.cell
    JOIN problems ON problems.dataset = cells.dataset AND problems.name = raw.problem_id
    WHERE rank >= 0 AND rank < cells.n
    GROUP BY ALL
);
CREATE TABLE judged AS
SELECT number, extractors.place AS extractor, graders.place AS grader, verdicts.place AS verdict,
       raw.answer, answer_start, answer_end, text_cut, delta, delta_given
FROM raw
JOIN cells ON cells.name = raw.cell
JOIN problems ON problems.dataset = cells.dataset AND problems.name = raw.problem_id
JOIN sample ON sample.cell = cells.place AND sample.problem = problems.place
           AND sample.rank = raw.rank
JOIN extractors ON extractors.name = raw.extractor
JOIN graders ON graders.name = raw.grader
JOIN verdicts ON verdicts.name = raw.verdict;
CREATE TABLE left_out AS
SELECT (SELECT count(*) FROM raw) - (SELECT count(*) FROM judged) AS rows;
DROP TABLE raw;
CREATE TABLE verdict AS
SELECT number, extractor, grader, any_value(verdict) AS verdict
FROM judged GROUP BY ALL ORDER BY ALL;
CREATE TABLE reading AS
SELECT number, extractor, any_value(answer) AS answer, any_value(answer_start) AS answer_start,
       any_value(answer_end) AS answer_end, any_value(text_cut) AS text_cut,
       any_value(delta) AS delta, any_value(delta_given) AS delta_given
FROM judged GROUP BY number, extractor ORDER BY number, extractor;
DROP TABLE judged;
CREATE TABLE split_graders AS
SELECT DISTINCT number FROM (
    SELECT number FROM verdict GROUP BY number, extractor
    HAVING min(verdict = {CORRECT}) <> max(verdict = {CORRECT})
) ORDER BY number;
CREATE TABLE split_extractors AS
SELECT DISTINCT number FROM (
    SELECT number FROM verdict GROUP BY number, grader
    HAVING min(verdict = {CORRECT}) <> max(verdict = {CORRECT})
) ORDER BY number;
"""
_LIST: Final = """
SELECT number, cell, problem, rank, truncated, tokens, gold_in_text FROM sample
"""


@dataclass(frozen=True, slots=True, eq=False)
class RunIndex:
    """A run, ready to be asked.

    Attributes:
        manifest: What ran.
        cells: The run's cells; a cell's number is its place among them.
        problems: The problems of all datasets; a problem's number is its place among them.
        extractors: Names, in the config's order.
        graders: Names, in the config's order.
        db: Tables ``sample``, ``reading``, ``verdict`` and what they are split by.
        finds: What searches in completions found.
    """

    manifest: Manifest
    cells: tuple[Cell, ...]
    problems: tuple[Problem, ...]
    extractors: tuple[str, ...]
    graders: tuple[str, ...]
    db: duckdb.DuckDBPyConnection
    finds: Finds

    @classmethod
    def open(cls, run: Path, store: str | None = None) -> "RunIndex":
        """Read a run folder.

        Raises:
            UserError: It is no run folder, has no verdicts, or a file in it cannot be read.
        """
        folder = RunFolder(run, store)
        manifest = folder.read_manifest()
        datasets = dict.fromkeys(cell.dataset for cell in manifest.cells)
        problems = tuple(p for name in datasets for p in read_problems(folder.problems(name)))
        db = duckdb.connect()
        if not folder.is_scored:
            raise folder.unscored(manifest)
        _load(db, folder.verdict_files())
        _add_labels(db, folder.label_files())
        extractors = manifest.in_order("extractor", _names(db, "extractor"))
        graders = manifest.in_order("grader", _names(db, "grader"))
        cells = [(cell.key, cell.dataset, cell.n) for cell in manifest.cells]
        _table(db, "cells", ("name", "dataset", "n"), cells)
        _table(db, "problems", ("dataset", "name"), [(p.dataset, p.id) for p in problems])
        for name, labels in (
            ("extractors", extractors),
            ("graders", graders),
            ("verdicts", VERDICT_NAMES),
        ):
            _table(db, name, ("name",), [(label,) for label in labels])
        db.execute(_TABLES)
        return cls(manifest, manifest.cells, problems, extractors, graders, db, Finds(db))

    def strata(self) -> Mapping[str, tuple[str, ...]]:
        """Values of each stratum that problems have, each once and sorted."""
        found: dict[str, set[str]] = defaultdict(set)
        for problem in self.problems:
            for name, value in problem.strata.items():
                found[name].add(value)
        return {name: tuple(sorted(found[name])) for name in sorted(found)}

    def left_out(self) -> int:
        """Verdict rows of no cell, problem or rank that the run has; nothing shows them."""
        return int(self._rows("SELECT rows FROM left_out")[0][0])

    def count(self, wanted: Filter) -> int:
        """How many samples a filter takes."""
        where, values = self._where(wanted)
        return int(self._rows(f"SELECT count(*) FROM sample {where}", values)[0][0])

    def page(self, wanted: Filter, page: int) -> tuple[SampleRow, ...]:
        """One page of the samples that a filter takes; pages count from 1."""
        where, values = self._where(wanted)
        order = f"ORDER BY {ORDERS[wanted.order][1]}, number"
        sql = f"{_LIST} {where} {order} LIMIT {PAGE} OFFSET {PAGE * (page - 1)}"
        return self._samples(self._rows(sql, values))

    def of_problem(self, problem: Problem, cells: Sequence[Cell]) -> tuple[SampleRow, ...]:
        """All samples of a problem in some cells, by cell and rank."""
        places = [self.cells.index(cell) for cell in cells]
        sql = f"{_LIST} WHERE problem = ? AND list_contains(?, cell) ORDER BY number"
        return self._samples(self._rows(sql, [self.problems.index(problem), places]))

    def sample(self, wanted: SampleId) -> SampleRow | None:
        """One sample by its name; None where the run has none."""
        for place, cell in enumerate(self.cells):
            problem = self.problem(cell.dataset, wanted.problem)
            if cell.key == wanted.cell and problem is not None:
                sql = f"{_LIST} WHERE cell = ? AND problem = ? AND rank = ?"
                values = [place, self.problems.index(problem), wanted.rank]
                found = self._samples(self._rows(sql, values))
                return found[0] if found else None
        return None

    def neighbours(self, number: int, wanted: Filter) -> tuple[SampleId | None, SampleId | None]:
        """The samples before and after one, among those that a filter takes."""
        where, values = self._where(wanted)
        glue = f"{where} AND" if where else "WHERE"
        key = ORDERS[wanted.order][1]
        ((place,),) = self._rows(f"SELECT {key} FROM sample WHERE number = ?", [number])
        found = [
            self._samples(
                self._rows(
                    f"{_LIST} {glue} ({key} {side} ? OR ({key} = ? AND number {side} ?)) "
                    f"ORDER BY {key} {way}, number {way} LIMIT 1",
                    [*values, place, place, number],
                )
            )
            for side, way in (("<", "DESC"), (">", "ASC"))
        ]
        before, after = (rows[0].id if rows else None for rows in found)
        return before, after

    def places(self, wanted: Filter, cell: Cell) -> Mapping[tuple[str, int], int]:
        """Numbers of a cell's samples that a filter takes, by problem and rank."""
        where, values = self._where(wanted)
        glue = f"{where} AND" if where else "WHERE"
        rows = self._rows(
            f"SELECT problem, rank, number FROM sample {glue} cell = ?",
            [*values, self.cells.index(cell)],
        )
        return {(self.problems[problem].id, rank): number for problem, rank, number in rows}

    def rows(self, numbers: Sequence[int]) -> tuple[SampleRow, ...]:
        """Samples by their numbers, in the order of these."""
        sql = f"{_LIST} WHERE list_contains(?, number) ORDER BY number"
        return self._samples(self._rows(sql, [list(numbers)]))

    def problem(self, dataset: str, name: str) -> Problem | None:
        """A problem by its names; None where the run has none."""
        for problem in self.problems:
            if (problem.dataset, problem.id) == (dataset, name):
                return problem
        return None

    def cell_counts(self) -> tuple[CellCount, ...]:
        """Every cell with its numbers."""
        totals = {
            cell: (problems, samples, truncated)
            for cell, problems, samples, truncated in self._rows(
                "SELECT cell, count(DISTINCT problem), count(*), count_if(truncated) "
                "FROM sample GROUP BY cell"
            )
        }
        correct: dict[int, dict[tuple[str, str], tuple[int, int]]] = defaultdict(dict)
        for cell, extractor, grader, right, judged in self._rows(
            f"SELECT cell, extractor, grader, count_if(verdict = {CORRECT}), count(*) "
            "FROM verdict JOIN sample USING (number) GROUP BY ALL"
        ):
            correct[cell][self.extractors[extractor], self.graders[grader]] = right, judged
        return tuple(
            CellCount(cell, *totals.get(place, (0, 0, 0)), correct[place])
            for place, cell in enumerate(self.cells)
        )

    def problem_counts(
        self, wanted: Filter, extractor: str, grader: str
    ) -> tuple[ProblemCount, ...]:
        """Problems of a filter's labels and text, with what each cell solves under one judge."""
        where, values = self._where(
            Filter(
                arm=wanted.arm,
                family=wanted.family,
                dataset=wanted.dataset,
                prompt=wanted.prompt,
                text=wanted.text,
                strata=wanted.strata,
            )
        )
        judge = [self.extractors.index(extractor), self.graders.index(grader)]
        counts: dict[int, dict[str, tuple[int, int]]] = defaultdict(dict)
        for problem, cell, right, judged in self._rows(
            f"SELECT problem, cell, count_if(verdict = {CORRECT}), count(verdict) FROM sample "
            "LEFT JOIN (SELECT number, verdict FROM verdict WHERE extractor = ? AND grader = ?) "
            f"USING (number) {where} GROUP BY ALL ORDER BY problem, cell",
            [*judge, *values],
        ):
            counts[problem][self.cells[cell].key] = right, judged
        return tuple(ProblemCount(self.problems[place], found) for place, found in counts.items())

    def _where(self, wanted: Filter) -> tuple[str, list[object]]:
        """The condition of a filter; every value goes in as a parameter."""
        clauses: list[str] = []
        values: list[object] = []

        def add(clause: str, *more: object) -> None:
            clauses.append(clause)
            values.extend(more)

        if wanted.arm or wanted.family or wanted.dataset or wanted.prompt:
            add("list_contains(?, cell)", self._cell_places(wanted))
        if wanted.text or wanted.strata:
            add("list_contains(?, problem)", self._problem_places(wanted))
        if wanted.completion:
            add(f"number IN (SELECT number FROM {self.finds.table(wanted.completion)})")
        if wanted.truncated:
            add("truncated = ?", wanted.truncated == "yes")
        if wanted.disagree:
            table = {"graders": "split_graders", "extractors": "split_extractors"}[wanted.disagree]
            add(f"number IN (SELECT number FROM {table})")
        if wanted.verdict:
            judge = "SELECT number FROM verdict WHERE verdict = ?"
            chosen: list[int] = [CODES[Verdict(wanted.verdict)]]
            for column, name, known in (
                ("extractor", wanted.extractor, self.extractors),
                ("grader", wanted.grader, self.graders),
            ):
                if name:
                    judge += f" AND {column} = ?"
                    chosen.append(known.index(name))
            add(f"number IN ({judge})", *chosen)
        return (f"WHERE {' AND '.join(clauses)}" if clauses else ""), values

    def _cell_places(self, wanted: Filter) -> list[int]:
        return [
            place
            for place, cell in enumerate(self.cells)
            if wanted.arm in ("", cell.arm)
            and wanted.family in ("", cell.family)
            and wanted.dataset in ("", cell.dataset)
            and wanted.prompt in ("", cell.prompt)
        ]

    def _problem_places(self, wanted: Filter) -> list[int]:
        sought = wanted.text.casefold()
        return [
            place
            for place, problem in enumerate(self.problems)
            if all(problem.strata.get(name) == value for name, value in wanted.strata)
            and any(
                sought in part.casefold()
                for part in (problem.id, problem.question, problem.gold.text)
            )
        ]

    def _samples(self, rows: Sequence[tuple[Any, ...]]) -> tuple[SampleRow, ...]:
        readings = self._readings([row[0] for row in rows])
        return tuple(
            SampleRow(
                number=number,
                cell=self.cells[cell],
                problem=self.problems[problem],
                rank=rank,
                truncated=truncated,
                tokens=tokens,
                gold_in_text=gold_in_text,
                readings=readings[number],
            )
            for number, cell, problem, rank, truncated, tokens, gold_in_text in rows
        )

    def _readings(self, numbers: Sequence[int]) -> Mapping[int, tuple[JudgedAnswer, ...]]:
        verdicts: dict[tuple[int, int], dict[str, str]] = defaultdict(dict)
        for number, extractor, grader, verdict in self._rows(
            "SELECT * FROM verdict WHERE list_contains(?, number) ORDER BY ALL", [list(numbers)]
        ):
            verdicts[number, extractor][self.graders[grader]] = VERDICT_NAMES[verdict]
        found: dict[int, tuple[JudgedAnswer, ...]] = defaultdict(tuple)
        for number, extractor, answer, start, end, cut, delta, given in self._rows(
            "SELECT * FROM reading WHERE list_contains(?, number) ORDER BY ALL", [list(numbers)]
        ):
            reading = JudgedAnswer(
                extractor=self.extractors[extractor],
                answer=answer,
                start=start,
                end=end,
                cut=cut,
                delta=None if delta is None or math.isnan(delta) else delta,
                delta_given=given,
                verdicts=verdicts[number, extractor],
            )
            found[number] = (*found[number], reading)
        return found

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a query on a cursor of its own: requests come in threads."""
        return self.db.cursor().execute(sql, list(values)).fetchall()


def _load(db: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> None:
    db.register("part", VERDICTS.empty_table())
    db.execute("CREATE TABLE raw AS SELECT * FROM part")
    for file in files:
        try:
            rows = pq.ParquetFile(file).read(columns=VERDICTS.names)
            table = upgraded(rows).select(VERDICTS.names)
        except (OSError, pa.ArrowException, KeyError) as error:
            raise UserError(
                f"{file} cannot be read ({str(error).splitlines()[0]}); "
                "run `python -m distlab.score` again"
            ) from error
        db.register("part", table)
        db.execute("INSERT INTO raw SELECT * FROM part")
    db.unregister("part")
    _refuse_unknown_verdicts(db)


def _add_labels(db: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> None:
    """A row for each labelled sample and extractor, beside those of the graders."""
    for file in files:
        db.register("labels", read_labels(file).as_table())
        db.execute(
            "INSERT INTO raw SELECT one.* REPLACE (labels.grader AS grader, "
            "labels.verdict AS verdict) FROM labels JOIN (SELECT DISTINCT ON "
            "(cell, problem_id, rank, extractor) * FROM raw) AS one USING (cell, problem_id, rank)"
        )
        db.unregister("labels")


def _refuse_unknown_verdicts(db: duckdb.DuckDBPyConnection) -> None:
    found = db.execute("SELECT DISTINCT verdict FROM raw ORDER BY verdict").fetchall()
    for (name,) in found:
        if name not in VERDICT_NAMES:
            raise UserError(
                f"the verdicts hold the unknown verdict {name!r}; run `python -m distlab.score` "
                "again"
            )


def _names(db: duckdb.DuckDBPyConnection, group: str) -> set[str]:
    return {name for (name,) in db.execute(f"SELECT DISTINCT {group} FROM raw").fetchall()}


def _table(
    db: duckdb.DuckDBPyConnection,
    name: str,
    columns: Sequence[str],
    rows: Iterable[tuple[object, ...]],
) -> None:
    """A table of rows with their places, from 0."""
    records = [
        {"place": place, **dict(zip(columns, row, strict=True))} for place, row in enumerate(rows)
    ]
    db.register("labels", pa.Table.from_pylist(records))
    db.execute(
        f"CREATE TABLE {name} AS SELECT place::INTEGER AS place, * EXCLUDE place FROM labels"
    )
    db.unregister("labels")
