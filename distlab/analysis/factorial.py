"""The gap of two arms that differ in several things at once, split into what each of them makes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from distlab.analysis.arrays import FloatArray
from distlab.analysis.contrasts import Contrast, Mean, contrast
from distlab.analysis.intervals import RESAMPLES

Part = tuple[str, ...]
"""Factors whose joint effect it is: one for a main part, several for an interaction."""


@dataclass(frozen=True, slots=True)
class FactorialSplit:
    """The 2 x 2 x ... split; total is the sum of all parts.

    A part is the effect of its factors on the first arm beyond the parts of fewer of them: the
    dummy coding of a full factorial design with the first arm as its reference.

    Attributes:
        problems: Problems with a score in all arms.
        total: The arm that differs in every factor minus the one that differs in none.
        parts: Factors to the part that they make, the main parts first.
        interactions: All parts of several factors together.
        without: Factor to the gap that is left when it is as in the first arm.
        explained: Factor to the rest of the gap.
    """

    problems: int
    total: Contrast
    parts: Mapping[Part, Contrast]
    interactions: Contrast
    without: Mapping[str, Contrast]
    explained: Mapping[str, Contrast]


def split_gap(
    arms: Mapping[frozenset[str], FloatArray],
    factors: Sequence[str],
    clusters: npt.ArrayLike | None = None,
    *,
    resamples: int = RESAMPLES,
) -> FactorialSplit:
    """Split a gap; each part is a mean of per-problem contrasts, so its interval is paired.

    Args:
        arms: The factors in which an arm is as the second one, to its [problems] scores, NaN where
            unscored. Every subset of ``factors`` is there.
        factors: Their names.
        clusters: [problems] labels of the sources; None for one source per problem.
        resamples: Bootstrap resamples.
    """
    kept = ~np.isnan(np.stack(list(arms.values()))).any(axis=0)
    scores = {key: values[kept] for key, values in arms.items()}
    sources = None if clusters is None else np.asarray(clusters)[kept]

    def estimate(values: FloatArray) -> Contrast:
        return contrast(Mean(values, sources, bound=widest), resamples=resamples)

    # A part of k factors is a sum of 2^k scores, half of them negative.
    widest = 2.0 ** (len(factors) - 1)
    none, every = frozenset[str](), frozenset(factors)
    total = scores[every] - scores[none]
    parts = {part: _effect(scores, part) for part in _subsets(factors) if part}
    main = np.sum([parts[factor,] for factor in factors], axis=0)
    return FactorialSplit(
        problems=int(kept.sum()),
        total=estimate(total),
        parts={part: estimate(values) for part, values in parts.items()},
        interactions=estimate(total - main),
        without={name: estimate(scores[every - {name}] - scores[none]) for name in factors},
        explained={name: estimate(scores[every] - scores[every - {name}]) for name in factors},
    )


def _subsets(factors: Sequence[str]) -> Iterator[Part]:
    """From none to all, those of fewer factors first."""
    for size in range(len(factors) + 1):
        yield from combinations(factors, size)


def _effect(scores: Mapping[frozenset[str], FloatArray], part: Part) -> FloatArray:
    """By inclusion and exclusion: [problems] of what the factors of a part make beyond fewer."""
    signed = [(-1) ** (len(part) - len(some)) * scores[frozenset(some)] for some in _subsets(part)]
    return np.asarray(np.sum(signed, axis=0), dtype=np.float64)
