"""How far two graders (or two extractors) agree on the same samples, and what that flips."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distlab.analysis.arrays import CodeArray, FloatArray
from distlab.analysis.intervals import Estimate
from distlab.scoring.types import CORRECT, NO_VERDICT


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two judges over the samples that both have a verdict for; correct against all else.

    Attributes:
        samples: Samples with a verdict from both.
        rate: Share on which they agree; NaN without samples.
        kappa: Cohen's kappa; NaN where chance alone agrees on everything.
        first_only: Samples that only the first calls correct.
        second_only: Samples that only the second calls correct.
    """

    samples: int
    rate: float
    kappa: float
    first_only: int
    second_only: int


def agreement(first: CodeArray, second: CodeArray) -> Agreement:
    """Compare two verdict matrices of the same shape.

    Args:
        first: Verdict codes; ``NO_VERDICT`` where there is none.
        second: Verdict codes of the same samples.
    """
    both = (first != NO_VERDICT) & (second != NO_VERDICT)
    a, b = first[both] == CORRECT, second[both] == CORRECT
    first_only, second_only = int((a & ~b).sum()), int((b & ~a).sum())
    if a.size == 0:
        return Agreement(0, math.nan, math.nan, 0, 0)
    rate = 1 - (first_only + second_only) / a.size
    kappa = cohen_kappa(rate, float(a.mean()), float(b.mean()))
    return Agreement(a.size, rate, kappa, first_only, second_only)


def cohen_kappa(rate: float, first: float, second: float) -> float:
    """Cohen's kappa of two binary judges (Cohen 1960).

    Args:
        rate: Share of items on which they agree.
        first: Share that the first calls correct.
        second: Share that the second calls correct.

    Returns:
        The agreement beyond chance; NaN where chance agreement is complete.
    """
    chance = first * second + (1 - first) * (1 - second)
    return math.nan if chance >= 1 else (rate - chance) / (1 - chance)


def flips(first: FloatArray, second: FloatArray) -> tuple[int, int]:
    """Problems whose Pass@n depends on the judge.

    Args:
        first: [problems] of 0, 1 or NaN under the first judge.
        second: [problems] under the second.

    Returns:
        Problems solved under the first alone, and under the second alone.
    """
    return int(((first == 1) & (second == 0)).sum()), int(((first == 0) & (second == 1)).sum())


def winner(gap: Estimate) -> str:
    """Who wins by the interval of instruct - base: "base", "instruct" or "undecided"."""
    return {1: "instruct", -1: "base", 0: "undecided"}[gap.sign]


def winner_depends(gaps: Sequence[Estimate]) -> bool:
    """Whether the sign of the point estimate differs between judges."""
    signs = {int(np.sign(gap.value)) for gap in gaps if not math.isnan(gap.value)}
    return len(signs) > 1
