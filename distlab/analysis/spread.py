"""How far a figure moves over things that should not matter, such as the wording of a prompt."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distlab.analysis.arrays import FloatArray
from distlab.analysis.contrasts import Contrast, complete, pairwise


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """A figure under several settings (Maia Polo et al. 2024, arXiv 2405.17202), paired.

    Attributes:
        problems: Problems with a score under every setting.
        means: [settings] the figure under each.
        differences: Of every two settings, without intervals of their own. Where settings make no
            difference, these are as likely up as down, which the sign-flip test takes; a setting
            minus the mean over all is not.
    """

    problems: int
    means: FloatArray
    differences: tuple[Contrast, ...]

    @property
    def lowest(self) -> float:
        """The least figure."""
        return float(self.means.min())

    @property
    def median(self) -> float:
        """The middle figure."""
        return float(np.median(self.means))

    @property
    def highest(self) -> float:
        """The largest figure."""
        return float(self.means.max())

    @property
    def deviation(self) -> float:
        """Standard deviation over the settings, the chance of problems and draws included."""
        return float(self.means.std(ddof=1))

    @property
    def above_zero(self) -> float:
        """Share of the settings under which the figure is above zero."""
        return float((self.means > 0).mean())


def spread(scores: FloatArray, clusters: npt.ArrayLike | None = None) -> Spread:
    """Compare settings on the same problems.

    Args:
        scores: [settings, problems], NaN where a problem has none; at least two settings.
        clusters: [problems] labels of the sources; None for one source per problem.
    """
    values, sources = complete(scores, clusters)
    means = values.mean(axis=1) if values.size else np.full(len(scores), np.nan)
    return Spread(problems=values.shape[1], means=means, differences=pairwise(values, sources))
