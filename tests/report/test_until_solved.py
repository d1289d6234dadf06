"""Drawn until solved: Pass@n as with all samples drawn, and nothing that would be biased."""

from dataclasses import replace

import numpy as np

from distlab.report import build_report, write_report
from distlab.report.gap_table import GAPS
from distlab.report.questions.ends import CURVES
from distlab.report.questions.guessing import REASONING
from distlab.report.questions.judges import AGREEMENT
from distlab.report.score_table import SCORES
from tests.runs.written import Make, Samples, make_cell, make_problem

COT = replace(make_cell("base/cot"), until_solved=True)
WARM = replace(make_cell("instruct/t0.05"), until_solved=True)
PROBLEMS = [make_problem(name) for name in "abc"]
ROWS = [
    Samples(COT, "a", "1"),
    Samples(COT, "b", "0001"),
    Samples(COT, "c", "00-t"),
    Samples(WARM, "a", "01"),
    Samples(WARM, "b", "0000"),
    Samples(WARM, "c", "0000"),
]


def test_pass_at_n_alone_is_said(make_run: Make) -> None:
    study = build_report(make_run([COT, WARM], PROBLEMS, ROWS))
    base, instruct = study.rows(SCORES)
    assert (base.pass_n.value, instruct.pass_n.value) == (2 / 3, 1 / 3)
    assert (base.scored, base.incomplete, base.samples) == (3, 0, 9)
    for row in study.rows(SCORES):
        single = (row.pass_1, row.majority, row.largest_delta, row.aggregate_delta)
        rates = (row.no_answer.value, row.truncated.value, row.distinct, row.missed.value)
        assert np.isnan([*(estimate.value for estimate in single), *rates]).all()
    for curve in study.rows(CURVES):
        assert np.isnan([value.value for value in curve.values[:-1]]).all()
    assert [row.metric for row in study.rows(GAPS)] == ["Pass@4"]
    assert (study.rows(AGREEMENT), study.rows(REASONING)) == ((), ())


def test_the_report_says_why(make_run: Make) -> None:
    run = make_run([COT, WARM], PROBLEMS, ROWS)
    study = build_report(run)
    (reason,) = [sentence for sentence in study.cannot if "until=solved" in sentence]
    assert "would be biased" in reason
    written = write_report(run, study)
    assert "would be biased and are left out" in written.read_text()


def test_it_equals_the_run_that_draws_everything(make_run: Make) -> None:
    drawn = [replace(row, cell=replace(row.cell, until_solved=False)) for row in ROWS]
    whole = [replace(row, verdicts=row.verdicts.ljust(4, "1")) for row in drawn]
    full = build_report(make_run([row.cell for row in (whole[0], whole[3])], PROBLEMS, whole))
    part = build_report(make_run([COT, WARM], PROBLEMS, ROWS))
    assert [row.pass_n for row in part.rows(SCORES)] == [row.pass_n for row in full.rows(SCORES)]
    assert part.rows(GAPS)[0].gap == full.rows(GAPS)[0].gap


def test_a_judge_that_the_run_did_not_stop_for_gets_no_pass_at_n(make_run: Make) -> None:
    other = [replace(row, grader="prm800k") for row in ROWS]
    other[0] = replace(other[0], verdicts="0")
    study = build_report(make_run([COT, WARM], PROBLEMS, [*ROWS, *other]))
    base = {row.judge.grader: row for row in study.rows(SCORES) if row.cell == COT}
    assert base["standard"].pass_n.value == 2 / 3
    assert np.isnan(base["prm800k"].pass_n.value)
    assert any("stopped early at 1 problem" in sentence for sentence in study.cannot)
