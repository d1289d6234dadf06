import re
from collections.abc import Callable
from itertools import pairwise
from math import prod

import pytest

from distlab.errors import UserError
from distlab.problems import DatasetSpec, GoldKind, load_dataset, load_exemplars

HASH = "2f66e77171187540cef7906a7879071a64663d3983b7c2e3be34d91d98392854"
NUMBER = re.compile(r"\d+")


def computed(question: str) -> int:
    """The answer, from the question's words alone."""
    first, second = map(int, NUMBER.findall(question))
    if "*" in question or "boxes" in question:
        return prod((first, second))
    return first - second if " - " in question else first + second


def test_golds_are_the_answers(spec: Callable[..., DatasetSpec]) -> None:
    problems = load_dataset(spec("arithmetic", options={"pairs": 120})).problems
    assert [problem.gold.text for problem in problems] == [
        str(computed(problem.question)) for problem in problems
    ]
    assert {problem.gold.kind for problem in problems} == {GoldKind.NUMBER}


def test_the_default_set_is_the_one_we_measured(spec: Callable[..., DatasetSpec]) -> None:
    loaded = load_dataset(spec("arithmetic"))
    assert loaded.rows == len(loaded.problems) == 48
    assert loaded.content_hash == HASH
    assert loaded.problems[0].question == "What is 72 + 5?"


def test_twins_ask_the_same_of_other_numbers(spec: Callable[..., DatasetSpec]) -> None:
    problems = load_dataset(spec("arithmetic", options={"seed": 3})).problems
    for seed, twin in zip(problems[::2], problems[1::2], strict=True):
        assert (seed.side, twin.side) == ("seed", "twin")
        assert seed.pair == twin.pair
        assert seed.cluster == twin.cluster == seed.pair
        assert seed.strata == twin.strata
        assert seed.gold != twin.gold
        assert NUMBER.findall(seed.question) != NUMBER.findall(twin.question)


def test_no_question_comes_twice_and_none_is_an_exemplar(spec: Callable[..., DatasetSpec]) -> None:
    asked = spec("arithmetic", options={"pairs": 120})
    questions = [problem.question for problem in load_dataset(asked).problems]
    shown = load_exemplars(asked)
    assert len({*questions, *(one.question for one in shown)}) == 240 + 12
    for one in shown:
        assert one.answer == str(computed(one.question))
        assert one.reasoning.endswith(f"= {one.answer}.")


def test_more_pairs_go_on_where_fewer_ended(spec: Callable[..., DatasetSpec]) -> None:
    sets = [
        load_dataset(spec("arithmetic", options={"pairs": pairs})).problems
        for pairs in (1, 7, 24, 120)
    ]
    for fewer, more in pairwise(sets):
        assert more[: len(fewer)] == fewer


def test_a_limit_parts_no_pair(spec: Callable[..., DatasetSpec]) -> None:
    loaded = load_dataset(spec("arithmetic", limit=3))
    assert len(loaded.problems) == 4
    assert loaded.notes == ("dataset.limit=3 would part a pair: 4 problems are taken",)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"options": {"pairs": 121}}, "options.pairs is 121; there are 120 at most"),
        ({"options": {"pair": 1}}, "did you mean `pairs`"),
        ({"path": "rows.jsonl"}, "is made on the spot and reads no file"),
    ],
)
def test_bad_options_are_refused(
    spec: Callable[..., DatasetSpec], given: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UserError, match=re.escape(sentence)):
        load_dataset(spec("arithmetic", **given))
