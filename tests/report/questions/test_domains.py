from dataclasses import replace

from distlab.report import build_report
from tests.report.answers import COT, PROBLEMS, WARM, answers, arm
from tests.runs.written import Make


def test_datasets_are_told_apart(make_run: Make) -> None:
    cells, problems, rows = [], [], []
    for dataset, solved in (("gsm8k", 10), ("medcalc", 30), ("math-500", 38)):
        mine = [replace(p, dataset=dataset) for p in PROBLEMS]
        base, instruct = (replace(cell, dataset=dataset) for cell in (COT, WARM))
        cells += [base, instruct]
        problems += mine
        rows += [*arm(base, 30), *arm(instruct, solved)]
    (said,) = answers(build_report(make_run(cells, problems, rows)), "domains")
    assert said.text == (
        "tiny (zero-shot): base solves more on gsm8k; instruct solves more on math-500; "
        "neither is shown to on medcalc."
    )
