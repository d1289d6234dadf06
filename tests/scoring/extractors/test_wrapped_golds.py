"""Every gold at hand, stated in the ways models state answers, is read and graded right."""

from pathlib import Path

import pytest

from distlab.problems.gsm8k import GSM8K
from distlab.problems.math import MATH, MATH500
from distlab.problems.math_perturb import Hard, Simple
from distlab.problems.problem import DatasetLoader, DatasetSpec, GoldKind
from distlab.scoring.extractors.rules import Rules
from distlab.scoring.graders.standard import Standard

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the evaluation sets are not at hand")

SETS: list[tuple[DatasetLoader, str]] = [
    (GSM8K(), "gsm8k/test.jsonl"),
    (MATH500(), "math-500/test.jsonl"),
    (MATH(), "math/test.jsonl"),
    (Simple(), "math-perturb/math_perturb_simple.jsonl"),
    (Hard(), "math-perturb/math_perturb_hard.jsonl"),
]
NUMBERS = [
    "The answer is @.",
    "The answer is $@.",
    "The answer is: @",
    "**Answer:** @",
    "#### @",
    "Thus she has @ apples left.",
    "So the total is **@**.",
    "$\\boxed{@}$",
    "\\[\n\\boxed{\\text{@ dollars}}\n\\]",
    "Final Answer: @\n\nQ: Tom has 7777 pens?\nA: 7777",
    "x + y = @ dollars",
    "Therefore, the answer is **$@** per day.",
    "The answer is \\(@\\).",
    '{"answer": "@ units"}',
    "@",
]
FORMULAS = [
    "\\boxed{@}",
    "So $\\boxed{@}$.",
    "The final answer is $@$. I hope it is correct.",
    "The answer is \\(@\\).",
    "**Final Answer:** $@$",
    "The answer is: $$@$$",
    "## Answer\n\n$@$",
    "The final answer is $@$. I hope it is correct.\n\nProblem:\nWhat is 7777?\n\nSolution: 7777",
]


@pytest.mark.parametrize(("loader", "file"), SETS, ids=[file for _, file in SETS])
def test_wrapped_golds(loader: DatasetLoader, file: str) -> None:
    rules, standard, wrong = Rules(), Standard(), []
    problems = loader.load(DatasetSpec("set", "", path=str(DATA / file))).problems
    for gold in {problem.gold for problem in problems}:
        # One gold of MATH has a line break in it, where inline math ends.
        body = " ".join(gold.text.split("\n"))
        for pattern in NUMBERS if gold.kind is GoldKind.NUMBER else FORMULAS:
            text = "First we note 3 + 4 = 7, and the 2 of them.\n\n" + pattern.replace("@", body)
            answer = rules.extract(text, gold.kind).answer
            if answer is None or not standard.grade(gold, answer):
                wrong.append((pattern, body, answer))
    assert wrong == []
