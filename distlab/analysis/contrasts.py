"""A mean over problems, or a difference of such means, with what every test of it needs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from distlab.analysis.arrays import FloatArray
from distlab.analysis.estimate import NOTHING, Estimate
from distlab.analysis.intervals import LEVEL, RESAMPLES, SEED, mean_interval
from distlab.analysis.memo import Memo, contents
from distlab.analysis.sign_flips import sign_flip_test
from distlab.analysis.tango import score_above, score_below, score_interval

# Problems that differ from the most common difference, below which Tango's interval takes the
# bootstrap's place (ours): resamples of so few are too coarse, and of none all alike.
_FEW_DISCORDANT: Final = 25
# Degrees of freedom of shared sources below which the error cannot be trusted (four, Tipton 2015,
# and room for rounding): those of fewer than five sources, or of a few that hold most problems.
_LEAST_FREEDOM: Final = 3.99


@dataclass(frozen=True, slots=True, eq=False)
class Mean:
    """A mean over problems, as a term of a contrast.

    Attributes:
        values: [problems]; NaN marks a problem without a figure, which is left out.
        clusters: [problems] labels of their sources; None where every problem is its own, and none
            is in another part.
        weight: What the mean is multiplied by.
        bound: Most that a value can be, either way: 1 for scores and their differences, 2 for the
            difference of two differences.
    """

    values: FloatArray
    clusters: npt.ArrayLike | None = None
    weight: float = 1.0
    bound: float = 1.0


@dataclass(frozen=True, slots=True)
class Discordance:
    """Problems whose difference is 1 (``up``) or -1 (``down``), of those that are 1, 0 or -1."""

    problems: int
    up: int
    down: int


@dataclass(frozen=True, slots=True)
class Contrast:
    """A figure with its interval, and its tests against zero and against a margin.

    Attributes:
        estimate: The figure; its interval takes shared sources into account.
        independent: The same with problems taken as independent of each other, in every part.
        error: Standard error of the figure, sources independent; never below what very few
            discordant problems could hide, see ``contrast``.
        freedom: Degrees of freedom of ``error``.
        p: Two-sided p of "it is zero"; NaN where there is no test.
        discordance: The counts that Tango's score test takes; None where sources are shared, or
            differences are not all 1, 0 or -1.
    """

    estimate: Estimate
    independent: Estimate
    error: float
    freedom: float
    p: float
    discordance: Discordance | None = None

    @property
    def value(self) -> float:
        """The figure itself."""
        return self.estimate.value

    @property
    def direction(self) -> int:
        """The sign of the figure: 1, -1 or 0. It says nothing of whether zero can be excluded."""
        return 0 if math.isnan(self.value) else int(np.sign(self.value))

    def within(self, margin: float) -> float:
        """The p of "it is ``margin`` or more either way": two one-sided tests (Schuirmann 1987)."""
        return max(self.above(-margin), self.below(margin))

    def above(self, bound: float) -> float:
        """The one-sided p of "it is ``bound`` or less"; NaN where there is no test."""
        if self.discordance is not None:
            counts = self.discordance
            return score_above(counts.problems, counts.up, counts.down, bound)
        return self._student_p(bound - self.value)

    def below(self, bound: float) -> float:
        """The one-sided p of "it is ``bound`` or more"; NaN where there is no test."""
        if self.discordance is not None:
            counts = self.discordance
            return score_below(counts.problems, counts.up, counts.down, bound)
        return self._student_p(self.value - bound)

    def _student_p(self, distance: float) -> float:
        if math.isnan(self.error):
            return math.nan
        return float(special.stdtr(self.freedom, distance / self.error))

    @property
    def inflation(self) -> float:
        """How much wider shared sources make the interval; at least 1."""
        alone, shared = self.independent, self.estimate
        ratio = (shared.high - shared.low) / (alone.high - alone.low)
        return 1.0 if math.isnan(ratio) else max(ratio, 1.0)

    def clipped(self, bound: float) -> "Contrast":
        """With intervals that hold nothing beyond ``bound`` either way: Student's t knows none."""
        shared, alone = (_clipped(each, bound) for each in (self.estimate, self.independent))
        return replace(self, estimate=shared, independent=alone)

    def beyond(self, published: Estimate, error: float) -> "Contrast":
        """This minus a figure from elsewhere that has an error of its own.

        Args:
            published: The figure.
            error: Its standard error with problems independent; it is over problems of the same
                sources, so it is inflated as ours is.
        """
        both = math.hypot(self.error, self.inflation * error)
        return student(self.value - published.value, both, self.freedom)


def _clipped(estimate: Estimate, bound: float) -> Estimate:
    value = estimate.value
    low = np.clip(estimate.low, min(-bound, value), value)
    high = np.clip(estimate.high, value, max(bound, value))
    return Estimate(value, float(low), float(high))


