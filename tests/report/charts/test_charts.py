import json
from dataclasses import replace

import pytest

from distlab.report import build_report
from distlab.report.charts import kinds
from distlab.report.charts.kinds import IntervalChart, Mark, Series, describe
from distlab.report.charts.live import figure_json
from distlab.report.charts.palette import looks
from distlab.report.charts.pictures import draw
from distlab.report.findings import findings
from distlab.report.table import StudyTables
from tests.report.answers import chart_of
from tests.report.studies import HOSTILE
from tests.runs.written import Make, Samples, make_cell, make_problem


def test_every_chart_has_words_a_picture_and_a_figure(full_study: StudyTables) -> None:
    for chart in (chart for finding in findings(full_study) for chart in finding.charts):
        assert chart.title in describe(chart)
        picture = draw(chart)
        assert picture.svg.startswith("<svg")
        assert picture.png.startswith(b"\x89PNG")
        assert json.loads(figure_json(chart))["data"]


def test_of_many_rows_the_first_are_drawn(make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "MOST_ROWS", 8)
    cells = [
        replace(make_cell(arm), prompt=f"p{i}")
        for i in range(12)
        for arm in ("base/cot", "instruct/t0.05")
    ]
    rows = [Samples(cell, "a", "0001") for cell in cells]
    chart = chart_of(build_report(make_run(cells, [make_problem("a")], rows)), "gaps-0")
    assert isinstance(chart, IntervalChart)
    assert "(the first 8 of 12 rows)" in chart.title
    assert len({mark.label for series in chart.series for mark in series.marks}) == 8


@pytest.mark.parametrize("text", [HOSTILE, "$\\frac{1}{2}$ $x", "</script></svg>", "\x00\ud800"])
def test_hostile_labels_stay_text(text: str) -> None:
    chart = IntervalChart("x", text, text, (Series(text, "ours", (Mark(text, 1.0, 0.0, 2.0),)),))
    svg = draw(chart).svg
    assert "<script" not in svg
    assert svg.count("</svg>") == 1
    figure = figure_json(chart)
    assert "<script" not in figure
    assert "\x1b" not in json.dumps(json.loads(figure), ensure_ascii=False)


def test_equal_colours_have_unequal_shapes() -> None:
    found = looks(["base", "base", "ours", "paper", "paper", "other", "null"])
    assert len(set(found)) == len(found)
    assert found[0].colour == found[1].colour
