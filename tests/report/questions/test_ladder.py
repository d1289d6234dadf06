"""Which stage gives and which takes, over stages that solve so many of some problems."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from distlab.analysis.claims import Kind
from distlab.report import build_report
from distlab.report.charts.kinds import IntervalChart
from distlab.report.findings import findings
from distlab.report.questions.ladder import STAGE_CROSSINGS, STAGES
from distlab.report.scoreboard import board
from distlab.report.table import StudyTables
from tests.report.answers import answers, chart_of
from tests.runs.written import Make, Samples, make_cell, make_problem

PROBLEMS = [make_problem(f"p{place:03d}") for place in range(200)]
ARMS = ("base/t0.05", "sft/t0.05", "dpo/t0.05", "rl/t0.05")


def marks(solved: Sequence[int], right: str = "0001") -> list[str]:
    """Verdicts of 200 problems, of which those in a range are solved."""
    return [right if place in solved else "0000" for place in range(len(PROBLEMS))]


def study(
    make_run: Make,
    verdicts: dict[str, list[str]],
    cluster: int = 1,
    pairs: list[list[str]] | None = None,
) -> StudyTables:
    problems = [replace(p, cluster=f"c{i // cluster}") for i, p in enumerate(PROBLEMS)]
    cells = {arm: make_cell(arm) for arm in verdicts}
    rows = [
        Samples(cells[arm], problem.id, each)
        for arm, found in verdicts.items()
        for problem, each in zip(PROBLEMS, found, strict=True)
    ]
    config = {"report": {"pairs": pairs or []}}
    return build_report(make_run(list(cells.values()), problems, rows, config=config))


def four_stages(make_run: Make, cluster: int = 1) -> StudyTables:
    """SFT gives 80 problems and forgets none, DPO takes 40, RL changes nothing."""
    solved = (range(60), range(140), range(100), range(100))
    return study(make_run, dict(zip(ARMS, map(marks, solved), strict=True)), cluster)


def test_who_gives_and_who_takes_is_told_of_each_stage(make_run: Make) -> None:
    tables = four_stages(make_run)
    said, one, crossing = answers(tables, "ladder")
    assert said.text == (
        "tiny on gsm-symbolic (zero-shot), Pass@4: Each stage against the one before: sft gives; "
        "dpo takes; rl solves as much, within 5.0 points. Against the first, base: dpo and rl give."
    )
    assert said.controls[0].startswith("base/t0.05 → sft/t0.05: +40.0 (")
    assert "points over 200 problems (p < 0.001 after Holm" in said.controls[0]
    assert said.controls[0].endswith("; 80 learnt, 0 forgotten.")
    assert not said.warnings
    assert one.text.startswith("tiny on gsm-symbolic (zero-shot), pass@1: ")
    assert "learnt" not in one.controls[0]
    assert "The same stage solves more at k = 1 and at the largest k: base → sft" in crossing.text


def test_the_tables_have_every_stage_with_the_one_before_and_with_the_first(
    make_run: Make,
) -> None:
    rows = [row for row in four_stages(make_run).rows(STAGES) if row.metric == "Pass@4"]
    found = [
        (
            *(row.base.variant, row.instruct.variant, str(row.against)),
            *(row.gap.instruct_only, row.gap.base_only),
        )
        for row in rows
    ]
    assert found == [
        ("base", "sft", "the one before", 80, 0),
        ("sft", "dpo", "the one before", 0, 40),
        ("base", "dpo", "the first", 40, 0),
        ("dpo", "rl", "the one before", 0, 0),
        ("base", "rl", "the first", 40, 0),
    ]


def test_what_few_sources_share_is_not_told(make_run: Make) -> None:
    """80 problems learnt, all of them of two sources: McNemar's test alone would tell them."""
    tables = four_stages(make_run, cluster=40)
    said = answers(tables, "ladder")[0]
    assert "of sft, dpo" in said.text
    assert "sources" in said.controls[0]
    (row,) = (
        r for r in tables.rows(STAGES) if r.metric == "Pass@4" and r.instruct.variant == "sft"
    )
    assert row.gap.mcnemar < 1e-10
    assert row.gap.difference.p > 0.05