EMPTY: Final = Contrast(NOTHING, NOTHING, math.nan, math.nan, math.nan)
_MEMO: Final[Memo[Contrast]] = Memo()


@dataclass(frozen=True, slots=True, eq=False)
class _Term:
    """A part with its influences, which are summed by source.

    Attributes:
        value: Its mean times its weight.
        labels: [sources]; None where each problem is its own.
        totals: [sources] sums of the weighted values.
        influences: [sources] what each adds to the error.
        raw: Variance that the influences alone give.
        floored: The same, and never below what few problems could hide.
        freedom: Degrees of freedom.
    """

    value: float
    labels: npt.NDArray[np.generic] | None
    totals: FloatArray
    influences: FloatArray
    raw: float
    floored: float
    freedom: float


def contrast(
    *parts: Mean, resamples: int = RESAMPLES, seed: int = SEED, is_tested: bool = True
) -> Contrast:
    """The weighted sum of means over problems.

    One mean is tested against zero by the exact sign-flip test over sources; where no source is
    shared, its interval is a percentile bootstrap over problems, or Tango's score interval where
    few are discordant. Everything else uses Student's t with the CR2 error and Bell & McCaffrey's
    degrees of freedom (2002; Pustejovsky & Tipton 2018), sources that parts share being summed
    over them, and Welch's freedom over parts. Intervals are clipped to what the parts' bounds
    allow. Where sources are shared and leave fewer than four degrees of freedom there is no error
    and no interval, and of several means no test; the sign-flip test of one mean is exact.

    Args:
        parts: The means, each over at least one problem with a figure; else the contrast is empty.
        resamples: Bootstrap resamples; 0 for Student's t in the bootstrap's place.
        seed: Seed of the resamples.
        is_tested: Whether one mean is tested; else its p is NaN. For those whose error alone is
            asked for, since the exact test is most of the work.
    """
    asked = [(part.values, part.clusters, part.weight, part.bound) for part in parts]
    key = contents(*chain(*asked), resamples, seed, is_tested)
    return _MEMO.of(key, lambda: _contrast(parts, resamples, seed, is_tested))


def _contrast(parts: Sequence[Mean], resamples: int, seed: int, is_tested: bool) -> Contrast:
    kept = [_without_missing(part) for part in parts]
    if any(part.values.size == 0 for part in kept):
        return EMPTY
    terms = [_term(part) for part in kept]
    value = sum(term.value for term in terms)
    variance = _merged(terms) + sum(term.floored - term.raw for term in terms)
    spread = [(term.floored, term.freedom) for term in terms]
    few = any(_few_sources(part, term) for part, term in zip(kept, terms, strict=True))
    error = math.nan if few else math.sqrt(max(variance, 0.0))
    by_error = student(value, error, _welch(spread))
    bound = sum(abs(part.weight) * part.bound for part in kept)
    if len(kept) == 1:
        p = sign_flip_test(terms[0].totals) if is_tested else math.nan
        by_sign = replace(by_error, p=p)
        return _one_mean(kept[0], terms[0], by_sign, resamples, seed).clipped(bound)
    bare = sum(_term(replace(part, clusters=None)).floored for part in kept)
    alone = student(value, math.sqrt(bare), math.inf)
    return replace(by_error, independent=alone.estimate).clipped(bound)


def complete(
    scores: FloatArray, clusters: npt.ArrayLike | None = None
) -> tuple[FloatArray, npt.NDArray[np.generic] | None]:
    """The problems that have a score in every row, with the labels of their sources.

    Args:
        scores: [rows, problems], NaN where a problem has none.
        clusters: [problems] labels of the sources; None for one source per problem.

    Returns:
        [rows, kept] scores and [kept] labels, None where there were none.
    """
    kept = ~np.isnan(scores).any(axis=0)
    return scores[:, kept], None if clusters is None else np.asarray(clusters)[kept]


def pairwise(scores: FloatArray, clusters: npt.NDArray[np.generic] | None) -> tuple[Contrast, ...]:
    """The later row minus the earlier one, of every two, without intervals of their own.

    Args:
        scores: [rows, problems].
        clusters: [problems] labels of the sources; None for one source per problem.
    """
    return tuple(
        contrast(Mean(other - one, clusters), resamples=0) for one, other in combinations(scores, 2)
    )


def _share(part: Mean, term: _Term) -> bool:
    """Whether problems share sources."""
    return term.totals.size < part.values.size


def _few_sources(part: Mean, term: _Term) -> bool:
    return _share(part, term) and term.freedom < _LEAST_FREEDOM


