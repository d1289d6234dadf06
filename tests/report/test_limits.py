from distlab.report import build_report
from distlab.report.gap_table import GAPS
from tests.runs.written import Make, Samples, make_cell, make_problem

COT = make_cell("base/cot")
WARM = make_cell("instruct/t0.05")
PROBLEMS = [make_problem(name) for name in "abcd"]


def test_what_cannot_be_said(make_run: Make) -> None:
    assert "nothing to report" in build_report(make_run([COT, WARM], PROBLEMS)).cannot[0]
    single = make_cell("instruct/t0.05", n=1)
    rows = [Samples(single, name, "1") for name in "abcd"]
    sentences = " ".join(build_report(make_run([single], PROBLEMS, rows)).cannot)
    for part in (
        "one sample per problem",
        "one variant only",
        "no perturbation drop",
        "One grader",
    ):
        assert part in sentences


def test_a_cell_without_verdicts(make_run: Make) -> None:
    study = build_report(make_run([COT, WARM], PROBLEMS, [Samples(COT, "a", "1111")]))
    assert study.rows(GAPS) == ()
    assert any(WARM.key in sentence for sentence in study.cannot)
