import numpy as np
import pytest

from distlab.report import build_report
from distlab.report.questions.ends import CURVES
from distlab.report.score_table import SCORES
from distlab.store.cell import ProblemFailure
from tests.runs.written import Make, Samples, make_cell, make_problem

COT = make_cell("base/cot")
WARM = make_cell("instruct/t0.05")
PROBLEMS = [make_problem(name) for name in "abcd"]


def test_scores_of_an_arm(make_run: Make) -> None:
    rows = [
        Samples(WARM, "a", "1000", ("7", "8", "8", "9"), truncated=True),
        Samples(WARM, "b", "1111"),
        Samples(WARM, "c", "---t"),
        Samples(WARM, "d", "0000"),
    ]
    (row,) = build_report(make_run([WARM], PROBLEMS, rows)).rows(SCORES)
    assert (row.problems, row.scored, row.failed, row.incomplete) == (4, 4, 0, 0)
    assert row.pass_n.value == 0.5
    assert row.pass_1.value == pytest.approx((0.25 + 1) / 4)
    assert row.majority.value == 0.25
    assert np.isnan(row.largest_delta.value)
    assert row.no_answer.value == 3 / 16
    assert row.truncated.value == 0.25
    assert row.unjudged == 1
    assert row.distinct == (3 + 1 + 1 + 1) / 4


def test_cot_scores_by_rank_and_by_delta(make_run: Make) -> None:
    rows = [Samples(COT, "a", "0110", ("8", "7", "7", "8"), deltas=(0.9, 0.5, 0.5, None))]
    study = build_report(make_run([COT], PROBLEMS[:1], rows))
    assert study.rows(SCORES)[0].pass_1.value == 0
    assert study.rows(SCORES)[0].largest_delta.value == 0
    assert study.rows(SCORES)[0].aggregate_delta.value == 1
    curve = [value.value for value in study.rows(CURVES)[0].values]
    np.testing.assert_array_equal(curve, [0, 1, 1, 1])


def test_samples_outweigh_a_listed_failure(make_run: Make) -> None:
    failures = [ProblemFailure(WARM.key, "a", "engine died")]
    study = build_report(make_run([WARM], PROBLEMS[:1], [Samples(WARM, "a", "1111")], failures))
    assert (study.rows(SCORES)[0].failed, study.rows(SCORES)[0].pass_n.value) == (0, 1)


def test_problems_that_a_grader_does_not_judge(make_run: Make) -> None:
    rows = [Samples(WARM, name, "1111", grader="medcalc") for name in "abc"]
    rows += [Samples(WARM, "a", "0000")]
    config = {"grader": {"use": {"standard": {}, "medcalc": {}}}}
    study = build_report(make_run([WARM], PROBLEMS, rows, config=config))
    standard, medcalc = study.rows(SCORES)
    assert (standard.scored, standard.outside, standard.incomplete) == (1, 2, 1)
    assert (medcalc.scored, medcalc.outside, medcalc.incomplete) == (3, 0, 1)
    assert study.headlines[WARM.key] == medcalc.judge
