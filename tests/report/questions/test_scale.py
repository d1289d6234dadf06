from dataclasses import replace
from pathlib import Path

from distlab.report import build_report
from distlab.report.charts.kinds import SizeChart
from distlab.report.table import StudyTables
from tests.report.answers import COT, PROBLEMS, WARM, answers, arm, chart_of
from tests.runs.written import Make


def test_a_trend_over_families(make_run: Make, tmp_path: Path) -> None:
    runs = []
    for place, size in enumerate((1e8, 1e9, 1e10, 1e11, 1e12)):
        cells = [replace(cell, family=f"f{place}") for cell in (COT, WARM)]
        rows = [*arm(cells[0], 20), *arm(cells[1], 18 - 4 * place)]
        run = make_run(cells, PROBLEMS, rows, config={"model": {"parameters": size}})
        runs.append(run.rename(tmp_path / f"run-{place}"))
    said = answers(build_report(*runs), "scale")
    assert "our figures: the gap moves towards base with size: −10.0" in said[0].text
    assert "over 5 families" in said[0].text


def test_gaps_of_ours_and_of_the_paper_stand_at_their_sizes(full_study: StudyTables) -> None:
    scale = chart_of(full_study, "scale")
    assert isinstance(scale, SizeChart)
    assert {size for sizes in scale.sizes for size in sizes} >= {8.2e9, 1.04e12}
