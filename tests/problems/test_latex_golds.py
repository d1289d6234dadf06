import json
from collections.abc import Callable
from pathlib import Path

import pytest

from distlab.problems import GoldKind
from distlab.problems.latex_golds import last_boxed, latex_gold


@pytest.mark.parametrize(
    ("solution", "gold"),
    [
        ("", None),
        ("no box", None),
        (r"\boxed{5", None),
        (r"\boxed 5", None),
        (r"\boxed{}", ""),
        (r"\boxed{1} then $\boxed{\frac{1}{2}}$.", r"\frac{1}{2}"),
        (r"\fbox{7}", "7"),
        (r"\boxed{\left\{1, 2\right.}.", r"\left\{1, 2\right."),
        (r"\boxed {8}", "8"),
        (r"\boxedx{8}", None),
    ],
)
def test_last_boxed(solution: str, gold: str | None) -> None:
    assert last_boxed(solution) == gold


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("1,-2", ("1", "-2")),
        ("0 or 4", ("0", "4")),
        (r"12\text{ and }13", ("12", "13")),
        (r"7, -2, \text{ and } -5", ("7", "-2", "-5")),
        (r"1+\sqrt 2,\ 1-\sqrt 2", (r"1+\sqrt 2", r"\ 1-\sqrt 2")),
        ("A, D, F, G", ("A", "D", "F", "G")),
        ("6,10,15", ("6", "10", "15")),
        ("(1,2)", ()),
        (r"[0,\infty)", ()),
        (r"(-\infty, 0) \cup (0, \infty)", ()),
        ("1), (2, 3)", ("1)", "(2, 3)")),
        ("10,000", ()),
        (r"\$115,000", ()),
        (r"111, \! 111, \! 111", ()),
        (r"3,\!889,\!620", ()),
        (r"25 \, \text{km}", ()),
        (r"0.25\,\text{ cm}", ()),
        (r"\text{Evelyn}", ()),
        ("5", ()),
    ],
)
def test_latex_gold_tells_lists_from_the_rest(text: str, items: tuple[str, ...]) -> None:
    gold = latex_gold(text)
    assert gold.items == items
    assert gold.kind is (GoldKind.LIST if items else GoldKind.LATEX)
    assert gold.text == text


def test_boxes_of_math_are_the_answers_of_math_500(real: Callable[[str], Path]) -> None:
    boxes = {
        row["problem"]: last_boxed(row["solution"])
        for row in map(json.loads, real("math/test.jsonl").open())
    }
    rows = [json.loads(line) for line in real("math-500/test.jsonl").open()]
    assert [row["unique_id"] for row in rows if boxes[row["problem"]] != row["answer"]] == []
