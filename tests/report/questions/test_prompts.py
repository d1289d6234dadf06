from dataclasses import replace

from distlab.report import build_report
from distlab.report.questions.prompts import PROMPTS
from tests.report.answers import PROBLEMS, WARM, answers, arm
from tests.runs.written import Make, Samples, make_cell


def test_prompts_are_paired(make_run: Make) -> None:
    zero, few = make_cell(), replace(make_cell(), prompt="few-shot")
    rows = [Samples(zero, p.id, "1111") for p in PROBLEMS[:20]]
    rows += [Samples(few, p.id, "1111" if p.id < "p05" else "0000") for p in PROBLEMS[:20]]
    (row,) = build_report(make_run([zero, few], PROBLEMS[:20], rows)).rows(PROMPTS)
    assert (row.before, row.after, row.change.value) == (1, 0.25, -0.75)
    assert row.change.high < 0


def test_a_change_of_prompt(make_run: Make) -> None:
    few = replace(WARM, prompt="few-shot")
    run = make_run([WARM, few], PROBLEMS, [*arm(WARM, 10), *arm(few, 30)])
    (said,) = answers(build_report(run), "prompts")
    assert "solves more with few-shot than with zero-shot" in said.text