def _one_mean(part: Mean, term: _Term, student: Contrast, resamples: int, seed: int) -> Contrast:
    values = part.weight * part.values
    counts = _discordance(values)
    independent = student.estimate
    if resamples and counts is not None and values.size > 1 and _is_few(counts):
        independent = score_interval(counts.problems, counts.up, counts.down)
    elif resamples:
        independent = mean_interval(values, resamples=resamples, seed=seed)
    if _share(part, term):
        return replace(student, independent=independent)
    return replace(student, estimate=independent, independent=independent, discordance=counts)


def _is_few(counts: Discordance) -> bool:
    """Whether few problems differ from the most common difference."""
    alike = max(counts.up, counts.down, counts.problems - counts.up - counts.down)
    return counts.problems - alike < _FEW_DISCORDANT


def is_coarse(values: FloatArray) -> bool:
    """Whether so few problems differ from the commonest score that a bootstrap knows too little."""
    counts = np.unique(values, return_counts=True)[1]
    return values.size - int(counts.max(initial=0)) < _FEW_DISCORDANT


def _discordance(values: FloatArray) -> Discordance | None:
    if not np.isin(values, (-1, 0, 1)).all():
        return None
    return Discordance(values.size, int((values > 0).sum()), int((values < 0).sum()))


def _without_missing(part: Mean) -> Mean:
    kept = ~np.isnan(part.values)
    clusters = None if part.clusters is None else np.asarray(part.clusters)[kept]
    return replace(part, values=part.values[kept], clusters=clusters)


def _term(part: Mean) -> _Term:
    """CR2: residuals of a source over the root of what its own mean takes from them."""
    size, mean = part.values.size, float(part.values.mean())
    residuals = part.values - mean
    labels, sums, counts = None, residuals, np.ones(size)
    if part.clusters is not None:
        labels, inverse = np.unique(np.asarray(part.clusters), return_inverse=True)
        sums = np.asarray(np.bincount(inverse, weights=residuals), dtype=np.float64)
        counts = np.bincount(inverse).astype(np.float64)
    shares, totals = counts / size, part.weight * (sums + mean * counts)
    value, nan = part.weight * mean, math.nan
    if shares.size < 2:
        return _Term(value, labels, totals, np.full(1, nan), nan, nan, nan)
    influences = part.weight * sums / (size * np.sqrt(1 - shares))
    raw = float((influences**2).sum())
    floored = max(raw, part.weight**2 * _least_variance(residuals, shares.size))
    return _Term(value, labels, totals, influences, raw, floored, _freedom(shares))


def _least_variance(residuals: FloatArray, sources: int) -> float:
    """What a mean's variance is at least, since few discordant problems show too little of it.

    Half a discordant problem is added each way (Agresti & Min 2005), and half a source each way
    where sources are shared (ours).
    """
    problems = (float((residuals**2).sum()) + 1) / (residuals.size + 2) ** 2
    return max(problems, 0.5 / sources**2)


def _freedom(shares: FloatArray) -> float:
    """Bell & McCaffrey's degrees of freedom of a mean whose sources have these shares."""
    squares = shares**2
    crossed = squares / (1 - shares)
    return 1 / float(squares.sum() + crossed.sum() ** 2 - (crossed**2).sum())


def _merged(terms: list[_Term]) -> float:
    """The variance of the sum of terms, sources that several share taken once."""
    named = [term for term in terms if term.labels is not None]
    alone = sum(term.raw for term in terms if term.labels is None)
    if not named:
        return alone
    labels = np.concatenate([term.labels for term in named if term.labels is not None])
    _, inverse = np.unique(labels, return_inverse=True)
    sums = np.bincount(inverse, weights=np.concatenate([term.influences for term in named]))
    return alone + float((sums**2).sum())


def _welch(spread: list[tuple[float, float]]) -> float:
    """Degrees of freedom of a sum of independent means (Welch 1947)."""
    total = sum(variance for variance, _ in spread)
    parts = sum(variance**2 / freedom for variance, freedom in spread)
    return total**2 / parts if parts > 0 else math.nan


def student(value: float, error: float, freedom: float) -> Contrast:
    """A contrast whose interval and test are Student's t; neither without an error.

    Args:
        value: The figure.
        error: Its standard error.
        freedom: Degrees of freedom of the error.
    """
    if math.isnan(error) or error == 0 or math.isnan(freedom):
        alone = Estimate(value, math.nan, math.nan)
        return Contrast(alone, alone, math.nan, math.nan, math.nan)
    half = float(special.stdtrit(freedom, (1 + LEVEL) / 2)) * error
    estimate = Estimate(value, value - half, value + half)
    p = float(2 * special.stdtr(freedom, -abs(value) / error))
    return Contrast(estimate, estimate, error, freedom, p)
