"""Decoding controls: the gap of two arms split into model, decoding and their interaction."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distlab.analysis.arrays import FloatArray
from distlab.analysis.contrasts import Contrast, Mean, contrast
from distlab.analysis.intervals import RESAMPLES, SEED


@dataclass(frozen=True, slots=True)
class Decomposition:
    """The 2 x 2 split; total = model + decoding + interaction.

    With B and I for the variants, and 1 and 2 for the decodings of the study's base and instruct
    arms, all means over the same problems:

    Attributes:
        problems: Problems with a score in all four arms.
        total: I2 - B1, the study's gap.
        model: I1 - B1: the other model with its prompt format and stop strings, decoded as the
            base arm is.
        decoding: B2 - B1: the base model, decoded as the instruct arm is.
        interaction: (I2 - B2) - (I1 - B1): how far the model part depends on the decoding.
        model_mean: Mean of I1 - B1 and I2 - B2: the model part over both decodings.
        explained: total - model, I2 - I1: what goes when the instruct arm is decoded as the base
            arm is.
    """

    problems: int
    total: Contrast
    model: Contrast
    decoding: Contrast
    interaction: Contrast
    model_mean: Contrast
    explained: Contrast


def decompose(
    base_first: FloatArray,
    base_second: FloatArray,
    instruct_first: FloatArray,
    instruct_second: FloatArray,
    clusters: npt.ArrayLike | None = None,
    *,
    resamples: int = RESAMPLES,
) -> Decomposition:
    """Split a gap; each part is a mean of per-problem contrasts, so its interval is paired.

    Args:
        base_first: [problems] base under the study's base decoding; NaN where unscored.
        base_second: [problems] base under the study's instruct decoding.
        instruct_first: [problems] instruct under the base decoding.
        instruct_second: [problems] instruct under the instruct decoding.
        clusters: [problems] labels of the sources; None for one source per problem.
        resamples: Bootstrap resamples.
    """
    arms = np.stack([base_first, base_second, instruct_first, instruct_second])
    kept = ~np.isnan(arms).any(axis=0)
    b1, b2, i1, i2 = arms[:, kept]
    sources = None if clusters is None else np.asarray(clusters)[kept]

    def estimate(values: FloatArray) -> Contrast:
        # The interaction is a difference of differences.
        return contrast(Mean(values, sources, bound=2.0), resamples=resamples)

    return Decomposition(
        problems=b1.size,
        total=estimate(i2 - b1),
        model=estimate(i1 - b1),
        decoding=estimate(b2 - b1),
        interaction=estimate((i2 - b2) - (i1 - b1)),
        model_mean=estimate(((i1 - b1) + (i2 - b2)) / 2),
        explained=estimate(i2 - i1),
    )


@dataclass(frozen=True, slots=True)
class GridEffects:
    """Main effects over a 2 x D grid, in the sense of a balanced two-way layout.

    Attributes:
        problems: Problems with a score in all arms.
        model: Mean over decodings of instruct - base.
        decodings: [D] each decoding's mean over both variants minus the grand mean.
        gaps: [D] instruct - base under each decoding.
        interactions: [D] each gap minus ``model``: what that decoding does to the gap.
    """

    problems: int
    model: Contrast
    decodings: tuple[Contrast, ...]
    gaps: tuple[Contrast, ...]
    interactions: tuple[Contrast, ...]


def grid_effects(
    base: Sequence[FloatArray],
    instruct: Sequence[FloatArray],
    clusters: npt.ArrayLike | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> GridEffects:
    """Main effects of model and decoding.

    Args:
        base: D arrays [problems], one per decoding.
        instruct: D arrays [problems], the same decodings in the same order.
        clusters: [problems] labels of the sources; None for one source per problem.
        resamples: Bootstrap resamples.
        seed: Seed of the resamples.
    """
    grid = np.stack([np.stack(list(base)), np.stack(list(instruct))])
    scored = ~np.isnan(grid).any(axis=(0, 1))
    kept = grid[:, :, scored]
    sources = None if clusters is None else np.asarray(clusters)[scored]
    gaps = kept[1] - kept[0]
    means = kept.mean(axis=0)

    def estimate(values: FloatArray) -> Contrast:
        return contrast(Mean(values, sources, bound=2.0), resamples=resamples, seed=seed)

    return GridEffects(
        problems=kept.shape[2],
        model=estimate(gaps.mean(axis=0)),
        decodings=tuple(estimate(row - means.mean(axis=0)) for row in means),
        gaps=tuple(estimate(row) for row in gaps),
        interactions=tuple(estimate(row - gaps.mean(axis=0)) for row in gaps),
    )
