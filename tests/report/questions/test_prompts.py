from dataclasses import replace

from distlab.report import build_report
from distlab.report.questions.prompts import PROMPTS
from tests.report.answers import PROBLEMS, WARM, answers, arm
from tests.runs.written import Make, Samples, make_cell, make_problem


def test_prompts_are_paired(make_run: Make) -> None:
    zero, few = make_cell(), replace(make_cell(), prompt="few-shot")
    rows = [Samples(zero, p.id, "1111") for p in PROBLEMS[:20]]
    rows += [Samples(few, p.id, "1111" if p.id < "p05" else "0000") for p in PROBLEMS[:20]]
    (row,) = build_report(make_run([zero, few], PROBLEMS[:20], rows)).rows(PROMPTS)
    assert (row.before, row.after, row.change.value) == (1, 0.25, -0.75)
    assert row.change.estimate.high < 0


def test_a_change_of_prompt(make_run: Make) -> None:
    few = replace(WARM, prompt="few-shot")
    run = make_run([WARM, few], PROBLEMS, [*arm(WARM, 10), *arm(few, 30)])
    (said,) = answers(build_report(run), "prompts")
    assert "solves more with few-shot than with zero-shot (p < 0.001 after Holm" in said.text


def test_a_change_that_cannot_be_told(make_run: Make) -> None:
    few = replace(WARM, prompt="few-shot")
    run = make_run([WARM, few], PROBLEMS, [*arm(WARM, 10), *arm(few, 13)])
    (said,) = answers(build_report(run), "prompts")
    assert "whether it solves more with few-shot than with zero-shot cannot be told" in said.text


def test_prompts_that_make_no_difference(make_run: Make) -> None:
    few = replace(WARM, prompt="few-shot")
    problems = [make_problem(f"q{place}") for place in range(300)]
    rows = [Samples(cell, p.id, "1111") for cell in (WARM, few) for p in problems]
    (said,) = answers(build_report(make_run([WARM, few], problems, rows)), "prompts")
    assert "solves the same with few-shot and zero-shot, within 5.0 points" in said.text
