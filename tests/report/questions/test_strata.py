from dataclasses import replace

import numpy as np

from distlab.report import build_report
from distlab.report.questions.strata import STRATA
from tests.report.answers import COT, PROBLEMS, WARM, answers
from tests.runs.written import Make, Samples


def test_strata(make_run: Make) -> None:
    problems = [
        replace(problem, strata={"level": str(place % 2)})
        for place, problem in enumerate(PROBLEMS[:20])
    ]
    rows = [Samples(COT, p.id, "1111") for p in problems]
    rows += [Samples(WARM, p.id, "1111" if p.strata["level"] == "1" else "0000") for p in problems]
    strata = build_report(make_run([COT, WARM], problems, rows)).rows(STRATA)
    assert [(row.stratum, row.value, row.gap.problems) for row in strata] == [
        ("level", "0", 10),
        ("level", "1", 10),
    ]
    assert [row.gap.difference.value for row in strata] == [-1, 0]
    assert np.isnan(strata[0].gap.difference.low)


def test_strata_are_counted(make_run: Make) -> None:
    problems = [replace(p, strata={"level": str(i % 2)}) for i, p in enumerate(PROBLEMS)]
    rows = [Samples(COT, p.id, "0001") for p in problems]
    rows += [
        Samples(WARM, p.id, "0001" if p.strata["level"] == "1" or place < 4 else "0000")
        for place, p in enumerate(problems)
    ]
    (said,) = answers(build_report(make_run([COT, WARM], problems, rows)), "strata")
    assert "by level: base solves more in 1 of 2 kinds, instruct in 0" in said.text
