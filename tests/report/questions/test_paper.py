from dataclasses import replace

import numpy as np
import pytest

from distlab.analysis.claims import Answer, Kind
from distlab.report import build_report
from distlab.report.questions.drops import UNPAIRED_DROPS
from distlab.report.questions.paper import PAPER, published_figures
from tests.report.answers import answers
from tests.runs.written import Make, Samples, make_cell, make_problem


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
    study = build_report(make_run([base, instruct], items, rows))
    found = study.rows(PAPER)
    assert [row.figure for row in found] == ["base", "instruct", "gap"]
    if (n, problems) == (20, 500):
        assert [study.decision(Kind.REPLICATION, row.key).answer for row in found] == [
            Answer.YES,
            Answer.NO,
            Answer.NO,
        ]
        assert all(row.reason == "" for row in found)
        said = answers(study, "paper")
        assert said[0].text == (
            "Of 3 figures of the paper that this study measures too: 1 found again, 2 not found "
            "again."
        )
        assert "found again, within 10.0 points; the paper 29.0" in said[1].text
        assert "not found again (p < 0.001 after Holm)" in said[2].text
    else:
        assert study.family.find(Kind.REPLICATION, found[0].key) is None
        assert all("the paper" in row.reason for row in found)


def test_other_families_have_no_row(make_run: Make) -> None:
    cell = make_cell("base/cot", "math-500", 20)
    item = make_problem("a", "math-500")
    assert build_report(make_run([cell], [item], [Samples(cell, "a", "1" * 20)])).rows(PAPER) == ()


def test_the_papers_drop_is_judged_over_whole_sets(make_run: Make) -> None:
    sizes = {"math-500": 500, "math-perturb-hard": 279}
    cells, items, rows = [], [], []
    for dataset, size in sizes.items():
        cell = replace(make_cell("instruct/t0.05", dataset, 20), family="llama3-70b")
        mine = [make_problem(f"{dataset}-{i}", dataset) for i in range(size)]
        mine = [replace(p, strata={"level": "5"}) for p in mine]
        if dataset == "math-500":
            mine = [replace(p, strata={"level": str(i % 5 + 1)}) for i, p in enumerate(mine)]
        # The paper's shares, 59.80 and 22.22 per cent.
        solved = round({"math-500": 0.598, "math-perturb-hard": 0.2222}[dataset] * size)
        rows += [Samples(cell, p.id, ("1" if i < solved else "0") * 20) for i, p in enumerate(mine)]
        cells.append(cell)
        items += mine
    study = build_report(make_run(cells, items, rows))
    (drop,) = (row for row in study.rows(PAPER) if row.figure == "drop")
    assert drop.published.value == pytest.approx(0.2222 - 0.598)
    assert drop.reason == ""
    # The same figure; but two sets of this size leave it open.
    assert study.decision(Kind.REPLICATION, drop.key).answer is Answer.CANNOT_TELL
    (said,) = (each for each in answers(study, "paper") if "drop" in each.text)
    assert "whether it is found again cannot be told here" in said.text
    assert "would be called found again in" in said.controls[0]
    whole, cut = study.rows(UNPAIRED_DROPS)
    assert (whole.before_problems, cut.before_problems, cut.level) == (500, 100, "5")
    assert whole.change.value == pytest.approx(drop.published.value, abs=1e-3)
    assert whole.published == drop.published
    assert np.isnan(cut.published.value)
