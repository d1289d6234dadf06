"""Choices and answers in words: read by `rules`, judged by `standard`."""

import pytest

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.extractors.rules import Rules
from distlab.scoring.graders.standard import Standard


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is (B).", "B"),
        ("The answer is B) Paris, because it is.", "B"),
        ("Answer: **C**", "C"),
        (r"So \boxed{\text{D}}.", "D"),
        (r"The final answer is $\boxed{A}$", "A"),
        ("The correct answer is option A.", "A"),
        ("Therefore, the answer is that B is right", "B"),
        ("The answer is (b).", "b"),
        ("B", "B"),
        ("B. Paris", "B"),
        ("Let's see. (A) is wrong, thus (C).", "C"),
        ("A is wrong.\nThe correct choice is B", "B"),
        # No letters: the article, and more than one.
        ("The answer is A dog.", "A dog"),
        ("The answer is B and C.", "B and C"),
        # The text of a choice.
        ("The answer is Paris.", "Paris"),
        ("I do not know.\nNobody does.", None),
    ],
)
def test_a_choice_is_read_by_its_letter(text: str, answer: str | None) -> None:
    found = Rules().extract(text, GoldKind.CHOICE)
    assert found.answer == answer
    assert answer is None or text[found.start : found.end] == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("She was born in Warsaw.\n\nThe answer is: Marie Curie.", "Marie Curie"),
        ("It is **Mount Kenya**, of course.\nYes.", "Mount Kenya"),
        ("Blue whale", "Blue whale"),
        ("Some say this.\nSome say that.", None),
    ],
)
def test_words_are_read_as_they_are_stated(text: str, answer: str | None) -> None:
    assert Rules().extract(text, GoldKind.TEXT).answer == answer


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("B", True),
        ("B. Paris", True),
        ("paris.", True),
        ("the Paris", True),
        ("A", False),
        ("Lyon", False),
        ("BA", False),
        # The third choice's text is the letter of the second.
        ("b", False),
    ],
)
def test_a_choice_is_its_letter_or_its_text(answer: str, verdict: bool) -> None:
    gold = Gold(GoldKind.CHOICE, "B", items=("Lyon", "Paris", "b"))
    assert Standard().grade(gold, answer) is verdict


def test_without_texts_a_choice_is_its_letter() -> None:
    gold = Gold(GoldKind.CHOICE, "B")
    assert Standard().grade(gold, "b") and Standard().grade(gold, r"\text{(B)}")
    assert not Standard().grade(gold, "C")


def test_texts_are_equal_after_normalising() -> None:
    gold = Gold(GoldKind.TEXT, "The Beatles", items=("Fab Four",))
    same = ("beatles", "**Beatles**!", "the  fab four", "Ｂeatles")
    assert all(Standard().grade(gold, answer) for answer in same)
    assert not any(Standard().grade(gold, answer) for answer in ("Beatles, Inc", "", "the"))
