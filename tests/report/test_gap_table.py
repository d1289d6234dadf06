from dataclasses import replace

import pytest

from distlab.analysis.claims import Kind
from distlab.decoding.decoder import SampleOrder
from distlab.report import build_report
from distlab.report.gap_table import GAPS
from distlab.report.questions.judges import AGREEMENT, WINNERS
from distlab.report.score_table import SCORES
from distlab.store.cell import ProblemFailure
from tests.runs.written import Make, Samples, make_cell, make_problem

COT = make_cell("base/cot")
WARM = make_cell("instruct/t0.05")
PROBLEMS = [make_problem(name) for name in "abcd"]


def test_a_failed_problem_is_unsolved_and_an_unfinished_one_has_no_score(make_run: Make) -> None:
    rows = [
        *(Samples(COT, name, "0001") for name in "abc"),
        Samples(COT, "d", "11"),
        *(Samples(WARM, name, "1111") for name in "abd"),
    ]
    failures = [ProblemFailure(WARM.key, "c", "prompt too long")]
    study = build_report(make_run([COT, WARM], PROBLEMS, rows, failures))
    base, instruct = study.rows(SCORES)
    assert (base.scored, base.incomplete, base.failed) == (3, 1, 0)
    assert base.pass_n.value == 1
    assert (instruct.scored, instruct.incomplete, instruct.failed) == (4, 0, 1)
    assert instruct.pass_n.value == 0.75
    gap = next(row for row in study.rows(GAPS) if row.metric == "Pass@4")
    assert gap.gap.problems == 3
    assert gap.gap.difference.value == pytest.approx(-1 / 3)
    assert (gap.gap.base_only, gap.gap.instruct_only) == (1, 0)
    assert gap.sampled.problems == 2
    assert gap.sampled.difference.value == 0


def test_gap_per_grader_and_flip_of_the_winner(make_run: Make) -> None:
    problems = [make_problem(f"p{i}") for i in range(20)]
    rows = []
    for problem in problems:
        rows += [Samples(COT, problem.id, "0001"), Samples(WARM, problem.id, "0000")]
        rows += [
            Samples(COT, problem.id, "0000", grader="strict"),
            Samples(WARM, problem.id, "1111" if problem.id < "p15" else "0000", grader="strict"),
        ]
    study = build_report(make_run([COT, WARM], problems, rows))
    gaps = {row.judge.grader: row for row in study.rows(GAPS) if row.metric == "Pass@4"}
    assert gaps["standard"].gap.difference.value == -1
    assert gaps["strict"].gap.difference.value > 0
    decision = study.decision(Kind.GAP, gaps["standard"].key)
    assert decision.yes >= gaps["standard"].gap.difference.p
    row = next(row for row in study.rows(WINNERS) if row.metric == "Pass@4")
    assert row.gaps[gaps["strict"].judge] == gaps["strict"].gap.difference
    (difference,) = row.differences.values()
    assert difference.value == pytest.approx(gaps["strict"].gap.difference.value + 1)
    first = study.rows(AGREEMENT)[0]
    assert (first.first, first.second, first.first_solves) == ("standard", "strict", 20)


def test_arms_of_different_n_meet_at_the_smaller(make_run: Make) -> None:
    greedy = replace(make_cell("instruct/greedy", n=1), kind="greedy", order=SampleOrder.SINGLE)
    rows = [Samples(COT, "a", "0111"), Samples(greedy, "a", "1")]
    study = build_report(make_run([COT, greedy], PROBLEMS[:1], rows))
    assert [row.metric for row in study.rows(GAPS)] == ["pass@1", "one answer"]
    assert study.rows(GAPS)[0].gap.difference.value == 1
    assert any("compared at k = 1" in sentence for sentence in study.cannot)
