"""The paired gap between two arms, the exact McNemar test, and Holm's adjustment."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from distlab.analysis.arrays import FloatArray
from distlab.analysis.contrasts import EMPTY, Contrast, Mean, contrast
from distlab.analysis.intervals import RESAMPLES, SEED


@dataclass(frozen=True, slots=True)
class Gap:
    """Instruct minus base over the problems that both arms have a score for.

    Attributes:
        problems: Problems with a score in both arms.
        base: Mean score of the base arm over them.
        instruct: Mean score of the instruct arm over them.
        difference: instruct - base, sources independent of each other.
        clusters: Distinct sources of the problems.
        base_only: Problems where base scores higher (solved by base alone, if scores are 0/1).
        instruct_only: Problems where instruct scores higher.
        mcnemar: Exact McNemar p, two-sided, as if problems were independent; NaN unless every
            score is 0 or 1.
    """

    problems: int
    base: float
    instruct: float
    difference: Contrast
    clusters: int
    base_only: int
    instruct_only: int
    mcnemar: float


def paired_gap(
    base: FloatArray,
    instruct: FloatArray,
    clusters: npt.ArrayLike | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Gap:
    """Compare two arms on the same problems.

    Args:
        base: [problems] scores in [0, 1]; NaN where the arm has none.
        instruct: [problems], in the same order.
        clusters: [problems] labels of the sources; None for one source per problem.
        resamples: Bootstrap resamples.
        seed: Seed of the resamples.
    """
    both = ~(np.isnan(base) | np.isnan(instruct))
    labels = np.arange(base.size) if clusters is None else np.asarray(clusters)
    base, instruct, labels = base[both], instruct[both], labels[both]
    if base.size == 0:
        return Gap(0, math.nan, math.nan, EMPTY, 0, 0, 0, math.nan)
    difference = instruct - base
    base_only, instruct_only = int((difference < 0).sum()), int((difference > 0).sum())
    binary = bool(np.isin(base, (0, 1)).all() and np.isin(instruct, (0, 1)).all())
    return Gap(
        problems=base.size,
        base=float(base.mean()),
        instruct=float(instruct.mean()),
        difference=contrast(Mean(difference, labels), resamples=resamples, seed=seed),
        clusters=np.unique(labels).size,
        base_only=base_only,
        instruct_only=instruct_only,
        mcnemar=mcnemar(base_only, instruct_only) if binary else math.nan,
    )


def mcnemar(base_only: int, instruct_only: int) -> float:
    """Exact two-sided McNemar p from the discordant problems (McNemar 1947, binomial form).

    Returns:
        The p; 1 where no problem is discordant.
    """
    discordant = base_only + instruct_only
    if discordant == 0:
        return 1.0
    return float(stats.binomtest(base_only, discordant, 0.5).pvalue)


def holm(p: Sequence[float]) -> FloatArray:
    """Holm's step-down adjusted p values (Holm 1979).

    Args:
        p: [tests]; NaN marks a test that was not made and does not count.

    Returns:
        [tests] adjusted, NaN where ``p`` is NaN.
    """
    raw = np.asarray(p, dtype=np.float64)
    made = np.flatnonzero(~np.isnan(raw))
    order = made[np.argsort(raw[made], kind="stable")]
    factors = made.size - np.arange(made.size)
    adjusted = np.full(raw.shape, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(raw[order] * factors), 1.0)
    return adjusted
