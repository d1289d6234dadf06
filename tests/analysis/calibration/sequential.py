"""Replays of made samples through the rule of `until=decided`: what it draws, finds and misses.

    python -m tests.analysis.calibration.sequential [REPLAYS]

prints the table that stands in docs/sequential.md.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from distlab.analysis.arrays import BoolArray, FloatArray
from distlab.analysis.sequential import AnytimeGap, Conclusion
from distlab.config.values import StoppingRule, Target
from distlab.runs.decisions import ArmVerdicts, Look
from distlab.sampling.looks import Arms, Design, gaps, next_look

N: Final = 20
GSM8K: Final = 1319
# MedCalc's test set: 1047 problems of 55 calculators.
MEDCALC: Final = (1047, 55)
_POPULATION: Final = 200_000


@dataclass(frozen=True)
class Scenario:
    """A population of problems, and how its arms are compared.

    Attributes:
        name: Of the row.
        gap: The true gap, in the target's score.
        target: What is compared.
        difficulty: Standard deviation of the problems' log-odds; the higher, the more problems
            are solved always or never.
        apart: Standard deviation of an arm's own part of them.
        shared: Share of the arms' own part that problems of a source have in common.
        problems: Of the dataset.
        sources: Of the problems; None for one each.
        ranked: The base arm branches (CoT-decoding), so that pass@1 takes one sample.
        budget: Most samples, as a share.
    """

    name: str
    gap: float
    target: Target = "gap"
    difficulty: float = 3.0
    apart: float = 1.5
    shared: float = 0.0
    problems: int = GSM8K
    sources: int | None = None
    ranked: bool = False
    budget: float = 1.0


SCENARIOS: Final = (
    Scenario("near-greedy draws", 0.05, difficulty=6, apart=2),
    Scenario("warm draws", 0.05),
    Scenario("warm draws, arms unlike", 0.05, difficulty=1.5, apart=2.5),
    Scenario("warm draws, at most 40 %", 0.05, budget=0.4),
    Scenario("base branches", 0.05, ranked=True),
    Scenario("large gap", 0.30),
    Scenario("no gap", 0.0),
    Scenario("no gap, arms unlike", 0.0, difficulty=1.5, apart=2.5),
    Scenario("no gap, 55 sources", 0.0, shared=0.3, problems=MEDCALC[0], sources=MEDCALC[1]),
    Scenario("15 points, 55 sources", 0.15, shared=0.3, problems=MEDCALC[0], sources=MEDCALC[1]),
    Scenario("Pass@20, arms alike", 0.05, "pass_n", difficulty=6, apart=1),
    Scenario("Pass@20", 0.05, "pass_n", difficulty=6, apart=2),
    Scenario("Pass@20, arms unlike", 0.05, "pass_n", difficulty=6, apart=4),
    Scenario("Pass@20, large gap", 0.30, "pass_n", difficulty=6, apart=2),
    Scenario("Pass@20, no gap", 0.0, "pass_n", difficulty=6, apart=2),
)


@dataclass(frozen=True)
class Replay:
    """What one study came to."""

    gap: AnytimeGap
    looks: tuple[Look, ...]
    problems: int
    share: float


@dataclass(frozen=True)
class Tally:
    """What the replays of a scenario came to, as shares of them."""

    scenario: Scenario
    said: dict[Conclusion, float]
    wrong: float
    missed: float
    problems: float
    share: float
    share_90: float


def replay(design: Design, arms: Arms) -> Replay:
    """Draw by the rule from samples that are all there."""
    looks: list[Look] = []
    while isinstance(look := next_look(design, looks, [arms]), Look):
        looks.append(look)
    (gap,) = gaps(design, looks, [arms])
    samples = sum(look.problems * sum(look.draws) for look in looks)
    problems = sum(look.problems for look in looks)
    return Replay(gap, tuple(looks), problems, samples / design.samples)


def tally(scenario: Scenario, replays: int, seed: int = 0) -> Tally:
    """Replay a scenario many times, with other problems and samples each time."""
    rng = np.random.default_rng(seed)
    means = _means(scenario)
    found = [replay(_design(scenario), _draw(scenario, means, rng)) for _ in range(replays)]
    margin = _design(scenario).rule.margin
    said = [one.gap.conclusion(margin) for one in found]
    true = scenario.gap
    intervals = [one.gap.difference for one in found]
    shares = np.array([one.share for one in found])
    return Tally(
        scenario=scenario,
        said={what: said.count(what) / replays for what in Conclusion},
        wrong=sum(_is_wrong(what, true, margin) for what in said) / replays,
        missed=sum(not each.low <= true <= each.high for each in intervals) / replays,
        problems=float(np.mean([one.problems for one in found])),
        share=float(shares.mean()),
        share_90=float(np.quantile(shares, 0.9)),
    )


def _is_wrong(said: Conclusion, true: float, margin: float) -> bool:
    winner = {Conclusion.INSTRUCT: true <= 0, Conclusion.BASE: true >= 0}
    return winner.get(said, said is Conclusion.EQUIVALENT and abs(true) >= margin)


def _design(scenario: Scenario) -> Design:
    rule = StoppingRule(scenario.target, 0.05, 0.05, scenario.budget)
    return Design(rule, _clusters(scenario), (N, N), (not scenario.ranked, True))


def _clusters(scenario: Scenario) -> tuple[str, ...]:
    sources = scenario.sources or scenario.problems
    return tuple(sorted(f"{i % sources:05}" for i in range(scenario.problems)))


def _means(scenario: Scenario) -> tuple[float, float]:
    """Mean log-odds of the arms with which the gap is what it is to be."""
    rng = np.random.default_rng(99)
    noise = rng.standard_normal((3, _POPULATION))
    score = _score(scenario.target)

    def mean(arm: int, at: float) -> float:
        odds = at + scenario.difficulty * noise[0] + scenario.apart * noise[1 + arm]
        return float(score(expit(odds)).mean())

    base = 0.0 if scenario.target == "gap" else -4.0
    wanted = mean(0, base) + scenario.gap
    return base, float(brentq(lambda at: mean(1, at) - wanted, -30, 30))


def _score(target: Target) -> Callable[[FloatArray], FloatArray]:
    return (lambda p: p) if target == "gap" else (lambda p: 1 - (1 - p) ** N)


def _draw(scenario: Scenario, means: Sequence[float], rng: np.random.Generator) -> Arms:
    """All samples of a dataset's problems under both arms."""
    problems = scenario.problems
    _, source = np.unique(_clusters(scenario), return_inverse=True)
    difficulty = scenario.difficulty * rng.standard_normal(problems)

    def arm(mean: float) -> ArmVerdicts:
        common = rng.standard_normal(source.max() + 1)[source]
        own = rng.standard_normal(problems)
        apart = np.sqrt(scenario.shared) * common + np.sqrt(1 - scenario.shared) * own
        p = expit(mean + difficulty + scenario.apart * apart)
        correct: BoolArray = rng.random((problems, N)) < p[:, None]
        judged = np.ones_like(correct)
        return ArmVerdicts(correct, judged, np.zeros(problems, dtype=np.bool_))

    return arm(means[0]), arm(means[1])


_TITLES: Final = (
    *("population", "target", "true gap", "instruct", "base", "equivalent", "undecided"),
    *("wrong", "interval misses", "problems", "samples", "samples, 90th centile"),
)


def row(found: Tally) -> str:
    """A line of the table, in per cent."""
    scenario = found.scenario
    said = [f"{100 * found.said[what]:.1f}" for what in Conclusion]
    rates = [f"{100 * rate:.1f}" for rate in (found.wrong, found.missed)]
    shares = [f"{100 * share:.1f}" for share in (found.share, found.share_90)]
    cells = (scenario.name, scenario.target, f"{100 * scenario.gap:g}", *said, *rates)
    return f"| {' | '.join((*cells, f'{found.problems:.0f}', *shares))} |"


def main(replays: int) -> None:
    """Print the table."""
    print(f"| {' | '.join(_TITLES)} |")
    print(f"|{' --- |' * 2}{' ---: |' * (len(_TITLES) - 2)}")
    for scenario in SCENARIOS:
        print(row(tally(scenario, replays)), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
