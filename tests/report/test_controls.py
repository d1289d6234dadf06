from dataclasses import replace

import numpy as np
import pytest

from distlab.report import build_report
from distlab.store.cell import ProblemFailure
from tests.runs.written import Make, Samples, make_cell, make_problem

ARMS = ("base/cot", "base/t0.05", "instruct/cot", "instruct/t0.05")
GRID = {arm: make_cell(arm) for arm in ARMS}
PROBLEMS = [make_problem(f"p{i:02d}") for i in range(20)]


def solved(cell: str, first: int, **more: object) -> list[Samples]:
    """Samples of an arm that solves its first problems, with its last sample only."""
    return [
        Samples(GRID[cell], problem.id, "0001" if place < first else "0000", **more)
        for place, problem in enumerate(PROBLEMS)
    ]


def test_gap_is_split_over_the_grid(make_run: Make) -> None:
    rows = [
        *solved("base/cot", 16),
        *solved("base/t0.05", 10),
        *solved("instruct/cot", 18),
        *solved("instruct/t0.05", 8),
    ]
    (row,) = build_report(make_run(list(GRID.values()), PROBLEMS, rows)).controls
    parts = row.parts
    assert parts.total.value == pytest.approx(-0.4)
    assert parts.model.value == pytest.approx(0.1)
    assert parts.decoding.value == pytest.approx(-0.3)
    assert parts.interaction.value == pytest.approx(-0.2)


def test_grid_has_a_row_for_each_decoding(make_run: Make) -> None:
    greedy = {
        variant: replace(make_cell(f"{variant}/greedy", n=1), kind="greedy")
        for variant in ("base", "instruct")
    }
    rows = [row for arm in ARMS for row in solved(arm, 10)]
    rows += [Samples(cell, p.id, "1") for cell in greedy.values() for p in PROBLEMS]
    study = build_report(make_run([*GRID.values(), *greedy.values()], PROBLEMS, rows))
    assert [(row.metric, row.base.decoding) for row in study.grid] == [
        ("Pass@4", "cot"),
        ("Pass@4", "t0.05"),
        ("pass@1", "cot"),
        ("pass@1", "t0.05"),
        ("pass@1", "greedy"),
    ]
    assert study.grid[-1].effect.value > 0


def test_pass_over_samples_that_reason(make_run: Make) -> None:
    rows = [
        *(Samples(GRID["base/cot"], p.id, "1000", start=3) for p in PROBLEMS[:10]),
        *(Samples(GRID["base/cot"], p.id, "1000", start=300) for p in PROBLEMS[10:15]),
        *(Samples(GRID["base/cot"], p.id, "----") for p in PROBLEMS[15:19]),
    ]
    failures = [ProblemFailure(GRID["base/cot"].key, "p19", "too long")]
    (row,) = build_report(make_run([GRID["base/cot"]], PROBLEMS, rows, failures)).reasoning
    assert row.pass_n.value == 15 / 20
    assert row.reasoned.value == 5 / 20
    assert row.share == 20 / 76


def test_prompts_are_paired(make_run: Make) -> None:
    zero, few = make_cell(), replace(make_cell(), prompt="few-shot")
    rows = [Samples(zero, p.id, "1111") for p in PROBLEMS]
    rows += [Samples(few, p.id, "1111" if p.id < "p05" else "0000") for p in PROBLEMS]
    (row,) = build_report(make_run([zero, few], PROBLEMS, rows)).prompts
    assert (row.before, row.after, row.change.value) == (1, 0.25, -0.75)
    assert row.change.high < 0


def test_strata(make_run: Make) -> None:
    problems = [
        replace(problem, strata={"level": str(place % 2)}) for place, problem in enumerate(PROBLEMS)
    ]
    rows = [Samples(GRID["base/cot"], p.id, "1111") for p in problems]
    rows += [
        Samples(GRID["instruct/t0.05"], p.id, "1111" if p.strata["level"] == "1" else "0000")
        for p in problems
    ]
    cells = [GRID["base/cot"], GRID["instruct/t0.05"]]
    strata = build_report(make_run(cells, problems, rows)).strata
    assert [(row.stratum, row.value, row.gap.problems) for row in strata] == [
        ("level", "0", 10),
        ("level", "1", 10),
    ]
    assert [row.gap.difference.value for row in strata] == [-1, 0]
    assert np.isnan(strata[0].gap.difference.low)
