"""Judges of samples that are still being drawn."""

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.judging import Judging
from distlab.scoring.panel import Candidate, JudgeIndex, JudgePanel
from distlab.scoring.sampled_text import SampledText
from distlab.scoring.types import ComponentSpec

RULES = ComponentSpec("rules", "distlab.scoring.extractors.rules:Rules")
STANDARD = ComponentSpec("standard", "distlab.scoring.graders.standard:Standard")
TWELVE = Gold(GoldKind.NUMBER, "12")


def test_a_truncated_sample_solves_a_problem_only_by_an_answer_that_it_states() -> None:
    candidates = [
        Candidate(("cell", "whole"), TWELVE, SampledText("So she has 12 pens", truncated=False)),
        Candidate(("cell", "cut"), TWELVE, SampledText("So she has 12 pens", truncated=True)),
        Candidate(("cell", "stated"), TWELVE, SampledText("The answer is 12. It", truncated=True)),
        Candidate(("cell", "turn"), TWELVE, SampledText("It is 12.\nuser: 5", False, turn_end=9)),
    ]
    panel = JudgePanel(Judging((RULES,), (STANDARD,)))
    try:
        found = panel.judge(candidates)
    finally:
        panel.close()
    assert found == {("cell", name): {JudgeIndex(0, 0)} for name in ("whole", "stated", "turn")}
