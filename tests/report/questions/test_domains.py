from dataclasses import replace

from distlab.report import build_report
from distlab.report.question import Statement
from tests.report.answers import COT, PROBLEMS, WARM, answers, arm
from tests.runs.written import Make


def datasets(make_run: Make, solved: dict[str, int], copies: int = 1) -> Statement:
    """The answer where base solves 30 of 40 problems and instruct as many as named."""
    cells, problems, rows = [], [], []
    for dataset, count in solved.items():
        base, instruct = (replace(cell, dataset=dataset) for cell in (COT, WARM))
        cells += [base, instruct]
        for copy in range(copies):
            problems += [replace(p, dataset=dataset, id=f"{p.id}-{copy}") for p in PROBLEMS]
            mine = [*arm(base, 30), *arm(instruct, count)]
            rows += [replace(row, problem=f"{row.problem}-{copy}") for row in mine]
    problems = [replace(problem, cluster=problem.id) for problem in problems]
    (said,) = answers(build_report(make_run(cells, problems, rows)), "domains")
    return said


def test_the_gap_depends_on_the_dataset(make_run: Make) -> None:
    said = datasets(make_run, {"gsm8k": 10, "medcalc": 30, "math-500": 38})
    assert said.text.startswith(
        "tiny (zero-shot): the gap depends on the dataset: from gsm8k to math-500 it changes by "
        "+70.0"
    )
    assert said.controls[0].startswith("Gaps: gsm8k −50.0 (")


def test_a_winner_on_one_dataset_alone_is_no_difference(make_run: Make) -> None:
    said = datasets(make_run, {"gsm8k": 18, "medcalc": 22})
    assert "whether the gap depends on the dataset cannot be told here" in said.text


def test_one_gap_on_all_datasets(make_run: Make) -> None:
    said = datasets(make_run, {"gsm8k": 30, "medcalc": 30}, copies=10)
    assert "on no two datasets the gap differs by 5.0 points or more" in said.text
