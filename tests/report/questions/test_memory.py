from dataclasses import replace

import pytest

from distlab.report import build_report
from distlab.report.questions.memory import MEMORY, OPENINGS
from distlab.report.table import StudyTables
from tests.report.answers import WARM, answers
from tests.runs.written import Make, Samples, make_problem

PROBE = replace(WARM, prompt="opening")


def probed(make_run: Make, originals: int, twins: int, n: int) -> StudyTables:
    """Openings of which the first are completed, and solved, in all samples."""
    problems = [
        make_problem(f"{side}{place:03d}", pair=f"p{place}", side=side)
        for side in ("seed", "twin")
        for place in range(n)
    ]
    rows = [
        Samples(
            PROBE,
            f"{side}{place:03d}",
            "1111" if place < count else "0000",
            continued=place < count,
        )
        for side, count in (("seed", originals), ("twin", twins))
        for place in range(n)
    ]
    prints = {PROBE.key: {"prompt": {"shows": "opening"}}}
    return build_report(make_run([PROBE], problems, rows, fingerprints=prints))


@pytest.mark.parametrize(
    ("originals", "twins", "n", "words"),
    [
        (30, 2, 40, "originals are completed word for word more often (p < 0.001 after Holm"),
        (2, 30, 40, "originals are completed word for word less often (p < 0.001 after Holm"),
        (100, 100, 300, "word for word as often as perturbed problems, within 5.0 points"),
        (5, 3, 40, "whether originals are completed word for word more often cannot be told"),
    ],
)
def test_originals_beside_perturbed_problems(
    make_run: Make, originals: int, twins: int, n: int, words: str
) -> None:
    shown, completed, solved = answers(probed(make_run, originals, twins, n), "memory")
    assert "completes the rest word for word in" in shown.text
    assert words in completed.text
    assert "solved without the question" in solved.text
    assert bool(completed.warnings) is (originals == 30)


def test_rates_of_openings(make_run: Make) -> None:
    study = probed(make_run, 30, 2, 40)
    (row,) = study.rows(OPENINGS)
    assert (row.completed.value, row.solved.value) == pytest.approx((32 / 80, 32 / 80))
    assert [row.drop.pairs for row in study.rows(MEMORY)] == [40, 40]
