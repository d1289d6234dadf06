import math
from dataclasses import replace

import pytest

from distlab.report import build_report
from distlab.report.charts.kinds import LineChart
from distlab.report.gap_table import GAPS
from distlab.report.questions.cost import CROSSINGS, Spent
from distlab.report.table import StudyTables
from distlab.store.cell import Cell
from tests.report.answers import answers, chart_of
from tests.runs.written import Make, Samples, make_cell, make_problem

BASE, INSTRUCT = make_cell("base/t0.05"), make_cell("instruct/t0.05")


def drawn(cell: Cell, marks: str, solved: int, n: int, tokens: int = 10) -> list[Samples]:
    return [
        Samples(cell, f"q{place:03d}", marks if place < solved else "0000", tokens=tokens)
        for place in range(n)
    ]


def written(make_run: Make, base: list[Samples], instruct: list[Samples]) -> StudyTables:
    problems = [make_problem(sample.problem) for sample in base]
    return build_report(make_run([BASE, INSTRUCT], problems, [*base, *instruct]))


def test_the_winner_turns_with_the_samples(make_run: Make) -> None:
    """With one sample 100 of 200 against 40, with four 100 against 160."""
    study = written(make_run, drawn(BASE, "1111", 100, 200), drawn(INSTRUCT, "1000", 160, 200))
    said = answers(study, "cost")[0]
    assert "the winner turns with the samples (p < 0.001 after Holm" in said.text
    assert "−30.0 (" in said.text
    assert "with one sample and +30.0 (" in said.text
    assert said.controls[0].startswith("The curves cross at 2.5 samples (2 to 3)")


def test_the_ends_have_the_intervals_of_the_gap(make_run: Make) -> None:
    """Few problems are discordant, where Student's interval and Tango's are far apart."""
    study = written(make_run, drawn(BASE, "1000", 6, 12), drawn(INSTRUCT, "1000", 7, 12))
    (samples,) = [row for row in study.rows(CROSSINGS) if row.spent is Spent.SAMPLES]
    gaps = {row.metric: row.gap.difference.estimate for row in study.rows(GAPS)}
    assert samples.found.early.estimate == gaps["pass@1"]
    assert samples.found.late.estimate == gaps["Pass@4"]


def test_one_arm_leads_throughout(make_run: Make) -> None:
    study = written(make_run, drawn(BASE, "1000", 180, 200), drawn(INSTRUCT, "1000", 20, 200))
    said = answers(study, "cost")[0]
    assert "the base arm is ahead with few samples and with many" in said.text
    assert said.controls == ()


def test_whether_the_winner_turns_cannot_be_told(make_run: Make) -> None:
    study = written(make_run, drawn(BASE, "1111", 20, 40), drawn(INSTRUCT, "1000", 21, 40))
    said = answers(study, "cost")[0]
    assert "whether the winner turns with the samples cannot be told here" in said.text
    assert said.controls[0].endswith("beyond 4).")


@pytest.mark.parametrize(
    ("instruct", "n", "words"),
    [
        (180, 200, "for the same 80 tokens per problem: the instruct arm solves more"),
        (100, 1000, "for the same 80 tokens per problem: both arms solve as much, within 5.0"),
        (22, 40, "for the same 80 tokens per problem: which arm solves more cannot be told here"),
    ],
)
def test_who_solves_more_for_the_same_tokens(
    make_run: Make, instruct: int, n: int, words: str
) -> None:
    """Samples of the instruct arm take half the tokens: all four of them for two of base's."""
    base = {200: 100, 1000: 100, 40: 20}[n]
    study = written(
        make_run,
        drawn(BASE, "1111", base, n, tokens=40),
        drawn(INSTRUCT, "1111", instruct, n, tokens=20),
    )
    said = answers(study, "cost")[1]
    assert words in said.text
    (row,) = [row for row in study.rows(CROSSINGS) if row.spent is Spent.TOKENS]
    assert (row.found.places[0], row.found.places[-1]) == pytest.approx((40, 80))
    chart = chart_of(study, "costs-0")
    assert isinstance(chart, LineChart)
    assert chart.panels[0].lines[0].ys[-1] == pytest.approx(100 * base / n)


def test_branches_are_paid_for_as_they_come(make_run: Make) -> None:
    base = replace(make_cell("base/cot"), n=2)
    instruct = replace(INSTRUCT, n=2)
    problems = [make_problem(f"q{place}") for place in range(8)]
    rows = [Samples(cell, p.id, "01", tokens=10) for cell in (base, instruct) for p in problems]
    study = build_report(make_run([base, instruct], problems, rows))
    (row,) = [row for row in study.rows(CROSSINGS) if row.spent is Spent.TOKENS]
    # The first branch is never right; a draw is right in half of the cases.
    assert row.base_scores[0] == pytest.approx(0)
    assert row.instruct_scores[0] == pytest.approx(0.5)
    assert math.isnan(row.found.at.value)


def test_arms_without_a_common_budget(make_run: Make) -> None:
    study = written(
        make_run, drawn(BASE, "1111", 20, 40, tokens=500), drawn(INSTRUCT, "1111", 20, 40)
    )
    assert "take fewer tokens than one sample of the other" in answers(study, "cost")[1].text
