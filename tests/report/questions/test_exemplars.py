from dataclasses import replace

import pytest

from distlab.report import build_report
from distlab.report.questions.exemplars import EXEMPLAR_GAINS
from distlab.report.table import StudyTables
from distlab.store.cell import Cell
from tests.report.answers import COT, WARM, answers
from tests.runs.written import Make, Samples, make_problem


def gains(make_run: Make, solved: dict[tuple[Cell, str], int], n: int, **more: str) -> StudyTables:
    """Arms under two prompts, each of which solves its first problems."""
    problems = [make_problem(f"q{place:03d}") for place in range(n)]
    cells = {replace(cell, prompt=prompt): count for (cell, prompt), count in solved.items()}
    rows = [
        Samples(cell, p.id, "0001" if place < count else "0000")
        for cell, count in cells.items()
        for place, p in enumerate(problems)
    ]
    shots = {"few-shot": "8", "zero-shot": "0", **more}
    prints = {cell.key: {"prompt": {"shots": shots[cell.prompt]}} for cell in cells}
    return build_report(make_run(list(cells), problems, rows, fingerprints=prints))


def arms(base: tuple[int, int], instruct: tuple[int, int]) -> dict[tuple[Cell, str], int]:
    prompts = ("few-shot", "zero-shot")
    return {
        (cell, prompt): count
        for cell, counts in ((COT, base), (WARM, instruct))
        for prompt, count in zip(prompts, counts, strict=True)
    }


@pytest.mark.parametrize(
    ("base", "instruct", "n", "words"),
    [
        ((20, 18), (38, 10), 40, "base leans less on exemplars than instruct (p < 0.001 after"),
        ((38, 10), (20, 18), 40, "instruct leans less on exemplars than base (p < 0.001 after"),
        ((300, 200), (298, 200), 400, "both arms gain as much from exemplars, within 5.0 points"),
        ((20, 18), (22, 18), 40, "which arm leans more on exemplars cannot be told here"),
    ],
)
def test_who_leans_on_exemplars(
    make_run: Make, base: tuple[int, int], instruct: tuple[int, int], n: int, words: str
) -> None:
    (said,) = answers(gains(make_run, arms(base, instruct), n), "exemplars")
    assert f"tiny on gsm-symbolic, zero-shot → few-shot: {words}" in said.text
    assert said.controls[0].endswith("its figures are not published.")


def test_gains_are_paired(make_run: Make) -> None:
    (row,) = gains(make_run, arms((20, 18), (38, 10)), 40).rows(EXEMPLAR_GAINS)
    assert (row.base.prompt, row.more, row.problems) == ("zero-shot", "few-shot", 40)
    assert row.base_gain.value == pytest.approx(2 / 40)
    assert row.instruct_gain.value == pytest.approx(28 / 40)
    assert row.difference.value == pytest.approx(26 / 40)


def test_prompts_with_as_many_exemplars_are_no_gain(make_run: Make) -> None:
    more = {"few-shot": "0"}
    study = gains(make_run, arms((20, 18), (38, 10)), 40, **more)
    assert study.rows(EXEMPLAR_GAINS) == ()
    assert answers(study, "exemplars")[0].text.startswith("Cannot be said: no setting has both")
