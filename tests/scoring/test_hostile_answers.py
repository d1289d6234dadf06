"""What a model may emit, through the real graders in the real pool."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.pool import GraderPool, GradeTask, PoolSettings
from distlab.scoring.types import ComponentSpec, Verdict

GRADERS = (
    ComponentSpec("standard", "distlab.scoring.graders.standard:Standard"),
    ComponentSpec("math-verify", "distlab.scoring.graders.math_verify:MathVerify"),
    ComponentSpec("prm800k", "distlab.scoring.graders.prm800k:PRM800K"),
    ComponentSpec("medcalc", "distlab.scoring.graders.medcalc:MedCalc"),
)
NAMES = [spec.name for spec in GRADERS]
SETTINGS = PoolSettings(deadline_s=5.0)
SEVEN = Gold(GoldKind.NUMBER, "7")
INTERVAL = Gold(GoldKind.INTERVAL, "7", lower=6.65, upper=7.35)
HACK = Path("hacked-by-an-answer")

HOSTILE = {
    "tower": "9^{9^{9^{9}}}",
    "python-tower": "9**9**9**9",
    "factorial": "(10^9)!",
    "root": r"\sqrt[99999999]{99999999!}",
    "braces": "{" * 10_000_000,
    "frac": r"\frac{" * 100_000 + "1" + "}{2}" * 100_000,
    "digits": "9" * 1_000_000,
    "nul": "7\0\0",
    "surrogate": "\ud800\udfff",
    "right-to-left": "\u202e7\u202c",
    "import": f"__import__('os').system('touch {HACK}')",
    "sympify": f"lambda: open('{HACK}', 'w')",
    "empty": "",
}


@pytest.fixture(scope="module")
def pool() -> Iterator[GraderPool]:
    with GraderPool(GRADERS, workers=1, settings=SETTINGS) as pool:
        yield pool


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("grader", range(len(GRADERS)), ids=NAMES)
def test_hostile_answer(pool: GraderPool, grader: int, answer: str) -> None:
    gold = INTERVAL if NAMES[grader] == "medcalc" else SEVEN
    begin = time.monotonic()
    verdicts = pool.grade(GradeTask(grader, gold, each) for each in (answer, "7", "8"))
    assert time.monotonic() - begin < SETTINGS.deadline_s + 30.0
    assert verdicts[0] in {Verdict.INCORRECT, Verdict.TIMEOUT, Verdict.ERROR} or "7" in answer
    assert verdicts[1:] == [Verdict.CORRECT, Verdict.INCORRECT]
    assert not HACK.exists()
