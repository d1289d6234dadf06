from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from distlab.report.table import ScoredStudy, StudyTables, Table
from distlab.runs.manifest import Manifest
from distlab.runs.scored import JudgedRuns
from distlab.tables.column import Column


@dataclass(frozen=True, slots=True)
class SquareRow:
    """A number and its square."""

    number: int
    square: int


@pytest.fixture
def manifest() -> Manifest:
    return Manifest(run="run", command="command", store="store", cells=())


@pytest.fixture
def scored(manifest: Manifest) -> ScoredStudy:
    return ScoredStudy(
        JudgedRuns((), manifest, {}, (), (), ()), judges=(), pairs=(), scores={}, headlines={}
    )


def test_rows_are_computed_once_whoever_asks(scored: ScoredStudy) -> None:
    computed = []

    def rows(_: ScoredStudy) -> Iterator[SquareRow]:
        computed.append("squares")
        yield from (SquareRow(number, number**2) for number in range(3))

    squares = Table("squares", "Squares", rows, ())
    even = Table("even", "Even", lambda s: [r for r in s.rows(squares) if r.number % 2 == 0], ())
    assert [row.square for row in scored.rows(even)] == [0, 4]
    assert [row.square for row in scored.rows(squares)] == [0, 1, 4]
    assert computed == ["squares"]


def test_tables_of_one_name_keep_their_own_rows(scored: ScoredStudy) -> None:
    first, second = (Table("t", "", lambda _, n=n: [SquareRow(n, n)], ()) for n in (1, 2))
    assert scored.rows(first) != scored.rows(second)


def test_columns_and_records_of_a_study(manifest: Manifest, scored: ScoredStudy) -> None:
    table = Table(
        "squares",
        "Squares",
        lambda _: [SquareRow(2, 4)],
        lambda study: (Column(study.manifest.run, lambda row: str(row.square)),),
        lambda row: [{"n": row.number}, {"n": -row.number}],
    )
    study = StudyTables(manifest, (), {}, {table: scored.rows(table)}, (), (), ())
    text = table.as_text(study)
    assert (text.name, text.titles, text.rows) == ("squares", ("run",), (("4",),))
    assert table.as_records(study) == [{"n": 2}, {"n": -2}]
