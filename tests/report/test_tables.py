from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from distlab.report import build_report
from distlab.runs.pairing import comparisons
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
    (row,) = build_report(make_run([WARM], PROBLEMS, rows)).arms
    assert (row.problems, row.scored, row.failed, row.incomplete) == (4, 4, 0, 0)
    assert row.pass_n.value == 0.5
    assert row.pass_1.value == pytest.approx((0.25 + 1) / 4)
    assert row.majority.value == 0.25
    assert np.isnan(row.largest_delta.value)
    assert row.no_answer == 3 / 16
    assert row.truncated == 0.25
    assert row.unjudged == 1
    assert row.distinct == (3 + 1 + 1 + 1) / 4


def test_cot_scores_by_rank_and_by_delta(make_run: Make) -> None:
    rows = [Samples(COT, "a", "0110", ("8", "7", "7", "8"), deltas=(0.9, 0.5, 0.5, None))]
    study = build_report(make_run([COT], PROBLEMS[:1], rows))
    assert study.arms[0].pass_1.value == 0
    assert study.arms[0].largest_delta.value == 0
    assert study.arms[0].aggregate_delta.value == 1
    np.testing.assert_array_equal(study.curves[0].values, [0, 1, 1, 1])


def test_a_failed_problem_is_unsolved_and_an_unfinished_one_has_no_score(make_run: Make) -> None:
    rows = [
        *(Samples(COT, name, "0001") for name in "abc"),
        Samples(COT, "d", "11"),
        *(Samples(WARM, name, "1111") for name in "abd"),
    ]
    failures = [ProblemFailure(WARM.key, "c", "prompt too long")]
    study = build_report(make_run([COT, WARM], PROBLEMS, rows, failures))
    base, instruct = study.arms
    assert (base.scored, base.incomplete, base.failed) == (3, 1, 0)
    assert base.pass_n.value == 1
    assert (instruct.scored, instruct.incomplete, instruct.failed) == (4, 0, 1)
    assert instruct.pass_n.value == 0.75
    gap = next(row for row in study.gaps if row.metric == "Pass@4")
    assert gap.gap.problems == 3
    assert gap.gap.difference.value == pytest.approx(-1 / 3)
    assert (gap.gap.base_only, gap.gap.instruct_only) == (1, 0)
    assert gap.sampled.problems == 2
    assert gap.sampled.difference.value == 0


def test_samples_outweigh_a_listed_failure(make_run: Make) -> None:
    failures = [ProblemFailure(WARM.key, "a", "engine died")]
    study = build_report(make_run([WARM], PROBLEMS[:1], [Samples(WARM, "a", "1111")], failures))
    assert (study.arms[0].failed, study.arms[0].pass_n.value) == (0, 1)


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
    gaps = {row.judge.grader: row for row in study.gaps if row.metric == "Pass@4"}
    assert gaps["standard"].gap.difference.value == -1
    assert gaps["strict"].gap.difference.value > 0
    assert gaps["standard"].holm >= gaps["standard"].gap.p
    row = next(row for row in study.winners if row.metric == "Pass@4")
    assert row.flips
    assert row.winners[gaps["strict"].judge] == "instruct"
    first = study.agreements[0]
    assert (first.first, first.second, first.first_solves) == ("standard", "strict", 20)


def test_perturbation_drop_of_twins(make_run: Make) -> None:
    problems = []
    for i in range(10):
        problems.append(make_problem(f"s{i}", pair=f"p{i}", side="seed"))
        problems.append(make_problem(f"t{i}", pair=f"p{i}", side="twin"))
    rows = [Samples(COT, p.id, "0001") for p in problems]
    rows += [
        Samples(WARM, p.id, "0000" if p.side == "twin" and p.id < "t5" else "1111")
        for p in problems
    ]
    study = build_report(make_run([COT, WARM], problems, rows))
    base, instruct = study.drops
    assert base.drop.change.value == 0
    assert instruct.drop.change.value == -0.5
    assert instruct.unpaired.value == -0.5
    assert instruct.drop.pairs == 10
    (difference,) = study.drop_gaps
    assert (difference.pairs, difference.difference.value) == (10, -0.5)


def test_perturbation_drop_over_datasets(make_run: Make) -> None:
    simple, hard = make_cell(dataset="simple"), make_cell(dataset="hard")
    problems = [make_problem(f"s{i}", "simple", f"p{i}", "simple") for i in range(3)]
    problems += [make_problem(f"h{i}", "hard", f"p{i}", "hard") for i in range(2)]
    rows = [Samples(simple, f"s{i}", "1111") for i in range(3)]
    rows += [Samples(hard, "h0", "0000"), Samples(hard, "h1", "1111")]
    (row,) = build_report(make_run([simple, hard], problems, rows)).drops
    assert (row.sides.before_dataset, row.sides.after_dataset) == ("simple", "hard")
    assert (row.drop.pairs, row.drop.change.value, row.unpaired.value) == (2, -0.5, -0.5)


def test_comparisons_are_the_study_and_its_matched_controls() -> None:
    cells = [
        make_cell(f"{variant}/{decoding}")
        for variant, decoding in product(("base", "instruct"), ("cot", "t0.05"))
    ]
    found = [(c.base.arm, c.instruct.arm, c.primary) for c in comparisons(cells)]
    assert found == [
        ("base/cot", "instruct/t0.05", True),
        ("base/cot", "instruct/cot", False),
        ("base/t0.05", "instruct/t0.05", False),
    ]
    warm = [(c.base.arm, c.instruct.arm, c.primary) for c in comparisons([cells[1], cells[2]])]
    assert warm == [("base/t0.05", "instruct/cot", True)]
    assert not list(comparisons(cells[:2]))


def test_arms_of_different_n_meet_at_the_smaller(make_run: Make) -> None:
    greedy = replace(make_cell("instruct/greedy", n=1), kind="greedy")
    rows = [Samples(COT, "a", "0111"), Samples(greedy, "a", "1")]
    study = build_report(make_run([COT, greedy], PROBLEMS[:1], rows))
    assert [row.metric for row in study.gaps] == ["pass@1", "one answer"]
    assert study.gaps[0].gap.difference.value == 1
    assert any("compared at k = 1" in sentence for sentence in study.cannot)


def test_what_cannot_be_said(make_run: Make) -> None:
    assert "nothing to report" in build_report(make_run([COT, WARM], PROBLEMS)).cannot[0]
    single = make_cell("instruct/t0.05", n=1)
    rows = [Samples(single, name, "1") for name in "abcd"]
    sentences = " ".join(build_report(make_run([single], PROBLEMS, rows)).cannot)
    for part in ("one sample a problem", "one variant only", "no perturbation drop", "One grader"):
        assert part in sentences


def test_a_cell_without_verdicts(make_run: Make) -> None:
    study = build_report(make_run([COT, WARM], PROBLEMS, [Samples(COT, "a", "1111")]))
    assert study.gaps == ()
    assert any(WARM.key in sentence for sentence in study.cannot)


def test_problems_that_a_grader_does_not_judge(make_run: Make) -> None:
    rows = [Samples(WARM, name, "1111", grader="medcalc") for name in "abc"]
    rows += [Samples(WARM, "a", "0000")]
    config = {"grader": {"use": {"standard": {}, "medcalc": {}}}}
    study = build_report(make_run([WARM], PROBLEMS, rows, config=config))
    standard, medcalc = study.arms
    assert (standard.scored, standard.outside, standard.incomplete) == (1, 2, 1)
    assert (medcalc.scored, medcalc.outside, medcalc.incomplete) == (3, 0, 1)
    assert study.headlines[WARM.key] == medcalc.judge
