from dataclasses import replace

import pytest

from distlab.decoding.decoder import SampleOrder
from distlab.report import build_report
from distlab.report.questions.decoding import CONTROLS, GRID
from tests.runs.written import Make, Samples, make_cell, make_problem

ARMS = ("base/cot", "base/t0.05", "instruct/cot", "instruct/t0.05")
CELLS = {arm: make_cell(arm) for arm in ARMS}
PROBLEMS = [make_problem(f"p{i:02d}") for i in range(20)]


def solved(cell: str, first: int, **more: object) -> list[Samples]:
    """Samples of an arm that solves its first problems, with its last sample only."""
    return [
        Samples(CELLS[cell], problem.id, "0001" if place < first else "0000", **more)
        for place, problem in enumerate(PROBLEMS)
    ]


def test_gap_is_split_over_the_grid(make_run: Make) -> None:
    rows = [
        *solved("base/cot", 16),
        *solved("base/t0.05", 10),
        *solved("instruct/cot", 18),
        *solved("instruct/t0.05", 8),
    ]
    (row,) = build_report(make_run(list(CELLS.values()), PROBLEMS, rows)).rows(CONTROLS)
    parts = row.parts
    assert parts.total.value == pytest.approx(-0.4)
    assert parts.model.value == pytest.approx(0.1)
    assert parts.decoding.value == pytest.approx(-0.3)
    assert parts.interaction.value == pytest.approx(-0.2)


def test_grid_has_a_row_for_each_decoding(make_run: Make) -> None:
    greedy = {
        variant: replace(
            make_cell(f"{variant}/greedy", n=1), kind="greedy", order=SampleOrder.SINGLE
        )
        for variant in ("base", "instruct")
    }
    rows = [row for arm in ARMS for row in solved(arm, 10)]
    rows += [Samples(cell, p.id, "1") for cell in greedy.values() for p in PROBLEMS]
    study = build_report(make_run([*CELLS.values(), *greedy.values()], PROBLEMS, rows))
    assert [(row.metric, row.base.decoding) for row in study.rows(GRID)] == [
        ("Pass@4", "cot"),
        ("Pass@4", "t0.05"),
        ("pass@1", "cot"),
        ("pass@1", "t0.05"),
        ("pass@1", "greedy"),
    ]
    assert study.rows(GRID)[-1].effect.value > 0
