"""Hostile answers are judged or refused at once, before the pool must kill their worker."""

import contextlib
import time
from pathlib import Path

import pytest

from distlab.config.schema import GraderGroup
from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.graders._guard import AnswerRefusedError
from distlab.scoring.graders.math_verify import MathVerify
from distlab.scoring.graders.medcalc import MedCalc
from distlab.scoring.graders.prm800k import PRM800K
from distlab.scoring.graders.standard import Standard
from distlab.scoring.types import Grader

ALGEBRA: tuple[Grader, ...] = (Standard(), PRM800K(), MathVerify())
GOLD = Gold(GoldKind.LATEX, "18")
LIMITS = Gold(GoldKind.INTERVAL, "18", lower=17.1, upper=18.9)

# CPU time after which the pool kills the worker, as grader.deadline_s comes.
DEADLINE_S = GraderGroup.deadline_s
HOSTILE = [
    "9^{9^{9^{9}}}",
    "9^9^9^9",
    "9**9**9**9",
    "(10^9)!",
    "1000000000!",
    "((((3!)!)!)!)!",
    "10^{10^{10}}",
    "2^{99999999}",
    "\\binom{10^9}{10^8}",
    "\\binom{1000000000}{100000000}",
    "\\sum_{n=1}^{10^9} n",
    "\\prod_{k=1}^{1000000} k",
    "{" * 10_000_000,
    "(" * 1_000,
    "9" * 1_000_000,
    "\\frac" * 300,
    "\\sqrt" * 300,
    "$" * 1_000,
    "^" * 1_000,
    "\\pm" * 300,
    "1," * 900,
    "a or " * 300,
    "\x00" * 50,
    "\ud800",
    "\u202e81",
    "1e999999999",
    "1/0",
    "nan",
    "inf",
    "None",
    "lambda: 0",
    "[].__class__",
    "",
    " ",
    "-" * 1_900,
    "\\text{" + "1 and " * 300,
    "\\text{1 and " * 150,
    "5\\text{a" * 200,
    "1 or " * 380,
    "9⁹⁹⁹⁹⁹⁹⁹",
    "½" * 900,
    "⁹" * 900,
    "1.234." * 300,
    "$1k " * 400,
    "{1 \\over " * 200,
    "one hundred " * 150,
    "sqrt(" * 300,
    "(" * 20 + "1" + ")" * 20,
    # A digit and letters: a word behind a number, or a number in base 16.
    "1" + "a" * 60 + "!",
    "0x" + "f" * 1_900,
    "0x" + "f" * 1_000_000,
    "0x" + "deadbeef" * 200 + "g",
    "1" + " ab" * 600 + "!",
    "1" + " " * 1_900 + "!",
    "\\sqrt(" * 300,
    "\\text{" + "a" * 1_900,
    "1\\text{ab}" * 200 + ";",
    # Short, and long to parse.
    "1 and a half " * 140,
    "1\\text{a}" * 200 + "!",
    "n!" * 500,
    "1=2" * 500,
    "|x|" * 90,
    "1/2" * 70,
    "\\{" * 18 + "1" + "\\}" * 18,
    "1_{" + "three" * 300,
]


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda answer: repr(answer[:24]))
def test_hostile_answers_are_judged_or_refused_at_once(answer: str) -> None:
    for grader, gold in [(grader, GOLD) for grader in ALGEBRA] + [(MedCalc(), LIMITS)]:
        start = time.process_time()
        try:
            verdict = grader.grade(gold, answer)
        except AnswerRefusedError:
            verdict = False
        assert verdict is False
        assert time.process_time() - start < DEADLINE_S
        assert grader.grade(gold, "18")


@pytest.mark.parametrize("grader", ALGEBRA, ids=lambda grader: grader.name)
@pytest.mark.parametrize("answer", ["18\x00", "\u202a18\u202c", "18\u200b", "\ufeff18", "18\ud800"])
def test_invisible_characters_change_no_verdict(grader: Grader, answer: str) -> None:
    assert grader.grade(GOLD, answer)


@pytest.mark.parametrize("grader", ALGEBRA, ids=lambda grader: grader.name)
def test_no_answer_is_ever_run(grader: Grader, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    codes = (
        "__import__('os').system('touch {}')",
        "open('{}', 'w')",
        "exec(\"open('{}','w')\")",
    )
    for code in codes:
        with contextlib.suppress(AnswerRefusedError):
            assert not grader.grade(GOLD, code.format(mark))
        assert not mark.exists()


@pytest.mark.parametrize("grader", ALGEBRA, ids=lambda grader: grader.name)
def test_a_refused_writing_of_the_gold_is_right(grader: Grader) -> None:
    for text in ("2^{100000}", "7200!", "9^{9^9}"):
        assert grader.grade(Gold(GoldKind.LATEX, text), f" {text} ")


def test_a_refusal_says_why() -> None:
    with pytest.raises(AnswerRefusedError, match="power tower"):
        MathVerify().grade(GOLD, "x^{9^{9}}")
    with pytest.raises(AnswerRefusedError, match="answer of 2500 characters"):
        Standard().grade(GOLD, "x+" * 1_250)
    with pytest.raises(AnswerRefusedError, match="factorial"):
        MathVerify().grade(GOLD, "x + (10^4)!")