def test_where_curves_cross_is_told(make_run: Make) -> None:
    """As RL on top of a base: more of the first draws right, fewer problems within four."""
    base = marks(range(150))
    sure = marks(range(90), right="1111")
    tables = study(make_run, {"base/t0.05": base, "sft/t0.05": base, "rl/t0.05": sure})
    crossing = answers(tables, "ladder")[-1]
    assert crossing.text == (
        "tiny on gsm-symbolic (zero-shot): The pass@k curves cross: sft → rl and base → rl. "
        "Whether they cross cannot be told: base → sft."
    )
    assert crossing.controls[0].startswith("sft/t0.05 → rl/t0.05: +26.2 (")
    assert crossing.controls[0].endswith("; the observed curves cross at k = 2.40 [2, 3].")
    crossed = [row.at.value for row in tables.rows(STAGE_CROSSINGS)]
    assert crossed == pytest.approx([math.nan, 2.4, 2.4], nan_ok=True)


def test_stages_that_are_decoded_alike_are_compared_so_and_others_warned_of(
    make_run: Make,
) -> None:
    half = marks(range(100))
    arms = ("base/cot", "base/t0.05", "sft/t0.05", "rl/t0.05")
    shared = study(make_run, dict.fromkeys(arms, half))
    assert {row.base.arm for row in shared.rows(STAGES)} == {"base/t0.05", "sft/t0.05"}
    assert not answers(shared, "ladder")[0].warnings
    apart = study(make_run, dict.fromkeys(("base/cot", "sft/t0.05", "rl/t0.05"), half))
    (warning,) = answers(apart, "ladder")[0].warnings
    assert warning.startswith("base/cot → sft/t0.05 is a step of decoding as well as of model")
    # Ranked branches and independent draws have no curves to compare.
    assert {row.base.variant for row in apart.rows(STAGE_CROSSINGS)} == {"sft"}


def test_the_headline_is_the_last_stage_against_the_first_and_others_on_request(
    make_run: Make,
) -> None:
    tables = four_stages(make_run)
    assert [(r.base.cell.variant, r.instruct.cell.variant) for r in board(tables)] == [
        ("base", "rl")
    ]
    (gap,) = answers(tables, "gap")
    assert gap.text.startswith(
        "tiny on gsm-symbolic (zero-shot), rl − base: the rl arm solves more ("
    )
    asked = findings(tables)[0]
    assert asked.question == "Does the last stage solve more than the first?"
    assert "rl arm" in asked.tables[1].titles
    half = marks(range(100))
    more = study(make_run, dict.fromkeys(ARMS, half), pairs=[["sft", "dpo"]])
    assert [row.gap.row.base.variant for row in board(more) if row.gap] == ["base", "sft"]
    assert "later arm" in findings(more)[0].tables[1].titles


def test_every_stage_is_drawn_with_its_interval(make_run: Make) -> None:
    chart = chart_of(four_stages(make_run), "stages-0")
    assert isinstance(chart, IntervalChart)
    assert [series.name for series in chart.series] == ["Pass@n", "pass@1"]
    assert [(mark.label, mark.value) for mark in chart.series[0].marks] == [
        *(("base", 30.0), ("sft", 70.0), ("dpo", 50.0), ("rl", 50.0))
    ]
    assert all(mark.low < mark.value < mark.high for mark in chart.series[0].marks)


def test_base_and_instruct_alone_are_asked_nothing_of_it(make_run: Make) -> None:
    half = marks(range(100))
    pair = study(make_run, {"base/t0.05": half, "instruct/t0.05": half})
    assert "ladder" not in {finding.name for finding in findings(pair)}
    assert not [key for key in pair.family.decisions if key[0] in (Kind.STAGE, Kind.STAGES_CROSS)]
