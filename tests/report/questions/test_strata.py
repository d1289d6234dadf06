from dataclasses import replace

from distlab.report import build_report
from distlab.report.questions.strata import STRATA
from tests.report.answers import COT, PROBLEMS, WARM, answers
from tests.runs.written import Make, Samples, make_problem


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
    assert strata[0].beyond.value == -1


def test_strata_are_counted(make_run: Make) -> None:
    problems = [replace(p, strata={"level": str(i % 2)}) for i, p in enumerate(PROBLEMS)]
    rows = [Samples(COT, p.id, "0001") for p in problems]
    rows += [
        Samples(WARM, p.id, "0001" if p.strata["level"] == "1" or place < 4 else "0000")
        for place, p in enumerate(problems)
    ]
    (said,) = answers(build_report(make_run([COT, WARM], problems, rows)), "strata")
    assert "by level, 2 kinds: the gap depends on it: 0 lies −90.0" in said.text


def test_a_winner_in_one_kind_alone_is_no_difference(make_run: Make) -> None:
    problems = [replace(p, strata={"level": str(i % 2)}) for i, p in enumerate(PROBLEMS)]
    rows = [Samples(COT, p.id, "0001") for p in problems]
    rows += [
        Samples(WARM, p.id, "0000" if (place % 2 and place < 16) or place in (0, 2, 4) else "0001")
        for place, p in enumerate(problems)
    ]
    (said,) = answers(build_report(make_run([COT, WARM], problems, rows)), "strata")
    assert "whether the gap depends on it cannot be told here" in said.text


def test_one_gap_in_all_kinds(make_run: Make) -> None:
    problems = [
        replace(make_problem(f"q{place}"), strata={"level": str(place % 2)}) for place in range(600)
    ]
    rows = [Samples(cell, p.id, "1111") for cell in (COT, WARM) for p in problems]
    (said,) = answers(build_report(make_run([COT, WARM], problems, rows)), "strata")
    assert "no kind's gap lies 5.0 points or more beside the rest" in said.text
