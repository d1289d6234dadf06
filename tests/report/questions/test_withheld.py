from dataclasses import replace

import pytest

from distlab.report import build_report
from distlab.report.gap_table import GAPS
from distlab.report.questions.prompts import PROMPTS
from distlab.report.table import StudyTables
from distlab.store.cell import Cell
from tests.report.answers import COT, WARM, answers
from tests.runs.written import Make, Samples, make_problem

UNREAD = replace(COT, prompt="withheld")


def probed(make_run: Make, read: int, unread: int, n: int = 40) -> StudyTables:
    """The base arm with the question and without, the instruct arm with it."""
    problems = [make_problem(f"q{place:03d}") for place in range(n)]
    solved: dict[Cell, int] = {COT: read, UNREAD: unread, WARM: read}
    rows = [
        Samples(cell, p.id, "0001" if place < count else "0000")
        for cell, count in solved.items()
        for place, p in enumerate(problems)
    ]
    prints = {UNREAD.key: {"prompt": {"shows": "nothing"}}}
    return build_report(make_run(list(solved), problems, rows, fingerprints=prints))


@pytest.mark.parametrize(
    ("read", "unread", "words"),
    [
        (36, 4, "solves more with the question than without (p < 0.001 after Holm"),
        (4, 36, "solves less with the question than without"),
        (0, 2, "whether it solves more with the question than without cannot be told"),
        (20, 18, "whether it solves more with the question than without cannot be told"),
    ],
)
def test_what_is_solved_without_the_question(
    make_run: Make, read: int, unread: int, words: str
) -> None:
    (said,) = answers(probed(make_run, read, unread), "withheld")
    assert said.text.startswith(f"base/cot, tiny on gsm-symbolic (zero-shot): {words}")
    assert (
        f"Pass@4 is {read / 0.4:.1f} per cent with it and {unread / 0.4:.1f} without" in said.text
    )
    assert bool(said.warnings) is (0 < read < 36)


def test_a_probe_is_in_no_other_figure(make_run: Make) -> None:
    study = probed(make_run, 36, 4)
    assert study.rows(PROMPTS) == ()
    assert {row.base.prompt for row in study.rows(GAPS)} == {"zero-shot"}
