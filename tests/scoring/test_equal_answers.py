from collections.abc import Sequence

import pytest

from distlab.problems.latex_golds import latex_gold
from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.equal_answers import equal_answers
from distlab.scoring.graders.math_verify import MathVerify
from distlab.scoring.graders.medcalc import MedCalc
from distlab.scoring.graders.standard import Standard
from distlab.scoring.judging import GraderFacts
from distlab.scoring.pool import GradeTask
from distlab.scoring.types import ComponentSpec, Grader, Verdict


class Asked:
    """Grades here and now, and keeps what it was asked."""

    def __init__(self, *graders: Grader) -> None:
        self.graders = graders
        self.tasks: list[tuple[str, str]] = []

    def __call__(self, tasks: Sequence[GradeTask]) -> list[Verdict]:
        self.tasks += [(task.gold.text, task.answer) for task in tasks]
        return [self._verdict(task) for task in tasks]

    def _verdict(self, task: GradeTask) -> Verdict:
        if "hang" in (task.gold.text, task.answer):
            return Verdict.TIMEOUT
        right = self.graders[task.grader].grade(task.gold, task.answer)
        return Verdict.CORRECT if right else Verdict.INCORRECT

    @property
    def facts(self) -> list[GraderFacts]:
        return [
            GraderFacts(
                ComponentSpec(g.name, "unused:Unused"),
                g.version,
                frozenset(kind for kind in GoldKind if g.applies(kind)),
                cached=False,
            )
            for g in self.graders
        ]

    def classes(self, gold: Gold, answers: Sequence[str]) -> list[int]:
        pairs = [("p", answer) for answer in answers]
        return equal_answers(self, self.facts, {"p": gold}, pairs, [False] * len(pairs))


NUMBER = Gold(GoldKind.NUMBER, "7")


def test_spellings_of_a_number_are_one_answer_and_ask_nobody() -> None:
    asked = Asked(Standard())
    spelled = ["1,000", "1000", "999", "1000.00", "-1000", "0", "-0.0", " 1000 "]
    assert asked.classes(NUMBER, spelled) == [0, 0, 1, 0, 2, 3, 3, 0]
    assert asked.tasks == []


@pytest.mark.parametrize(
    ("gold", "answers", "classes"),
    [
        (NUMBER, ["5", "5 cm", "\\$5", "6 cm"], [0, 0, 0, 3]),
        (latex_gold("x"), [r"\frac{1}{2}", "x = 1/2", "0.5", r"\dfrac12", "2"], [0, 0, 0, 0, 4]),
        (latex_gold("1, 2"), ["1, 2", "2 and 1", "(1, 2)", "1, 3"], [0, 0, 2, 3]),
        (Gold(GoldKind.DATE, "05/07/2020"), ["5/7/2020", "May 7, 2020", "05/08/2020"], [0, 0, 2]),
    ],
)
def test_what_the_grader_accepts_either_way_round_is_one_answer(
    gold: Gold, answers: list[str], classes: list[int]
) -> None:
    assert Asked(Standard()).classes(gold, answers) == classes


def test_algebra_is_done_where_the_first_grader_does_it() -> None:
    answers = ["x(x+1)", "x^2+x", "x^2"]
    assert Asked(MathVerify(), Standard()).classes(latex_gold("x"), answers) == [0, 0, 2]
    assert Asked(Standard(), MathVerify()).classes(latex_gold("x"), answers) == [0, 1, 2]


def test_limits_of_the_gold_make_no_two_values_one() -> None:
    gold = Gold(GoldKind.INTERVAL, "10", lower=9.0, upper=11.0)
    assert Asked(Standard()).classes(gold, ["9.5", "10.5", "9.50 mL"]) == [0, 1, 0]
    # That knows values within limits alone, so that nobody compares.
    assert Asked(MedCalc()).classes(gold, ["9.5", "10.5", "9.50"]) == [0, 1, 0]


class Chain:
    """Accepts whatever shares a letter or digit, either way round."""

    name, version = "chain", "1"

    def applies(self, kind: GoldKind) -> bool:
        return True

    def grade(self, gold: Gold, answer: str) -> bool:
        return bool(set(gold.text) & set(answer))


def test_a_chain_joins_answers_but_never_two_numbers() -> None:
    assert Asked(Chain()).classes(NUMBER, ["a", "ab", "bc", "d"]) == [0, 0, 0, 3]
    assert Asked(Chain()).classes(NUMBER, ["5", "5 or 50", "50"]) == [0, 0, 2]


class OneWay(Chain):
    """Accepts what is longer than the gold."""

    name = "one-way"

    def grade(self, gold: Gold, answer: str) -> bool:
        return len(answer) > len(gold.text)


def test_one_direction_is_not_enough() -> None:
    assert Asked(OneWay()).classes(NUMBER, ["a", "ab", "abc"]) == [0, 1, 2]


def test_answers_that_run_out_of_time_are_left_alone() -> None:
    asked = Asked(Chain())
    many = [f"{letter}_{letter}" for letter in "abcdefghij"]
    asked.classes(NUMBER, ["hang", *many])
    assert sum("hang" in pair for pair in asked.tasks) == 1
    # What was late with the gold is not tried again at all.
    equal_answers(asked, asked.facts, {"p": NUMBER}, [("p", "late"), ("p", "a")], [True, False])
    assert not any("late" in pair for pair in asked.tasks)


def test_what_is_compared_is_bounded() -> None:
    asked = Asked(Standard())
    long = "x" * 1_000
    many = [f"x_{{{place}}}" for place in range(200)]
    classes = asked.classes(latex_gold("x"), [long, *many, f" {long}"])
    assert classes == [*range(201), 0]
    assert len(asked.tasks) < 64 * 64 / 2
    assert not any(long in pair for pair in asked.tasks)


def test_problems_are_apart_and_asked_together() -> None:
    asked = Asked(Standard())
    golds = {"p": NUMBER, "q": NUMBER}
    answers = [("p", "5"), ("q", "5 cm"), ("p", "5 cm"), ("q", "6 cm")]
    assert equal_answers(asked, asked.facts, golds, answers, [False] * 4) == [0, 0, 0, 1]
