"""Which samples the next look at an undecided gap takes, and when there is none to take.

Pure: what is drawn next follows from the verdicts of earlier looks alone. So a run that was killed,
a second driver and a replay of stored samples come to the same looks and the same end.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, islice

import numpy as np

from distlab.analysis.arrays import FloatArray, IntArray
from distlab.analysis.sequential import AnytimeGap, Conclusion, Spread, allocate, spread
from distlab.config.values import StoppingRule
from distlab.runs.decisions import ArmVerdicts, Ending, Look, draws_of, gap_so_far

# Problems of the first look, and by how much the problems of a look exceed those of the one before
# (ours): a look waits for its last sample, and what is drawn too much grows with its length.
_FIRST = 64
_GROWTH = 1.25
# Draws of a problem in the first look, where draws differ: two tell how far (ours).
_PILOT = 2

Arms = tuple[ArmVerdicts, ArmVerdicts]
"""Base and instruct under one judge."""


@dataclass(frozen=True, slots=True)
class Design:
    """What a comparison of two arms is about, before the first sample.

    Attributes:
        rule: When to stop.
        clusters: Of every problem, in the order of the looks; those of a cluster are neighbours.
        n: Most samples of a problem: base, instruct.
        varies: Whether draws of a problem are independent; else the first says all of pass@1.
    """

    rule: StoppingRule
    clusters: tuple[str, ...]
    n: tuple[int, int]
    varies: tuple[bool, bool]

    @property
    def samples(self) -> int:
        """Of all problems with n draws each."""
        return len(self.clusters) * sum(self.n)


def next_look(design: Design, looks: Sequence[Look], judges: Sequence[Arms]) -> Look | Ending:
    """What to draw next, or why nothing.

    Args:
        design: What is compared.
        looks: Those so far, whose samples have been judged.
        judges: Both arms under every judge.
    """
    if looks and is_decided(gaps(design, looks, judges), design.rule.margin):
        return Ending.DECIDED
    done = sum(look.problems for look in looks)
    if done == len(design.clusters):
        return Ending.PROBLEMS
    draws = _draws(design, looks, judges)
    spent = sum(look.problems * sum(look.draws) for look in looks)
    affordable = done + math.floor((design.rule.budget * design.samples - spent) / sum(draws))
    end = _end(design, done, affordable)
    return Ending.BUDGET if end == done else Look(end - done, draws)


def _end(design: Design, done: int, affordable: int) -> int:
    """Problems after the next look, in whole clusters; ``done`` where none is affordable."""
    wanted, end = max(_FIRST, math.ceil(_GROWTH * done)), done
    for _, cluster in groupby(islice(design.clusters, done, None)):
        after = end + sum(1 for _ in cluster)
        if after > affordable or end >= wanted:
            break
        end = after
    return end


def gaps(design: Design, looks: Sequence[Look], judges: Sequence[Arms]) -> list[AnytimeGap]:
    """What the looks come to under every judge."""
    return [gap_so_far(looks, design.rule, arms, design.clusters) for arms in judges]


def is_decided(found: Sequence[AnytimeGap], margin: float) -> bool:
    """Whether every judge knows."""
    known = [gap.conclusion(margin) is not Conclusion.UNDECIDED for gap in found]
    return bool(known) and all(known)


def _draws(design: Design, looks: Sequence[Look], judges: Sequence[Arms]) -> tuple[int, int]:
    """Draws of a problem that the next look takes: base, instruct."""
    if design.rule.target == "pass_n":
        return design.n
    options = (_options(design, 0), _options(design, 1))
    spreads = [_spread(looks, arms) for arms in judges] if looks else []
    chosen = [
        allocate(found, options, len(design.clusters), design.rule.margin)
        for found in spreads
        if found is not None
    ]
    if not chosen:
        return min(_PILOT, options[0][-1]), min(_PILOT, options[1][-1])
    return max(base for base, _ in chosen), max(instruct for _, instruct in chosen)


def _options(design: Design, arm: int) -> list[int]:
    """Draws that a problem may have: powers of two, and all."""
    if not design.varies[arm]:
        return [1]
    n = design.n[arm]
    return sorted({min(2**power, n) for power in range(n.bit_length() + 1)})


def _spread(looks: Sequence[Look], arms: Arms) -> Spread | None:
    """Where the variance is under one judge; None below two problems with a score."""
    draws = [draws_of(looks, arm) for arm in (0, 1)]
    base, instruct = (arm.scores("gap", n) for arm, n in zip(arms, draws, strict=True))
    known = ~np.isnan(instruct - base)
    if known.sum() < 2:
        return None
    noise = (_noise(base, draws[0])[known], _noise(instruct, draws[1])[known])
    return spread((instruct - base)[known], noise, np.stack(draws, axis=1)[known])


def _noise(scores: FloatArray, draws: IntArray) -> FloatArray:
    """Unbiased variance of one draw of each problem; NaN where it has one draw."""
    several = np.where(draws > 1, draws, np.nan)
    return np.asarray(scores * (1 - scores) * several / (several - 1), dtype=np.float64)
