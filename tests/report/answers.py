"""Arms over forty problems, and what the report answers of a study."""

from distlab.report.charts.kinds import Chart
from distlab.report.findings import findings
from distlab.report.question import Statement
from distlab.report.table import StudyTables
from distlab.store.cell import Cell
from tests.runs.written import Samples, make_cell, make_problem

COT, WARM = make_cell("base/cot"), make_cell("instruct/t0.05")
CROSSED = (make_cell("base/t0.05"), make_cell("instruct/cot"))
PROBLEMS = [make_problem(f"p{i:02d}") for i in range(40)]


def arm(cell: Cell, solved: int, **more: object) -> list[Samples]:
    """An arm that solves its first problems, with its last sample."""
    return [
        Samples(cell, p.id, "0001" if place < solved else "0000", **more)
        for place, p in enumerate(PROBLEMS)
    ]


def answers(study: StudyTables, name: str) -> tuple[Statement, ...]:
    (finding,) = (finding for finding in findings(study) if finding.name == name)
    return finding.statements


def chart_of(study: StudyTables, name: str) -> Chart:
    return next(c for finding in findings(study) for c in finding.charts if c.name == name)
