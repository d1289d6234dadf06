"""How far figures move when the same problems are drawn again."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distlab.analysis.arrays import FloatArray
from distlab.analysis.contrasts import Contrast, Mean, complete, contrast, pairwise
from distlab.analysis.estimate import NOTHING, Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Reruns:
    """A figure over several runs of the same problems, paired by problem.

    Attributes:
        problems: Problems with a score in every run.
        figures: [runs] the figure of each, tested against zero; without intervals of their own.
        pooled: The mean over the runs, by problem.
        differences: Of every two runs, without intervals of their own.
        deviation: Standard deviation of one run's figure over runs, the problems being given. A
            problem's variance over runs, averaged, over the number of problems: far more is known
            of it than of the variance of a few figures. What two runs differ by as a whole is in
            ``differences``. NaN where no problem has a score.
    """

    problems: int
    figures: tuple[Contrast, ...]
    pooled: Contrast
    differences: tuple[Contrast, ...]
    deviation: Estimate

    @property
    def error(self) -> float:
        """Standard error of one run's figure over problems: the root of the runs' mean square."""
        return float(np.sqrt(np.mean([figure.error**2 for figure in self.figures])))

    @property
    def lowest(self) -> float:
        """The least figure."""
        return min(figure.value for figure in self.figures)

    @property
    def highest(self) -> float:
        """The largest figure."""
        return max(figure.value for figure in self.figures)


def reruns(scores: FloatArray, clusters: npt.ArrayLike | None = None) -> Reruns:
    """Compare runs on the same problems.

    Args:
        scores: [runs, problems], NaN where a problem has none; at least two runs.
        clusters: [problems] labels of the sources; None for one source per problem.
    """
    values, sources = complete(scores, clusters)
    return Reruns(
        problems=values.shape[1],
        figures=tuple(contrast(Mean(run, sources), resamples=0) for run in values),
        pooled=contrast(Mean(values.mean(axis=0), sources)),
        differences=pairwise(values, sources),
        deviation=_deviation(values, sources),
    )


def _deviation(values: FloatArray, sources: npt.NDArray[np.generic] | None) -> Estimate:
    problems = values.shape[1]
    if problems == 0:
        return NOTHING
    found = contrast(Mean(values.var(axis=0, ddof=1), sources), is_tested=False).estimate
    variances = np.maximum([found.value, found.low, found.high], 0.0) / problems
    return Estimate(*(float(root) for root in np.sqrt(variances)))
