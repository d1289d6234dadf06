import numpy as np

from distlab.report import build_report
from distlab.report.charts.kinds import MatrixChart
from distlab.report.findings import findings
from distlab.report.markdown_report import render_markdown
from distlab.report.questions.judges import DISAGREEMENTS, EXAMPLES
from distlab.report.table import StudyTables
from tests.report.answers import chart_of
from tests.runs.written import Make, Samples, make_cell, make_problem

CELL = make_cell(n=2)
HOSTILE = "<b>| \x1b[31m" + "x" * 5_000_000


def test_examples_name_gold_and_answer(make_run: Make) -> None:
    rows = [
        Samples(CELL, "a", "01", ("8", "7.0"), grader="lenient"),
        Samples(CELL, "a", "00", ("8", "7.0"), grader="strict"),
        Samples(CELL, "b", "00", ("8", HOSTILE), grader="lenient"),
        Samples(CELL, "b", "0t", ("8", HOSTILE), grader="strict"),
        Samples(CELL, "c", "10", (HOSTILE, "8"), grader="strict"),
        Samples(CELL, "c", "t0", (HOSTILE, "8"), grader="lenient"),
    ]
    run = make_run([CELL], [make_problem(name) for name in "abc"], rows)
    study = build_report(run)
    first, second = study.rows(DISAGREEMENTS)
    assert (first.sample.problem_id, first.sample.rank) == ("a", 1)
    assert (first.accepts, first.rejects) == ("lenient", "strict")
    assert (first.gold, first.answer) == ("7", "7.0")
    assert (second.accepts, second.sample.problem_id) == ("strict", "c")
    text = render_markdown(study, findings(study))
    assert "&#60;b&#62;&#124;" in text
    assert "\x1b" not in text
    assert len(text) < 20_000


def test_few_are_shown(make_run: Make) -> None:
    problems = [make_problem(f"p{i}") for i in range(20)]
    rows = [
        Samples(CELL, problem.id, verdicts, ("7.0", "7.0"), grader=grader)
        for problem in problems
        for grader, verdicts in (("lenient", "11"), ("strict", "00"))
    ]
    study = build_report(make_run([CELL], problems, rows))
    assert len(study.rows(DISAGREEMENTS)) == EXAMPLES
    assert len({row.sample.problem_id for row in study.rows(DISAGREEMENTS)}) == EXAMPLES


def test_agreeing_graders_have_none(make_run: Make) -> None:
    rows = [Samples(CELL, "a", "10", grader=grader) for grader in ("lenient", "strict")]
    assert build_report(make_run([CELL], [make_problem("a")], rows)).rows(DISAGREEMENTS) == ()


def test_matrix_has_no_figure_on_its_diagonal(full_study: StudyTables) -> None:
    chart = chart_of(full_study, "graders-0")
    assert isinstance(chart, MatrixChart)
    assert chart.labels == ("standard", "math-verify")
    assert np.isnan(np.diag(chart.values)).all()
    assert chart.values[0][1] > chart.values[1][0] == 0
