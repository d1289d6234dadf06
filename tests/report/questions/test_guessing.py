from distlab.report import build_report
from distlab.report.questions.guessing import REASONING
from distlab.store.cell import ProblemFailure
from tests.report.answers import COT
from tests.runs.written import Make, Samples, make_problem

PROBLEMS = [make_problem(f"p{i:02d}") for i in range(20)]


def test_pass_over_samples_that_reason(make_run: Make) -> None:
    rows = [
        *(Samples(COT, p.id, "1000", start=3) for p in PROBLEMS[:10]),
        *(Samples(COT, p.id, "1000", start=300) for p in PROBLEMS[10:15]),
        *(Samples(COT, p.id, "----") for p in PROBLEMS[15:19]),
    ]
    failures = [ProblemFailure(COT.key, "p19", "too long")]
    (row,) = build_report(make_run([COT], PROBLEMS, rows, failures)).rows(REASONING)
    assert row.pass_n.value == 15 / 20
    assert row.reasoned.value == 5 / 20
    assert row.share.value == 20 / 76
