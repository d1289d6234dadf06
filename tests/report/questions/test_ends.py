import numpy as np

from distlab.report.charts.kinds import BarChart, LineChart
from distlab.report.table import StudyTables
from tests.report.answers import chart_of


def test_ends_add_up(full_study: StudyTables) -> None:
    chart = chart_of(full_study, "ends")
    assert isinstance(chart, BarChart)
    np.testing.assert_allclose(np.sum([part.values for part in chart.parts], axis=0), 100)


def test_curves_climb_with_k(full_study: StudyTables) -> None:
    curves = chart_of(full_study, "curves-0")
    assert isinstance(curves, LineChart)
    assert [line.name for line in curves.panels[0].lines] == [
        "base/cot",
        "base/t0.05",
        "instruct/cot",
        "instruct/t0.05",
    ]
    assert all(np.diff(line.ys).min() >= 0 for panel in curves.panels for line in panel.lines)
