import ast
import operator
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from distlab.errors import UserError
from distlab.problems import DatasetSpec, GoldKind, load_dataset, load_exemplars
from distlab.problems import gsm_symbolic as module

_OPERATIONS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_WORDS = re.compile(r"/?[A-Za-z]{2,}[A-Za-z'-]*(/[A-Za-z]+)*")


def test_the_default_set_is_the_one_we_hashed(spec: Callable[..., DatasetSpec]) -> None:
    loaded = load_dataset(spec("gsm-symbolic"))
    assert loaded.rows == len(loaded.problems) == 8
    assert loaded.notes == ()
    assert "seed 0, 4 pairs of short templates" in loaded.source
    assert {problem.gold.kind for problem in loaded.problems} == {GoldKind.NUMBER}


def test_another_process_makes_the_same_problems(spec: Callable[..., DatasetSpec]) -> None:
    program = (
        "from distlab.problems import DatasetSpec, load_dataset;"
        "print(load_dataset(DatasetSpec('gsm-symbolic',"
        "'distlab.problems.gsm_symbolic:GSMSymbolic')).content_hash)"
    )
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert found.stdout.strip() == load_dataset(spec("gsm-symbolic")).content_hash


def test_twins_share_the_template_and_nothing_else(spec: Callable[..., DatasetSpec]) -> None:
    problems = load_dataset(
        spec("gsm-symbolic", options={"pairs": 80, "templates": "all"})
    ).problems
    assert len({problem.id for problem in problems}) == 160
    for seed, twin in zip(problems[::2], problems[1::2], strict=True):
        assert (seed.side, twin.side) == ("seed", "twin")
        assert (seed.pair, seed.cluster) == (twin.pair, twin.cluster)
        assert seed.gold.text != twin.gold.text
        assert re.findall(r"\d+", seed.question) != re.findall(r"\d+", twin.question)
    # 70 templates: the first ten come a second time, with other numbers.
    assert len({problem.cluster for problem in problems}) == 70
    assert len({problem.question for problem in problems}) == 160


def test_more_pairs_keep_the_first_ones(spec: Callable[..., DatasetSpec]) -> None:
    four = load_dataset(spec("gsm-symbolic")).problems
    assert load_dataset(spec("gsm-symbolic", options={"pairs": 12})).problems[:8] == four


def test_a_limit_that_would_part_a_pair_says_what_is_taken(
    spec: Callable[..., DatasetSpec],
) -> None:
    notes = [load_dataset(spec("gsm-symbolic", limit=limit)).notes for limit in (2, 3)]
    assert notes[1] == (
        *notes[0],
        "dataset.limit=3 would part a pair: 4 problems are taken",
    )


@pytest.mark.parametrize(("limit", "kept"), [(1, 2), (2, 2), (5, 6), (8, 8), (99, 8)])
def test_limit_keeps_whole_pairs(spec: Callable[..., DatasetSpec], limit: int, kept: int) -> None:
    loaded = load_dataset(spec("gsm-symbolic", limit=limit))
    assert len(loaded.problems) == kept
    assert loaded.rows == 8


def test_seeds_make_other_problems(spec: Callable[..., DatasetSpec]) -> None:
    first = load_dataset(spec("gsm-symbolic"))
    second = load_dataset(spec("gsm-symbolic", options={"seed": 1}))
    assert not {one.id for one in first.problems} & {one.id for one in second.problems}
    assert not {one.question for one in first.problems} & {one.question for one in second.problems}


def test_exemplars_come_from_other_templates(spec: Callable[..., DatasetSpec]) -> None:
    default = spec("gsm-symbolic")
    exemplars = load_exemplars(default)
    used = {problem.strata["template"] for problem in load_dataset(default).problems}
    shown = {exemplar.id.split("-")[2].removeprefix("t") for exemplar in exemplars}
    assert len(shown) == len(exemplars) == 33
    assert max(len(one.question + one.reasoning) for one in exemplars) <= 450
    assert not used & shown
    assert load_exemplars(spec("gsm-symbolic", options={"pairs": 70, "templates": "all"})) == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pairs": 0}, r"options\.pairs is 0; give a whole number of at least 1"),
        ({"seed": "x"}, r"options\.seed is 'x'"),
        ({"pairs": True}, r"options\.pairs is True"),
        ({"templates": "long"}, r"options\.templates is 'long'; use one of short, all"),
        ({"difficulty": 2}, "has no option `difficulty`"),
    ],
)
def test_options_are_checked(
    spec: Callable[..., DatasetSpec], options: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        load_dataset(spec("gsm-symbolic", options=options))


@pytest.mark.parametrize("option", ["path", "train_path"])
def test_files_are_refused(spec: Callable[..., DatasetSpec], option: str) -> None:
    with pytest.raises(UserError, match=rf"reads no file; leave dataset\.{option} out"):
        load_dataset(replace(spec("gsm-symbolic"), **{option: "x.jsonl"}))


def test_every_equation_of_the_worked_solutions_holds() -> None:
    """The golds are sound: no template we keep rounds or breaks its own arithmetic."""
    checked = 0
    for template in module._all_templates():
        for seed in range(20):
            draw = module._draw(template, Random(seed))
            for left, right in _equations(draw.solution):
                checked += 1
                assert abs(left - right) < 1e-6, (template, seed, draw.solution)
            assert not re.search(r"\d\.\d{3,}", draw.question), (template, seed)
    assert checked > 3000


def test_the_arithmetic_check_sees_a_rounded_gold() -> None:
    assert [
        left == right for left, right in _equations("He makes 5*0.5=2 jars\nand 7 x $3 = $21.")
    ] == [False, True]


def _equations(solution: str) -> Iterator[tuple[float, float]]:
    """Both sides of each ``a op b = number`` in a worked solution, where both can be read."""
    for line in solution.splitlines():
        sides = line.lstrip(" -").split("=")
        for left, right in pairwise(sides):
            value = _evaluate(re.split(r":|so |is |because |, ", left)[-1])
            result = re.match(r"\s*[$£€]?(-?[\d,]*\.?\d+(?:/\d+)?)(%?)", right)
            if value is not None and result is not None:
                number = float(Fraction(result[1].replace(",", "")))
                yield value, number / (100 if result[2] else 1)


def _evaluate(text: str) -> float | None:
    text = re.sub(r"[$£€,]", "", text).replace("×", "*").replace("half", "0.5")
    text = re.sub(r"÷(\d+/\d+)", r"/(\1)", text).replace("÷", "/")
    text = re.sub(r"\bx\b|(?<=\d)x(?=\d)", "*", text)
    text = re.sub(r"(\d+(?:\.\d+)?)%", r"(\1/100)", _WORDS.sub(" ", text)).strip(" .:;")
    text = re.sub(r"(?<=\d)\(", "*(", text)
    if not re.fullmatch(r"[-+*/(). \d]+", text) or not re.search(r"[-+*/]", text[1:]):
        return None
    try:
        return _value(ast.parse(text, mode="eval").body)
    except SyntaxError:
        return None


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.BinOp):
        return float(_OPERATIONS[type(node.op)](_value(node.left), _value(node.right)))
    if isinstance(node, ast.UnaryOp):
        return -_value(node.operand)
    assert isinstance(node, ast.Constant)
    return float(node.value)  # type: ignore[arg-type]
