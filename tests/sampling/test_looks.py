"""What a look takes, and a reduced replay of what `python -m tests.analysis.calibration.sequential`
measures in full."""

from dataclasses import replace

import numpy as np
import pytest

from distlab.analysis.sequential import Conclusion
from distlab.config.values import StoppingRule
from distlab.runs.decisions import ArmVerdicts, Ending, Look
from distlab.sampling.looks import Arms, Design, next_look
from tests.analysis.calibration.sequential import SCENARIOS, Tally, tally

RULE = StoppingRule("gap", 0.05, 0.05, 1.0)
SINGLES = tuple(f"{i:04}" for i in range(400))


def arms(design: Design, base: float, instruct: float) -> Arms:
    rng = np.random.default_rng(0)

    def arm(chance: float, n: int) -> ArmVerdicts:
        correct = rng.random((len(design.clusters), n)) < chance
        return ArmVerdicts(correct, np.ones_like(correct), np.zeros(len(correct), dtype=np.bool_))

    return arm(base, design.n[0]), arm(instruct, design.n[1])


def looks_of(design: Design, judges: Arms) -> tuple[list[Look], Ending]:
    looks: list[Look] = []
    while isinstance(found := next_look(design, looks, [judges]), Look):
        looks.append(found)
    return looks, found


def test_the_first_look_draws_twice_what_varies_and_once_what_does_not() -> None:
    design = Design(RULE, SINGLES, (20, 20), (False, True))
    assert next_look(design, [], []) == Look(64, (1, 2))
    assert next_look(replace(design, n=(20, 1)), [], []) == Look(64, (1, 1))


def test_every_sample_of_a_problem_is_drawn_for_pass_n() -> None:
    design = Design(replace(RULE, target="pass_n"), SINGLES, (20, 20), (False, True))
    assert next_look(design, [], []) == Look(64, (20, 20))


def test_a_look_ends_with_a_cluster() -> None:
    design = Design(RULE, tuple(f"{i // 30}" for i in range(400)), (4, 4), (True, True))
    looks, ending = looks_of(design, arms(design, 0.5, 0.52))
    assert ending is Ending.PROBLEMS
    ends = np.cumsum([look.problems for look in looks])
    assert ends[-1] == 400
    assert all(end % 30 == 0 for end in ends[:-1])


def test_no_look_goes_beyond_the_budget() -> None:
    design = Design(replace(RULE, budget=0.12), SINGLES, (4, 4), (True, True))
    looks, ending = looks_of(design, arms(design, 0.5, 0.56))
    spent = sum(look.problems * sum(look.draws) for look in looks)
    assert ending is Ending.BUDGET
    assert 0.08 < spent / design.samples <= 0.12


def test_every_judge_must_know() -> None:
    design = Design(RULE, SINGLES, (4, 4), (True, True))
    knows, doubts = arms(design, 0.2, 0.9), arms(design, 0.5, 0.52)
    looks = [Look(64, (2, 2))]
    assert next_look(design, looks, [knows]) is Ending.DECIDED
    assert isinstance(next_look(design, looks, [knows, doubts]), Look)
    assert isinstance(next_look(design, looks, []), Look)


@pytest.fixture(scope="module")
def tallies() -> dict[str, Tally]:
    wanted = ("warm draws", "no gap")
    return {s.name: tally(s, 25) for s in SCENARIOS if s.name in wanted}


def test_a_gap_of_5_points_is_found_with_power_08_for_less_than_40_per_cent(
    tallies: dict[str, Tally],
) -> None:
    found = tallies["warm draws"]
    assert found.said[Conclusion.INSTRUCT] >= 0.8
    assert found.share_90 <= 0.4


def test_the_interval_covers_whatever_stopped_the_study(tallies: dict[str, Tally]) -> None:
    for found in tallies.values():
        # Of 25 replays: a rate of 5 % exceeds it in less than 1 of 140 cases.
        assert found.missed <= 0.16
        assert found.wrong <= 0.16
