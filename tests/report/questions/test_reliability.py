import pytest

from distlab.report import build_report
from distlab.report.questions.reliability import COVERS
from distlab.store.cell import Cell, ProblemFailure
from tests.report.answers import COT, PROBLEMS, WARM, answers, arm
from tests.runs.written import Make, Samples, make_cell, make_problem


def reliable(cell: Cell, marks: str, count: int, n: int) -> list[Samples]:
    """The first problems with these verdicts, the others unsolved."""
    return [
        Samples(cell, f"q{place:03d}", marks if place < count else "0000") for place in range(n)
    ]


@pytest.mark.parametrize(
    ("counts", "n", "words"),
    [
        ((30, 10), 40, "the base arm solves more (p < 0.001 after Holm"),
        ((200, 200), 400, "both arms solve as much, within 5.0 points"),
        ((20, 18), 40, "which arm solves more reliably cannot be told here"),
    ],
)
def test_who_solves_more_reliably(
    make_run: Make, counts: tuple[int, int], n: int, words: str
) -> None:
    problems = [make_problem(f"q{place:03d}") for place in range(n)]
    rows = [*reliable(COT, "0111", counts[0], n), *reliable(WARM, "0111", counts[1], n)]
    (said,) = answers(build_report(make_run([COT, WARM], problems, rows)), "reliability")
    assert f"at least half of its samples are correct, {words}" in said.text


def test_pass_n_alone_says_nothing_of_reliability(make_run: Make) -> None:
    """Both solve as much in four samples; one of them hardly ever in the first."""
    problems = [make_problem(f"q{place:03d}") for place in range(40)]
    rows = [*reliable(COT, "1111", 30, 40), *reliable(WARM, "1000", 30, 40)]
    study = build_report(make_run([COT, WARM], problems, rows))
    (said,) = answers(study, "reliability")
    assert "the base arm solves more" in said.text
    assert (
        "instruct/t0.05: Pass@4 75.0 [59.8, 85.8], cover@0.25 75.0 [59.8, 85.8],"
        in (said.controls[1])
    )
    base, instruct = study.rows(COVERS)
    assert [cover.value for cover in base.covers] == [0.75] * 4
    assert [cover.value for cover in instruct.covers] == [0.75, 0, 0, 0]


def test_failed_problems_are_not_covered_and_unfinished_ones_have_no_score(make_run: Make) -> None:
    rows = [*arm(COT, 40)[:30], *arm(WARM, 40)]
    failures = [ProblemFailure(COT.key, p.id, "too long") for p in PROBLEMS[30:35]]
    study = build_report(make_run([COT, WARM], PROBLEMS, rows, failures))
    assert study.rows(COVERS)[0].covers[0].value == pytest.approx(30 / 35)


def test_one_sample_has_no_reliability(make_run: Make) -> None:
    cells = [make_cell("base/t0.05", n=1), make_cell("instruct/t0.05", n=1)]
    rows = [Samples(cell, p.id, "1") for cell in cells for p in PROBLEMS]
    study = build_report(make_run(cells, PROBLEMS, rows))
    assert study.rows(COVERS) == ()
    assert answers(study, "reliability")[0].text.startswith("Cannot be said: no two arms")
