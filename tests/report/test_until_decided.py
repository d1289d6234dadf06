"""Drawn until decided: the gap with an interval that holds at any time, and no other claim."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distlab.compare.comparing import compare
from distlab.config.values import StoppingRule
from distlab.errors import UserError
from distlab.report import build_report, write_report
from distlab.report.decided_table import DECIDED
from distlab.report.gap_table import GAPS
from distlab.report.score_table import SCORES
from distlab.runs.decisions import Decision, Ending, Look, in_order
from distlab.runs.folder import RunFolder
from distlab.store.cell import ProblemFailure
from tests.report.answers import answers
from tests.runs.written import Make, Samples, make_cell, make_problem

COT = replace(make_cell("base/cot"), until_decided=True)
WARM = replace(make_cell("instruct/t0.05"), until_decided=True)
PROBLEMS = [make_problem(f"p{i:03}") for i in range(100)]
ORDER = [PROBLEMS[place].id for cluster in in_order(PROBLEMS, 7) for place in cluster]
DECISION = Decision(
    base=COT.key,
    instruct=WARM.key,
    rule=StoppingRule("gap", 0.05, 0.05, 1.0),
    seed=7,
    fingerprint="f00d",
    looks=(Look(40, (1, 2)), Look(20, (1, 1))),
    ending=Ending.DECIDED,
    all_problems=100,
    samples=160,
    of=800,
)
# Base solves nothing; instruct solves a problem in both draws, in one, or not at all.
DRAWN = [
    *(Samples(COT, name, "0") for name in ORDER[:60]),
    *(Samples(WARM, name, ("11", "10", "01", "11")[i % 4]) for i, name in enumerate(ORDER[:60])),
]


def make(make_run: Make, decision: Decision = DECISION, **more: object) -> Path:
    return make_run([COT, WARM], PROBLEMS, DRAWN, decisions=(decision,), **more)


def test_the_gap_is_over_the_draws_of_the_looks(make_run: Make) -> None:
    (row,) = build_report(make(make_run)).rows(DECIDED)
    # The second look counts one draw of a problem, although two are there: 3 of 4 are correct.
    assert row.gap.instruct == pytest.approx(0.75)
    assert (row.gap.base, row.gap.problems, row.conclusion) == (0, 60, "instruct")
    assert 0 < row.gap.difference.low < 0.75 < row.gap.difference.high < 1
    assert row.gap.p < 0.001


def test_nothing_is_claimed_that_stopping_takes_away(make_run: Make) -> None:
    study = build_report(make(make_run))
    assert study.rows(GAPS) == ()
    for row in study.rows(SCORES):
        scores = (row.pass_n, row.pass_1, row.majority, row.largest_delta, row.aggregate_delta)
        assert np.isnan([score.value for score in scores]).all()
    (reason,) = [sentence for sentence in study.cannot if "until=decided" in sentence]
    assert "Pass@n and maj@n of unfinished problems" in reason


def test_the_report_says_that_it_stopped_when_and_what_it_costs(make_run: Make) -> None:
    run = make(make_run)
    (said,) = answers(build_report(run), "gap")
    assert (
        "the instruct arm solves more (p < 0.001 after Holm over the report's claims). pass@1 of"
        in said.text
    )
    assert "over 60 of 100 problems (rules / standard; the interval holds at any time)" in said.text
    assert said.controls[0] == (
        "The study stopped since every judge it drew for could tell: at look 2, after 60 of 100 "
        "problems and 160 of 800 samples (20.0 %)."
    )
    assert said.controls[1].startswith("What stopping costs: Pass@n of problems that lack samples")
    page = write_report(run, build_report(run)).read_text()
    assert "valid" in page
    assert "after 60 of 100 problems" in page


@pytest.mark.parametrize(
    ("looks", "words"),
    [
        ((Look(3, (1, 1)),), "which arm solves more cannot be told here."),
        ((), "no problem has a score in both arms yet"),
    ],
)
def test_three_values(make_run: Make, looks: tuple[Look, ...], words: str) -> None:
    decision = replace(DECISION, looks=looks, ending=Ending.STOPPED, samples=6)
    (said,) = answers(build_report(make(make_run, decision)), "gap")
    assert words in said.text


def test_no_gap_that_matters(make_run: Make) -> None:
    same = [Samples(cell, p.id, "1") for cell in (COT, WARM) for p in PROBLEMS]
    looks = (Look(100, (1, 1)),)
    rule = replace(DECISION.rule, margin=0.3)
    decision = replace(DECISION, looks=looks, rule=rule, samples=200)
    run = make_run([COT, WARM], PROBLEMS, same, decisions=(decision,))
    (said,) = answers(build_report(run), "gap")
    assert "there is no gap of 30 points or more" in said.text


def test_judges_that_say_otherwise_are_named(make_run: Make) -> None:
    other = [
        replace(row, grader="prm800k", verdicts=row.verdicts.replace("1", "0")) for row in DRAWN
    ]
    run = make_run([COT, WARM], PROBLEMS, [*DRAWN, *other], decisions=(DECISION,))
    (said,) = answers(build_report(run), "gap")
    (warning,) = said.warnings
    assert "rules / prm800k: cannot tell, rules / standard: instruct solves more" in warning


def test_what_failed_is_unsolved_and_what_was_set_aside_is_missing(make_run: Make) -> None:
    failures = [
        ProblemFailure(WARM.key, ORDER[0], "too long"),
        ProblemFailure(WARM.key, ORDER[1], "engines died of it", set_aside=True),
    ]
    rows = [row for row in DRAWN if row.problem not in ORDER[:2] or row.cell == COT]
    run = make_run([COT, WARM], PROBLEMS, rows, failures, decisions=(DECISION,))
    (row,) = build_report(run).rows(DECIDED)
    assert row.gap.problems == 59
    assert row.gap.instruct == pytest.approx((0.75 * 60 - 1 - 0.5) / 59)


def test_the_manifest_keeps_the_decision(make_run: Make) -> None:
    manifest = RunFolder(make(make_run)).read_manifest()
    assert manifest.decisions == (DECISION,)


def test_compare_takes_no_score_of_it(make_run: Make) -> None:
    run = make(make_run)
    with pytest.raises(UserError, match="was drawn until decided: no score of it can be compared"):
        compare([run, run])
