"""A question of the report of your own: its rows, columns, sentence, chart and terms."""

from collections.abc import Iterator
from dataclasses import dataclass

from distlab.report.charts.kinds import Chart, Series, at_label, interval_chart
from distlab.report.question import Question, Statement
from distlab.report.score_table import SCORES
from distlab.report.table import ScoredStudy, ShortTable, StudyTables, Table
from distlab.tables.column import Column, label
from distlab.tables.numbers import percent


@dataclass(frozen=True, slots=True)
class ShortfallRow:
    """Problems of an arm that nobody solved.

    Attributes:
        arm: Variant and decoding.
        unsolved: Share of the arm's problems.
    """

    arm: str
    unsolved: float


def _rows(scored: ScoredStudy) -> Iterator[ShortfallRow]:
    for row in scored.rows(SCORES):
        yield ShortfallRow(row.cell.arm, 1 - row.pass_n.value)


COLUMNS = (
    label("arm", lambda row: row.arm),
    Column("unsolved", lambda row: percent(row.unsolved)),
)
SHORTFALL = Table("shortfall", "Problems that stay unsolved, per cent", _rows, COLUMNS)


def _statements(study: StudyTables) -> Iterator[Statement]:
    for row in study.rows(SHORTFALL):
        yield Statement(f"{row.arm} leaves {percent(row.unsolved)} per cent unsolved.")


def _charts(study: StudyTables) -> Iterator[Chart]:
    marks = tuple(at_label(row.cell.arm, row.pass_n) for row in study.rows(SCORES))
    yield from interval_chart("shortfall", "Shortfall", "per cent", [Series("n", "ours", marks)])


QUESTION = Question(
    name="shortfall",
    text="What stays unsolved?",
    tables=(SHORTFALL,),
    statements=_statements,
    charts=_charts,
    # What the terminal shows at the end of a run: the base arms alone.
    short_tables=(
        ShortTable("Shortfall", SHORTFALL, COLUMNS, lambda _, row: row.arm.startswith("base/")),
    ),
    terms=(("unsolved", "share of problems without a correct sample."),),
)
