"""No pattern of the graders, and no grader, takes more than linear time, whatever repeats."""

import contextlib
import importlib
import itertools
import pkgutil
import re
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring import graders, numerals
from distlab.scoring.graders._guard import MAX_CHARACTERS, AnswerRefusedError, check_cost, sized
from distlab.scoring.graders.medcalc import MedCalc
from distlab.scoring.graders.standard import Standard

# Each is four times the last: a linear pattern takes 4 times as long, a quadratic one 16 times.
SIZES = (32, 128, 512, 2_048)
WORST_RATIO = 10.0
# Less than this is noise, and harms nobody.
NOTICEABLE_S = 0.02

PARSED = (MAX_CHARACTERS // 20, MAX_CHARACTERS // 5, MAX_CHARACTERS * 4 // 5)
UNBOUNDED = (4_096, 16_384, 65_536)
NUMBER = Gold(GoldKind.LATEX, "18")
LIMITS = Gold(GoldKind.INTERVAL, "18", lower=17.1, upper=18.9)

REPEATED = [
    *("1", "a", "A", " ", "\n", ",", ".", "-", "(", ")", "{", "}", "[", "\\", "$", "*", "^", "_"),
    *("f", "0x", "1,", "1,2", "1 ", "1.", "1/", "1!", "a ", "A,", "1,234", "1.234", " 234", "'234"),
    *("1a", "a1", "ab", "1ab ", "x=", "= x", "5x = ", "≈abc", "e5", "1e5", "%", "\\%", "-1", "^1"),
    *("\\frac", "\\frac{", "\\frac12", "\\sqrt", "\\sqrt(", "sqrt(", "\\sqrt[", "\\text", "\\pm"),
    *(
        "\\text{",
        "\\text{a",
        "\\text{a}",
        "\\text{1 and ",
        "\\text{ cm}^2",
        "1\\text{a}",
        "{a\\over",
    ),
    *("\\!", ",\\!", "\\,", "1\\,", "{,}", "~", "and ", " or ", "1 or ", "a and a half ", "\\mod "),
    *(
        "one ",
        "one hundred ",
        "one hundred and ",
        "two thousand ",
        "half ",
        "dozen ",
        "1 and a half ",
    ),
    *("12^{th}", "1_{3}", "base ", "1 base 3", "pm ", "1:00", "2:00 pm ", "(C) ", "\\begin{array}"),
    *(
        "1 aa  bb  ",
        "aa/bb",
        "per h ",
        "m^2",
        "a. ",
        "week 1 ",
        "1 weeks ",
        "1 days, ",
        "\\cup",
        "&",
    ),
]
# What comes before and after: both decide which patterns begin, and which fail at the end.
AROUND = [("", ""), ("1", "!"), ("\\text{", ";"), ("(", "1")]


def patterns() -> Iterator[tuple[re.Pattern[str], str]]:
    names = [
        f"{graders.__name__}.{module.name}" for module in pkgutil.iter_modules(graders.__path__)
    ]
    for module in (numerals, *map(importlib.import_module, names)):
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield value, f"{module.__name__.rpartition('.')[2]}.{name}"


# One that several modules import is tried once, under its first module's name.
PATTERNS = {name: pattern for pattern, name in dict(reversed([*patterns()])).items()}


def seconds(call: Callable[[], object]) -> float:
    begin = time.process_time()
    call()
    return time.process_time() - begin


def grows(
    run: Callable[[str], object], around: tuple[str, str], repeated: str, sizes: Sequence[int]
) -> bool:
    """Whether ``run`` takes more than linear time; measured twice, since clocks are coarse."""

    def took(size: int) -> float:
        text = f"{around[0]}{repeated * (size // len(repeated) or 1)}{around[1]}"
        return seconds(lambda: run(text))

    def is_too_slow(smaller: int, larger: int) -> bool:
        taken = took(larger)
        return taken > NOTICEABLE_S and taken > WORST_RATIO * took(smaller)

    return any(
        is_too_slow(smaller, larger) and is_too_slow(smaller, larger)
        for smaller, larger in itertools.pairwise(sizes)
    )


def test_every_pattern_is_found() -> None:
    assert {"_text.WORD_TAIL", "numerals.NUMERAL", "_guard._TOWER"} <= set(PATTERNS)


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_pattern(pattern: re.Pattern[str]) -> None:
    def run(text: str) -> None:
        pattern.sub("", text)
        pattern.fullmatch(text)

    slow = [
        (repeated, around)
        for repeated in REPEATED
        for around in AROUND
        if grows(run, around, repeated, SIZES)
    ]
    assert slow == []


@pytest.mark.parametrize("around", AROUND)
def test_what_runs_before_algebra(around: tuple[str, str]) -> None:
    def run(text: str) -> None:
        for grader, gold in ((Standard(), NUMBER), (MedCalc(), LIMITS)):
            grader.grade(gold, text)
        with contextlib.suppress(AnswerRefusedError):
            check_cost(text)

    # Nesting is refused by its depth, whatever its length.
    shallow = [repeated for repeated in REPEATED if not set(repeated) & set("([{")]
    assert [each for each in shallow if grows(run, around, each, PARSED)] == []


@pytest.mark.parametrize("around", AROUND)
def test_what_bounds_the_rest(around: tuple[str, str]) -> None:
    def run(text: str) -> None:
        with contextlib.suppress(AnswerRefusedError):
            sized(text, "18")

    assert [each for each in REPEATED if grows(run, around, each, UNBOUNDED)] == []
