from dataclasses import replace

import numpy as np

from distlab.report import build_report
from distlab.report.charts.kinds import MatrixChart
from distlab.report.findings import findings
from distlab.report.markdown_report import render_markdown
from distlab.report.questions.judges import DISAGREEMENTS, EXAMPLES
from distlab.report.table import StudyTables
from tests.report.answers import COT, PROBLEMS, WARM, answers, arm, chart_of
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


def test_the_difference_between_graders_stands_beside_the_papers(make_run: Make) -> None:
    """Qwen3 14B on MATH-500: -10.8 under the standard grader, -0.8 under Math-Verify."""
    cells = [
        replace(make_cell(arm, "math-500"), family="qwen3-14b")
        for arm in ("base/cot", "instruct/t0.05")
    ]
    problems = [make_problem(f"p{place:02d}", "math-500") for place in range(40)]
    rows = [
        Samples(cell, p.id, "0001" if place < solved else "0000", grader=grader)
        for grader, counts in (("standard", (30, 10)), ("math-verify", (30, 28)))
        for cell, solved in zip(cells, counts, strict=True)
        for place, p in enumerate(problems)
    ]
    said = answers(build_report(make_run(cells, problems, rows)), "judges")[0]
    between = next(text for text in said.controls if text.startswith("The gap under"))
    assert "rules / standard minus that under rules / math-verify is −45.0 (" in between
    assert "the paper's figure: −10.0, from −0.8 to −10.8, without an interval" in between


def test_a_difference_that_the_paper_does_not_have(make_run: Make) -> None:
    rows = [*arm(COT, 30), *arm(WARM, 10), *arm(COT, 30, grader="x"), *arm(WARM, 28, grader="x")]
    said = answers(build_report(make_run([COT, WARM], PROBLEMS, rows)), "judges")[0]
    assert any(text.endswith("the paper's figure: not published.") for text in said.controls)
