from dataclasses import replace

import pytest

from distlab.report import build_report
from distlab.report.published import published_figures
from tests.report.conftest import Make, Samples, make_cell, make_problem


def test_the_papers_table() -> None:
    figures = published_figures()
    assert len(figures) == 20
    assert {figure.grader for figure in figures} == {"standard", "math-verify"}
    assert {figure.source for figure in figures} == {"arXiv 2601.13244"}
    for figure in figures:
        for share in (figure.base, figure.instruct):
            if share is not None:
                # Every figure is a count of problems, as rounded in the paper.
                solved = round(share * figure.problems)
                assert share == pytest.approx(solved / figure.problems, abs=6e-4)
    gaps = [f.instruct - f.base for f in figures if f.dataset == "gsm8k" and f.base and f.instruct]
    assert all(-0.33 < gap < -0.26 for gap in gaps)


@pytest.mark.parametrize(("n", "problems"), [(20, 500), (20, 10), (4, 500)])
def test_only_the_same_measurement_is_judged(make_run: Make, n: int, problems: int) -> None:
    arms = [make_cell(arm, "math-500", n) for arm in ("base/cot", "instruct/t0.05")]
    base, instruct = (replace(cell, family="llama3-3b") for cell in arms)
    items = [make_problem(f"p{i}", "math-500") for i in range(problems)]
    rows = [
        Samples(base, p.id, ("1" if i < 0.29 * problems else "0") * n) for i, p in enumerate(items)
    ]
    rows += [Samples(instruct, p.id, "0" * n) for p in items]
    found = build_report(make_run([base, instruct], items, rows)).replications
    assert [row.figure for row in found] == ["base", "instruct", "gap"]
    judged = [row.judgement for row in found]
    if (n, problems) == (20, 500):
        assert judged == ["replicated", "not replicated", "not replicated"]
        assert all(row.reason == "" for row in found)
    else:
        assert judged == ["cannot tell"] * 3
        assert all("the paper" in row.reason for row in found)


def test_other_families_have_no_row(make_run: Make) -> None:
    cell = make_cell("base/cot", "math-500", 20)
    item = make_problem("a", "math-500")
    assert build_report(make_run([cell], [item], [Samples(cell, "a", "1" * 20)])).replications == ()
