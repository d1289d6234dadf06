"""The time to read a text grows with its length, whatever is repeated in it.

Each case is a beginning that sends the reading down one path, and a unit repeated to two lengths.
CPU time is compared with itself: three times the length may take six times as long, where a
quadratic pattern takes nine.
"""

import time
from itertools import product

import pytest

from distlab.problems.problem import GoldKind
from distlab.scoring.extractors.rules import Rules

LENGTH = 4_000
FACTOR = 3
GROWTH = 2 * FACTOR
# Seconds; what takes less is noise.
LEAST = 0.01

BEGINNINGS = (
    "",
    "The answer is 5x",
    "The answer is that ",
    '{"answer": "\\\\',
    "\\boxed{",
    "#### 5",
)
UNITS = (
    " = x", "≈abc", "= 5 ", " = 5 + 1", " is x", " is 5 + 1", "5 is ", ": x", " so ", "so 5, ",
    " total of ", "a total of ", "about ", "therefore ", "5, ", "5 and ", "5 times 6 ", ", or 5 ",
    " which is ", "5 feet and ", "one and ", "two dozen ", "and a half ", "5 to ride ", " when 5",
    "(5", "5)", "5-day ", "5:05 ", "1,", "1.234", "1 234 ", "5/5", "5^", "$5", "$5 ", "$ 5", "$x ",
    "$$", "$$5 ", "\\(", "\\(5", "\\[5", "\\\\(", "\\begin{a}", "\\text{", "\\frac{1", "{", "}",
    "\\boxed{5} and ", "\\boxed ", "\\boxed{answer}", "#### 5 ", "####", "\\\"", "\\\\", "\\n",
    '"answer": "5", ', '"answer": ', "answer is ", "answer cannot be ", "Answer:\n1. x\n", "A: 5\n",
    "**5** ", "**", "! ", "5! ", ". ", "\n", "Step 3: ", "Step 3", "\nuser\n", "user\n",
    ".assistant", "\nExample 2:", "\nSolve this problem", "\nQuestion", "answer is 5\nx?",
    "</think>", "<|a", "√(", "x = 1 + ", "5π", "√5", "3 weeks ", "May 1 ", "goal of ",
    "5 of the ", "5 for the next ", " ",
    "Twelve sit at 5 ", " at 5 pm", " to sell 5", "\nProblem: we ", "\nTask: add", "5! ", "half ",
    " is 5x + ", "$n$ is the largest with ", "\n- 5", "1. 5\n", "form \\boxed{x} ", "is north-",
)  # fmt: skip


def seconds(text: str, kind: GoldKind) -> float:
    """CPU time of one reading."""
    start = time.process_time()
    Rules().extract(text, kind)
    return time.process_time() - start


def grows_faster(beginning: str, unit: str, kind: GoldKind) -> bool:
    """Whether the time does, in each of three measurements."""
    short, long = (beginning + unit * (n // len(unit)) for n in (LENGTH, FACTOR * LENGTH))
    return all(
        (taken := seconds(long, kind)) > GROWTH * LEAST and taken > GROWTH * seconds(short, kind)
        for _ in range(3)
    )


@pytest.mark.parametrize("kind", [GoldKind.NUMBER, GoldKind.LATEX])
@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_time_grows_with_the_length(beginning: str, kind: GoldKind) -> None:
    # Up to the first: a quadratic pattern takes minutes over all of them.
    assert next((unit for unit in UNITS if grows_faster(beginning, unit, kind)), None) is None


@pytest.mark.parametrize("kind", [GoldKind.DATE, GoldKind.WEEKS_DAYS])
def test_time_grows_with_the_length_for_dates(kind: GoldKind) -> None:
    parts = ("3 weeks ", "May 1 ", "1/2/", "answer is ", "two ")
    units = [first + second for first, second in product(parts, repeat=2)]
    assert next((unit for unit in units if grows_faster("", unit, kind)), None) is None
