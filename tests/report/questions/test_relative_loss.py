from dataclasses import replace

import pytest

from distlab.report import build_report
from distlab.report.questions.relative_loss import RELATIVE_LOSSES
from distlab.report.table import StudyTables
from tests.report.answers import COT, WARM, answers
from tests.runs.written import Make, Samples, make_cell, make_problem


def pairs(make_run: Make, base: tuple[int, int], instruct: tuple[int, int], n: int) -> StudyTables:
    """Arms that solve their first originals and their first twins."""
    problems = [
        make_problem(f"{side}{place:04d}", pair=f"p{place}", side=side)
        for side in ("seed", "twin")
        for place in range(n)
    ]
    rows = [
        Samples(cell, f"{side}{place:04d}", "0001" if place < count else "0000")
        for cell, solved in ((COT, base), (WARM, instruct))
        for side, count in zip(("seed", "twin"), solved, strict=True)
        for place in range(n)
    ]
    return build_report(make_run([COT, WARM], problems, rows))


@pytest.mark.parametrize(
    ("base", "instruct", "n", "words"),
    [
        ((36, 35), (36, 6), 40, "the instruct arm loses the larger share (p < 0.001 after Holm"),
        ((36, 6), (36, 35), 40, "the base arm loses the larger share (p < 0.001 after Holm"),
        ((300, 150), (298, 149), 400, "both arms lose the same share, within 5.0 points"),
        ((20, 18), (20, 17), 40, "which arm loses the larger share cannot be told here"),
    ],
)
def test_who_loses_the_larger_share(
    make_run: Make, base: tuple[int, int], instruct: tuple[int, int], n: int, words: str
) -> None:
    said = answers(pairs(make_run, base, instruct, n), "relative-loss")
    assert said[0].text.startswith(f"tiny (zero-shot), gsm-symbolic: seed → twin: {words}")
    assert said[0].controls == ("The paper's figure of this difference: not published.",)


def test_each_arm_beside_the_paper(make_run: Make) -> None:
    study = pairs(make_run, (36, 18), (36, 27), 40)
    base, instruct = study.rows(RELATIVE_LOSSES)
    assert (base.loss.value, instruct.loss.value) == pytest.approx((0.5, 0.25))
    said = answers(study, "relative-loss")
    assert "of what it solves it loses 50.0 (" in said[1].text
    assert said[1].text.endswith("the paper's figure: not published.")


def test_few_solved_originals(make_run: Make) -> None:
    said = answers(pairs(make_run, (9, 2), (36, 20), 40), "relative-loss")
    assert said[0].text.startswith("Cannot be said: which arm loses the larger share")
    assert "tiny base/cot (zero-shot) loses" in said[1].text
    assert "fewer than 10" in said[1].text


def test_whole_sets_stand_beside_the_papers_figure(make_run: Make) -> None:
    before, after = (
        replace(make_cell("instruct/t0.05", dataset), family="llama3-70b")
        for dataset in ("math-500", "math-perturb-hard")
    )
    problems = [make_problem(f"a{place}", "math-500") for place in range(50)]
    problems += [make_problem(f"b{place}", "math-perturb-hard") for place in range(40)]
    rows = [Samples(before, f"a{place}", "0001" if place < 40 else "0000") for place in range(50)]
    rows += [Samples(after, f"b{place}", "0001" if place < 16 else "0000") for place in range(40)]
    study = build_report(make_run([before, after], problems, rows))
    (row,) = study.rows(RELATIVE_LOSSES)
    assert row.loss.value == pytest.approx(0.5)
    said = answers(study, "relative-loss")
    assert "math-500 → math-perturb-hard, whole sets" in said[-1].text
    assert "the paper's figure: 62.8 (54.3 to 71.4)" in said[-1].text
