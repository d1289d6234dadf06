import json
from dataclasses import replace

import numpy as np
import pytest

from distlab.report import build_report
from distlab.report.charts.kinds import (
    BarChart,
    Chart,
    IntervalChart,
    LineChart,
    Mark,
    MatrixChart,
    Series,
    SizeChart,
    describe,
)
from distlab.report.charts.live import figure_json
from distlab.report.charts.palette import looks
from distlab.report.charts.pictures import draw
from distlab.report.findings import charts
from distlab.report.records import StudyTables
from tests.report.studies import HOSTILE, write_run
from tests.runs.written import Make, Samples, make_cell, make_problem


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyTables:
    run = tmp_path_factory.mktemp("study") / "run"
    write_run(run, "qwen3-8b", ("zero-shot", "few-shot"), HOSTILE)
    return build_report(run)


def found(study: StudyTables, name: str) -> Chart:
    return next(chart for some in charts(study).values() for chart in some if chart.name == name)


def test_gaps_stand_beside_the_papers(study: StudyTables) -> None:
    chart = found(study, "gaps")
    assert isinstance(chart, IntervalChart)
    marks = {series.name: {m.label: m.value for m in series.marks} for series in chart.series}
    label = "qwen3-8b on gsm8k (zero-shot)"
    assert marks["the paper, standard"][label] == pytest.approx(67.93 - 97.65)
    (row,) = (
        row
        for row in study.gaps
        if row.primary
        and row.headline
        and row.judge.grader == "standard"
        and (row.base.dataset, row.base.prompt) == ("gsm8k", "zero-shot")
    )
    assert marks["rules / standard"][label] == pytest.approx(100 * row.gap.difference.value)


def test_ends_add_up(study: StudyTables) -> None:
    chart = found(study, "ends")
    assert isinstance(chart, BarChart)
    np.testing.assert_allclose(np.sum([part.values for part in chart.parts], axis=0), 100)


def test_matrix_has_no_figure_on_its_diagonal(study: StudyTables) -> None:
    chart = found(study, "graders-0")
    assert isinstance(chart, MatrixChart)
    assert chart.labels == ("standard", "math-verify")
    assert np.isnan(np.diag(chart.values)).all()
    assert chart.values[0][1] > chart.values[1][0] == 0


def test_curves_and_sizes(study: StudyTables) -> None:
    curves, scale = found(study, "curves-0"), found(study, "scale")
    assert isinstance(curves, LineChart)
    assert [line.name for line in curves.lines] == [
        "base/cot",
        "base/t0.05",
        "instruct/cot",
        "instruct/t0.05",
    ]
    assert all(np.diff(line.ys).min() >= 0 for line in curves.lines)
    assert isinstance(scale, SizeChart)
    assert {size for sizes in scale.sizes for size in sizes} >= {8.2e9, 1.04e12}


def test_drops_of_the_studys_own_arms(study: StudyTables) -> None:
    chart = found(study, "drops")
    assert isinstance(chart, IntervalChart)
    # The paper gives no drop for this family.
    assert [series.name for series in chart.series] == [
        "base/cot, paired by problem",
        "base/cot, unpaired",
        "instruct/t0.05, paired by problem",
        "instruct/t0.05, unpaired",
    ]
    labels = {mark.label for series in chart.series for mark in series.marks}
    assert "qwen3-8b (zero-shot): math-500, level 5 → math-perturb-hard, whole sets" in labels


def test_every_chart_has_words_a_picture_and_a_figure(study: StudyTables) -> None:
    for chart in (chart for some in charts(study).values() for chart in some):
        assert chart.title in describe(chart)
        picture = draw(chart)
        assert picture.svg.startswith("<svg")
        assert picture.png.startswith(b"\x89PNG")
        assert json.loads(figure_json(chart))["data"]


def test_of_many_rows_the_first_are_drawn(make_run: Make) -> None:
    cells = [
        replace(make_cell(arm), prompt=f"p{i}")
        for i in range(60)
        for arm in ("base/cot", "instruct/t0.05")
    ]
    rows = [Samples(cell, "a", "0001") for cell in cells]
    chart = found(build_report(make_run(cells, [make_problem("a")], rows)), "gaps")
    assert isinstance(chart, IntervalChart)
    assert "(the first 48 of" in chart.title
    assert len({mark.label for series in chart.series for mark in series.marks}) == 48


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
