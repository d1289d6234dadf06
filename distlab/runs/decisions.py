"""How a study that stops when it knows went: its looks, and what they come to under a judge."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

import numpy as np

from distlab.analysis.arrays import BoolArray, FloatArray, IntArray
from distlab.analysis.sequential import AnytimeGap, anytime_gap
from distlab.config.values import StoppingRule, Target
from distlab.problems.problem import Problem


class Ending(StrEnum):
    """Why a study drew no further."""

    DECIDED = "decided"  # under every judge
    BUDGET = "budget"  # the next look would cost more than was allowed
    PROBLEMS = "problems"  # all of them were looked at
    STOPPED = "stopped"  # by a signal or a failure; the same command goes on


_WHY: Final = {
    Ending.DECIDED: "stopped, since every judge can tell,",
    Ending.BUDGET: "stopped undecided, since the budget is spent,",
    Ending.PROBLEMS: "undecided with the last problem,",
    Ending.STOPPED: "interrupted; the same command goes on,",
}


@dataclass(frozen=True, slots=True)
class Look:
    """What is drawn before one look at the interval.

    Attributes:
        problems: Problems that this look adds.
        draws: Samples of each of them: base, instruct. Those of the lowest ranks count, however
            many there are.
    """

    problems: int
    draws: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Decision:
    """How far two arms of one dataset and prompt were compared.

    Attributes:
        base: Key of the base arm's cell.
        instruct: Key of the instruct arm's cell.
        rule: When to stop.
        seed: Of the order of the problems.
        fingerprint: Of all that the decision depends on, hex; samples have addresses of their own.
        looks: In their order.
        ending: Why there are no more of them.
        all_problems: Problems of the dataset.
        samples: Samples that the looks stand on.
        of: Samples of all problems with n draws each.
    """

    base: str
    instruct: str
    rule: StoppingRule
    seed: int
    fingerprint: str
    looks: tuple[Look, ...]
    ending: Ending
    all_problems: int
    samples: int
    of: int

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """A decision as a manifest has it.

        Raises:
            KeyError, TypeError, ValueError: It is none.
        """
        looks = [(look["problems"], *look["draws"]) for look in raw["looks"]]
        typed = {
            "rule": StoppingRule(**raw["rule"]),
            "looks": tuple(Look(count, (base, instruct)) for count, base, instruct in looks),
            "ending": Ending(raw["ending"]),
        }
        return cls(**{**raw, **typed})

    @property
    def problems(self) -> int:
        """Problems that were looked at."""
        return sum(look.problems for look in self.looks)

    @property
    def share(self) -> float:
        """Samples as a share of all."""
        return self.samples / self.of

    @property
    def sentence(self) -> str:
        """That it stopped, when and why."""
        return (
            f"{self.base} and {self.instruct}: {_WHY[self.ending]} after {self.problems} of "
            f"{self.all_problems} problems, with {self.samples} of {self.of} samples "
            f"({100 * self.share:.1f} %; decoding.until=decided)."
        )


def in_order(problems: Iterable[Problem], seed: int) -> list[list[int]]:
    """Clusters in the random order in which they are looked at.

    The order is that of a hash, so that it is the same whatever the dataset's file is sorted by.

    Args:
        problems: Of one dataset.
        seed: The study's.

    Returns:
        Positions of the problems in ``problems``, by cluster.
    """
    clusters: dict[str, list[int]] = {}
    for place, problem in enumerate(problems):
        clusters.setdefault(problem.cluster, []).append(place)
    return [clusters[name] for name in sorted(clusters, key=lambda name: _hash(seed, name))]


def _hash(seed: int, cluster: str) -> bytes:
    return hashlib.sha256(f"order\0{seed}\0{cluster}".encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True, eq=False)
class ArmVerdicts:
    """One arm under one judge, problems in the order of the looks.

    Attributes:
        correct: [problems, n] by rank.
        judged: [problems, n], whether there is a verdict.
        failed: [problems] that cannot be sampled; they count as unsolved, as everywhere.
    """

    correct: BoolArray
    judged: BoolArray
    failed: BoolArray

    def scores(self, target: Target, draws: IntArray) -> FloatArray:
        """Scores of the problems looked at; NaN where a sample lacks its verdict.

        Args:
            target: What is scored: pass@1 as the share of correct draws, or any correct.
            draws: [problems looked at] samples that count of each: those of the lowest ranks.
        """
        seen = slice(draws.size)
        counts = np.arange(self.correct.shape[1]) < draws[:, None]
        correct = (self.correct[seen] & counts).sum(axis=1)
        whole = (self.judged[seen] | ~counts).all(axis=1)
        score = (correct > 0).astype(np.float64) if target == "pass_n" else correct / draws
        return np.where(self.failed[seen], 0.0, np.where(whole, score, np.nan))


def draws_of(looks: Sequence[Look], arm: int) -> IntArray:
    """[problems looked at] draws of base (0) or instruct (1)."""
    draws = [look.draws[arm] for look in looks]
    return np.repeat(np.array(draws, dtype=np.int64), [look.problems for look in looks])


def gap_so_far(
    looks: Sequence[Look],
    rule: StoppingRule,
    arms: tuple[ArmVerdicts, ArmVerdicts],
    clusters: Sequence[str],
) -> AnytimeGap:
    """What the looks come to under the judge whose verdicts are given.

    Args:
        looks: In their order.
        rule: What arms are compared by, how surely, and within which margin.
        arms: Base and instruct.
        clusters: Of every problem of the dataset, in the order of the looks.
    """
    base, instruct = (arm.scores(rule.target, draws_of(looks, i)) for i, arm in enumerate(arms))
    largest = max(Counter(clusters).values(), default=1)
    return anytime_gap(base, instruct, clusters[: base.size], largest, rule.alpha, rule.margin)
