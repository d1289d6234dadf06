"""Completions as models write them, extracted and graded: every grader that applies agrees.

The rows are ours, in ``tests/golden/stated_answers.json``: a gold, completions that state it, and
completions that state something else.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.extractors.rules import Rules
from distlab.scoring.graders.math_verify import MathVerify
from distlab.scoring.graders.medcalc import MedCalc
from distlab.scoring.graders.prm800k import PRM800K
from distlab.scoring.graders.standard import Standard

ROWS = json.loads((Path(__file__).parents[1] / "golden" / "stated_answers.json").read_text())
GRADERS = (Standard(), PRM800K(), MathVerify(), MedCalc())


def verdicts(gold: Gold, text: str) -> dict[str, bool]:
    answer = Rules().extract(text, gold.kind).answer
    return {
        grader.name: answer is not None and grader.grade(gold, answer)
        for grader in GRADERS
        if grader.applies(gold.kind)
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['kind']} {row['gold']}")
def test_every_grader_agrees(row: dict[str, Any]) -> None:
    gold = Gold(
        GoldKind(row["kind"]),
        row["gold"],
        tuple(row.get("items", ())),
        row.get("lower"),
        row.get("upper"),
    )
    for right, texts in ((True, row.get("right", ())), (False, row.get("wrong", ()))):
        for text in texts:
            assert set(verdicts(gold, text).values()) == {right}, text


@pytest.mark.parametrize("written", ["$1.2 \\times 10^{3}$", "1.2e3", "1.2 × 10³", "1.2*10**3"])
def test_powers_of_ten_are_refused_by_the_grader_of_form_alone(written: str) -> None:
    found = verdicts(Gold(GoldKind.NUMBER, "1200"), f"The answer is {written}.")
    assert found == {"standard": True, "prm800k": False, "math-verify": True}
