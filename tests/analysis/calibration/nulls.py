"""Every kind of claim under the null hypothesis that its yes, or its no, would reject falsely."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from typing import Final

import numpy as np
from scipy import special

from distlab.analysis.arrays import FloatArray, IntArray
from distlab.analysis.claims import (
    MARGINS,
    Answer,
    Claim,
    Explanation,
    Kind,
    any_differs,
    crosses,
    differs,
    exceeds,
    explains,
    replicates,
    turns,
)
from distlab.analysis.contrasts import Contrast, Mean, contrast
from distlab.analysis.controls import decompose
from distlab.analysis.crossing import at_cost, crossing, sample_counts
from distlab.analysis.drops import PairedChange, pairing_difference, unpaired_drop
from distlab.analysis.factorial import split_gap
from distlab.analysis.gaps import paired_gap
from distlab.analysis.passk import iid_curve
from distlab.analysis.relative import loss_difference
from distlab.analysis.replication import normal_error, published_share
from distlab.analysis.reruns import Reruns, reruns
from distlab.analysis.scale import gap_trend, size_groups
from distlab.analysis.shares import solved_interval
from distlab.analysis.spread import spread

MARGIN: Final = MARGINS.equivalence
# A gap that is there where another is not.
GAP: Final = 0.10
# Share of a problem's luck that all arms have in common: it makes scores paired.
_COMMON: Final = 0.4
# No interval is asked for.
_BARE: Final = 0


@dataclass(frozen=True)
class Design:
    """Problems of a simulated study.

    Attributes:
        problems: How many.
        rate: Share of them that an arm solves.
        correlation: Of an arm's luck on problems of one source, beyond what all arms share.
        shared: Whether problems share sources.
    """

    problems: int
    rate: float
    correlation: float
    shared: bool

    @property
    def sources(self) -> IntArray | None:
        """[problems] labels, some 19 problems a source as in MedCalc, of uneven sizes."""
        return _labels(self.problems) if self.shared else None


@cache
def _labels(problems: int) -> IntArray:
    count = max(problems // 19, min(problems // 4, 10))
    sizes = np.random.default_rng(problems).uniform(0.5, 1.5, count)
    return np.sort(np.searchsorted(np.cumsum(sizes) / sizes.sum(), np.arange(problems) / problems))


class Study:
    """Draws arms of one design; problems, sources and luck are new in every study."""

    def __init__(self, rng: np.random.Generator, design: Design) -> None:
        self.rng, self.design, self.sources = rng, design, design.sources
        self.common = rng.standard_normal(design.problems)

    def arm(self, rate: float) -> FloatArray:
        """[problems] of 0 or 1, with this mean and the design's correlations."""
        rho = self.design.correlation
        luck = np.sqrt(1 - _COMMON - rho) * self.rng.standard_normal(self.common.size)
        luck += np.sqrt(_COMMON) * self.common
        if rho and self.sources is not None:
            own = self.rng.standard_normal(int(self.sources.max()) + 1)
            luck += np.sqrt(rho) * own[self.sources]
        return (luck < special.ndtri(rate)).astype(np.float64)

    def flips(self, share: float) -> FloatArray:
        """[problems] of 1 with this chance, else 0, independently."""
        return (self.rng.random(self.common.size) < share).astype(np.float64)

    def mean(self, values: FloatArray, weight: float = 1.0) -> Mean:
        return Mean(values, self.sources, weight)

    def test(self, values: FloatArray) -> Contrast:
        return contrast(self.mean(values), resamples=_BARE)

    def moved(self, by: float, rate: float | None = None) -> float:
        """The rate, moved towards the middle."""
        start = self.design.rate if rate is None else rate
        return start + by if start <= 0.5 else start - by


Simulation = Callable[[Study], Claim]


@dataclass(frozen=True)
class Null:
    """A null hypothesis.

    Attributes:
        kind: Whose it is.
        false: The answer that is false under it.
        what: It, in words.
        draw: A study under it, and its claim.
    """

    kind: Kind
    false: Answer
    what: str
    draw: Simulation


def nulls() -> Iterator[Null]:
    """All of them: at least one per kind."""
    for kind in (
        Kind.GAP,
        Kind.FIRST,
        Kind.RELIABLE,
        Kind.PROMPTS,
        Kind.EXEMPLARS,
        Kind.MEMORY,
        Kind.DROP,
        Kind.DROP_DIFFERENCE,
        Kind.ENDS,
    ):
        yield Null(kind, Answer.YES, "no difference", _paired(kind, 0.0))
        yield Null(kind, Answer.NO, "a difference of the margin", _paired(kind, MARGIN))
    yield Null(Kind.PART, Answer.YES, "another part is there, not this one", _part(0.0))
    yield Null(Kind.PART, Answer.NO, "a part of the margin", _part(MARGIN))
    for kind, split in _SPLITS.items():
        yield Null(kind, Answer.YES, "it makes none of the gap", split(0.0, GAP))
        yield Null(kind, Answer.YES, "a rest of the margin stays", split(GAP, MARGIN))
        yield Null(kind, Answer.NO, "it makes all of the gap", split(GAP, 0.0))
    for kind in (Kind.BEYOND_NULL, Kind.WITHHELD):
        yield Null(kind, Answer.YES, "as much as unread", _beyond(kind))
        yield Null(kind, Answer.NO, "as much as unread", _beyond(kind))
    yield Null(Kind.JUDGES, Answer.YES, "one gap under three judges", judges_differ(0.0))
    yield Null(Kind.JUDGES, Answer.NO, "one judge differs by the margin", judges_differ(MARGIN))
    yield Null(Kind.EQUAL_COST, Answer.YES, "equal at equal cost", _at_equal_cost(0.0))
    yield Null(Kind.EQUAL_COST, Answer.NO, "the margin at equal cost", _at_equal_cost(MARGIN))
    for answer in (Answer.YES, Answer.NO):
        yield Null(Kind.CROSSING, answer, "apart with one sample, equal with eight", _crossing)
    for kind in (Kind.JUDGES_TURN, Kind.SCORES):
        for answer in (Answer.YES, Answer.NO):
            yield Null(kind, answer, "one gap is there, the other is zero", _turns(kind))
    yield Null(Kind.DATASETS, Answer.YES, "one gap on three datasets", sets_differ(0.0, GAP))
    yield Null(
        Kind.DATASETS, Answer.NO, "one dataset differs by the margin", sets_differ(MARGIN, GAP)
    )
    yield Null(Kind.STRATA, Answer.YES, "one gap in four kinds", _strata(0.0))
    yield Null(Kind.STRATA, Answer.NO, "one kind differs by the margin", _strata(MARGIN))
    yield Null(Kind.UNPAIRED_DROP, Answer.YES, "no difference", _sets(0.0))
    yield Null(Kind.UNPAIRED_DROP, Answer.NO, "a difference of the margin", _sets(MARGIN))
    yield Null(Kind.PAIRING, Answer.YES, "the pairs are as the sets", _pairing(0.0))
    yield Null(Kind.PAIRING, Answer.NO, "the sets differ by the margin more", _pairing(MARGIN))
    yield Null(Kind.RELATIVE_LOSS, Answer.YES, "both arms lose a third", _lost(0.0))
    yield Null(Kind.RELATIVE_LOSS, Answer.NO, "one loses the margin more", _lost(MARGIN))
    yield Null(Kind.SIZES, Answer.YES, "families scatter about one gap", _sizes(0.0))
    yield Null(Kind.SIZES, Answer.NO, "groups the margin apart", _sizes(MARGIN))
    yield Null(Kind.TREND, Answer.YES, "families scatter about no trend", trend_of(0.0))
    yield Null(Kind.TREND, Answer.NO, "a trend of the margin", trend_of(MARGIN))
    margin = MARGINS.replication
    yield Null(Kind.REPLICATION, Answer.YES, "truths the margin apart", replicated(margin))
    yield Null(Kind.REPLICATION, Answer.NO, "one truth", replicated(0.0))
    for name in ("format", "interactions"):
        yield Null(Kind.FACTOR, Answer.YES, f"others are there, not {name}", _factor(name, 0.0))
    yield Null(Kind.FACTOR, Answer.NO, "a part of the margin", _factor("format", MARGIN))
    kind = Kind.FORMAT_EXPLAINS
    yield Null(kind, Answer.YES, "it makes none of the gap", _format_explains(0.0, GAP))
    yield Null(kind, Answer.YES, "a rest of the margin stays", _format_explains(GAP, MARGIN))
    yield Null(kind, Answer.NO, "it makes all of the gap", _format_explains(GAP, 0.0))
    yield Null(Kind.SPREAD, Answer.YES, "five wordings, one score", _wordings(0.0))
    yield Null(Kind.SPREAD, Answer.NO, "one wording is the margin off", _wordings(MARGIN))
    yield Null(Kind.RERUNS, Answer.YES, "four runs, one score", _runs_differ(0.0))
    yield Null(Kind.RERUNS, Answer.NO, "one run is the margin off", _runs_differ(MARGIN))
    yield Null(Kind.RERUNS_GAP, Answer.YES, "no difference", _over_runs(0.0))
    yield Null(Kind.RERUNS_GAP, Answer.NO, "a difference of the margin", _over_runs(MARGIN))
    for answer in (Answer.YES, Answer.NO):
        yield Null(Kind.RERUNS_TURN, answer, "a gap in two runs, none in one", _runs_turn)
    yield Null(Kind.STAGE, Answer.YES, "no difference", _paired(Kind.STAGE, 0.0))
    yield Null(Kind.STAGE, Answer.NO, "a difference of the margin", _paired(Kind.STAGE, MARGIN))
    for answer in (Answer.YES, Answer.NO):
        yield Null(Kind.STAGES_CROSS, answer, "one draw differs, many do not", _stages_cross)


def _paired(kind: Kind, by: float) -> Simulation:
    """A mean of paired differences against zero."""

    def draw(study: Study) -> Claim:
        rates = (study.design.rate, study.moved(by))
        if kind in (Kind.ENDS, Kind.FIRST, Kind.MEMORY):
            one, two = (np.mean([study.arm(rate) for _ in range(4)], axis=0) for rate in rates)
        elif kind in (Kind.DROP_DIFFERENCE, Kind.EXEMPLARS):
            one = study.arm(study.moved(GAP)) - study.arm(rates[0])
            two = study.arm(study.moved(GAP)) - study.arm(rates[1])
        else:
            one, two = map(study.arm, rates)
        return differs(kind, 0, "", study.test(two - one), MARGIN)

    return draw


def _part(by: float) -> Simulation:
    """The interaction, where model and decoding have effects of their own."""

    def draw(study: Study) -> Claim:
        rate = study.design.rate
        rates = (rate, study.moved(GAP), study.moved(GAP), study.moved(2 * GAP + by))
        arms = [study.arm(each) for each in rates]
        parts = decompose(*arms, clusters=study.sources, resamples=_BARE)
        return differs(Kind.PART, 0, "", parts.interaction, MARGIN)

    return draw


def decoding_explains(explained: float, rest: float) -> Simulation:
    def draw(study: Study) -> Claim:
        rate = study.design.rate
        b2, i1 = study.moved(explained), study.moved(rest)
        arms = [study.arm(each) for each in (rate, b2, i1, study.moved(explained + rest))]
        parts = decompose(*arms, clusters=study.sources, resamples=_BARE)
        split = Explanation(parts.total, parts.explained, parts.model)
        return explains(Kind.DECODING_EXPLAINS, 0, "", split, MARGIN)

    return draw


_FACTORS: Final = ("checkpoint", "format", "decoding")


def _factor(what: str, by: float) -> Simulation:
    """Eight arms; checkpoint and decoding have effects, and the format has the given one."""

    def draw(study: Study) -> Claim:
        effects = {"checkpoint": GAP, "decoding": GAP / 2, "format": by}
        chosen = [frozenset(some) for size in range(4) for some in combinations(_FACTORS, size)]
        arms = {
            some: study.arm(study.moved(sum(effects[name] for name in some))) for some in chosen
        }
        split = split_gap(arms, _FACTORS, study.sources, resamples=_BARE)
        part = split.interactions if what == "interactions" else split.parts[what,]
        return differs(Kind.FACTOR, 0, "", part, MARGIN)

    return draw


def _format_explains(explained: float, rest: float) -> Simulation:
    """Two checkpoints in two formats, decoded alike."""

    def draw(study: Study) -> Claim:
        effects = {"checkpoint": rest, "format": explained}
        chosen = [frozenset(some) for size in range(3) for some in combinations(effects, size)]
        arms = {
            some: study.arm(study.moved(sum(effects[name] for name in some))) for some in chosen
        }
        split = split_gap(arms, tuple(effects), study.sources, resamples=_BARE)
        parts = Explanation(split.total, split.explained["format"], split.without["format"])
        return explains(Kind.FORMAT_EXPLAINS, 0, "", parts, MARGIN)

    return draw


def _wordings(by: float) -> Simulation:
    """Five arms, one of them so much off the others."""

    def draw(study: Study) -> Claim:
        rate = study.design.rate
        rates = [rate] * 4 + [study.moved(by)]
        found = spread(np.stack(list(map(study.arm, rates))), study.sources)
        return any_differs(Kind.SPREAD, 0, "", found.differences, MARGIN)

    return draw


def _runs(study: Study, moves: Sequence[float]) -> Reruns:
    """Gaps in as many runs, each of another size."""
    rate = study.design.rate
    found = [study.arm(study.moved(by)) - study.arm(rate) for by in moves]
    return reruns(np.stack(found), study.sources)


def _runs_differ(by: float) -> Simulation:
    def draw(study: Study) -> Claim:
        found = _runs(study, (GAP, GAP, GAP, GAP + by))
        return any_differs(Kind.RERUNS, 0, "", found.differences, MARGIN)

    return draw


def _over_runs(by: float) -> Simulation:
    def draw(study: Study) -> Claim:
        return differs(Kind.RERUNS_GAP, 0, "", _runs(study, (by, by, by)).pooled, MARGIN)

    return draw


def _runs_turn(study: Study) -> Claim:
    return turns(Kind.RERUNS_TURN, 0, "", _runs(study, (2 * GAP, 2 * GAP, 0.0)).figures)


def _guessing(explained: float, rest: float) -> Simulation:
    """Answers without reasoning are the second arm's, on problems that it does not reason on."""

    def draw(study: Study) -> Claim:
        rate = min(max(study.design.rate, 0.05), 0.7)
        base, reasoned = study.arm(rate), study.arm(rate + rest)
        open_share = 1 - rate - rest
        everything = np.maximum(reasoned, study.flips(explained / open_share))
        split = Explanation(
            gap=study.test(everything - base),
            explained=study.test(everything - reasoned),
            remainder=study.test(reasoned - base),
        )
        return explains(Kind.GUESSING_EXPLAINS, 0, "", split, MARGIN)

    return draw


def _failures(explained: float, rest: float) -> Simulation:
    """A share of the first arm's problems failed, which counts as unsolved."""

    def draw(study: Study) -> Claim:
        rate = max(min(study.design.rate, 0.85), 0.3)
        failed = study.flips(explained / (rate + explained)) > 0
        base, instruct = study.arm(rate), study.arm(rate + rest)
        both = np.where(failed, 0.0, base)
        sampled = np.where(failed, np.nan, instruct - base)
        split = Explanation(
            gap=study.test(instruct - both),
            explained=contrast(
                *(study.mean(instruct - both), study.mean(sampled, -1.0))
                if study.sources is not None
                else _by_problem(instruct - both, sampled)
            ),
            remainder=study.test(sampled),
        )
        return explains(Kind.FAILURES_EXPLAIN, 0, "", split, MARGIN)

    return draw


def _by_problem(whole: FloatArray, part: FloatArray) -> tuple[Mean, Mean]:
    """Means over problems of which the second has some, each problem its own source."""
    names = np.arange(whole.size)
    return Mean(whole, names), Mean(part, names, -1.0)


_SPLITS: Final[dict[Kind, Callable[[float, float], Simulation]]] = {
    Kind.DECODING_EXPLAINS: decoding_explains,
    Kind.GUESSING_EXPLAINS: _guessing,
    Kind.FAILURES_EXPLAIN: _failures,
}


def _beyond(kind: Kind) -> Simulation:
    def draw(study: Study) -> Claim:
        unread = study.flips(study.design.rate)
        excess = paired_gap(unread, study.arm(study.design.rate), study.sources, resamples=_BARE)
        return exceeds(kind, 0, "", excess.difference)

    return draw


def judges_differ(by: float) -> Simulation:
    """Three judges that err now and then, the last of them on one arm more often."""

    def draw(study: Study) -> Claim:
        rate = min(max(study.design.rate, 0.2), 0.8)
        base, instruct = study.arm(rate), study.arm(rate + GAP)
        gaps = []
        for extra in (0.0, 0.0, by / (rate + GAP) / 0.97):
            accepted = instruct * study.flips(0.97) * (1 - study.flips(extra))
            gaps.append(accepted - base * study.flips(0.97))
        pairs = ((1, 0), (2, 0), (2, 1))
        found = [study.test(gaps[one] - gaps[two]) for one, two in pairs]
        return any_differs(Kind.JUDGES, 0, "", found, MARGIN)

    return draw


def _stages_cross(study: Study) -> Claim:
    """Two stages that solve as much with many draws, and not as much with one."""
    rate = study.design.rate
    before, after = (
        np.mean([study.arm(each) for _ in range(4)], axis=0)
        for each in (rate, study.moved(2 * GAP))
    )
    many = study.test(study.arm(rate) - study.arm(rate))
    return crosses(Kind.STAGES_CROSS, 0, "", study.test(after - before), many)


def _turns(kind: Kind) -> Simulation:
    def draw(study: Study) -> Claim:
        there = study.test(study.arm(study.moved(2 * GAP)) - study.arm(study.design.rate))
        zero = study.test(study.arm(study.design.rate) - study.arm(study.design.rate))
        return turns(kind, 0, "", (there, zero))

    return draw


# Samples per problem where curves are compared.
_DRAWS: Final = 8


def _curve(study: Study, solvable: float, chance: float) -> FloatArray:
    """[problems, draws] pass@k of an arm that solves some problems, with this chance per draw."""
    open_problems = study.arm(solvable) > 0
    solved = study.rng.binomial(_DRAWS, chance, open_problems.size) * open_problems
    return iid_curve(np.full(solved.size, _DRAWS), solved, _DRAWS)


def _crossing(study: Study) -> Claim:
    """The first arm solves its problems in half of the draws, the second in all of them."""
    rate = study.design.rate
    first = _curve(study, rate, 0.5)
    second = _curve(study, rate * (1 - 0.5**_DRAWS), 1.0)
    counts = sample_counts(_DRAWS)
    places = np.array(counts) - 1
    found = crossing(counts, first[:, places], second[:, places], study.sources, resamples=0)
    return crosses(Kind.CROSSING, 0, "", found.early, found.late)


def _at_equal_cost(by: float) -> Simulation:
    """A budget pays for six samples of the first arm or three of the second, which cost double.

    With these both solve the same share of their problems. Unsolved ones take more tokens.
    """
    reached = 1 - 0.7**6

    def draw(study: Study) -> Claim:
        arms = []
        for rate, chance, price in (
            (study.design.rate, 0.3, 100),
            (study.moved(by / reached), 0.51, 200),
        ):
            curve = _curve(study, rate, chance)
            solved = rate * (1 - (1 - chance) ** _DRAWS)
            tokens = price * (1.3 - 0.6 * (curve[:, -1] > 0)) / (1.3 - 0.6 * solved)
            tokens *= study.rng.uniform(0.5, 1.5, tokens.size)
            arms.append(at_cost(curve, tokens[:, None] * np.arange(1, _DRAWS + 1), (600.0,)))
        found = crossing((600.0,), arms[0], arms[1], study.sources, resamples=0)
        return differs(Kind.EQUAL_COST, 0, "", found.late, MARGIN)

    return draw


def sets_differ(by: float, there: float = 0.0) -> Simulation:
    """Three sets of different size and difficulty; sources are each set's own."""

    def draw(study: Study) -> Claim:
        sets = []
        for place, (share, more) in enumerate(((1.0, 0.0), (0.6, 0.0), (0.8, by))):
            size = max(round(share * study.design.problems), 20)
            design = Design(size, study.design.rate, study.design.correlation, study.design.shared)
            other = Study(study.rng, design)
            gap = other.arm(other.moved(there + more)) - other.arm(design.rate)
            sources = None if other.sources is None else other.sources + 10_000 * place
            sets.append((gap, sources))
        found = [
            contrast(Mean(*sets[one]), Mean(*sets[two], -1.0))
            for one, two in ((1, 0), (2, 0), (2, 1))
        ]
        return any_differs(Kind.DATASETS, 0, "", found, MARGIN)

    return draw


def _strata(by: float) -> Simulation:
    """Four kinds, crossed with the sources; the first differs from the rest."""

    def draw(study: Study) -> Claim:
        kinds = study.rng.integers(0, 4, study.design.problems)
        plain = study.arm(study.moved(GAP)) - study.arm(study.design.rate)
        more = study.arm(study.moved(GAP + by)) - study.arm(study.design.rate)
        gap = np.where(kinds == 0, more, plain)
        found = []
        for kind in range(4):
            here, there = (np.where(mask, gap, np.nan) for mask in (kinds == kind, kinds != kind))
            found.append(contrast(study.mean(here), study.mean(there, -1.0)))
        return any_differs(Kind.STRATA, 0, "", found, MARGIN)

    return draw


def _sets(by: float) -> Simulation:
    """Two sets of different sizes without a problem in common."""

    def draw(study: Study) -> Claim:
        other = Study(study.rng, study.design)
        before = study.arm(study.design.rate)
        after = other.arm(study.moved(by))[: max(study.design.problems // 2, 20)]
        sources = None if other.sources is None else 10_000 + other.sources[: after.size]
        change = unpaired_drop(study.mean(before), Mean(after, sources), resamples=_BARE)
        return differs(Kind.UNPAIRED_DROP, 0, "", change, MARGIN)

    return draw


def _pairing(by: float) -> Simulation:
    """A quarter of the problems are pairs, the rest of either set has no counterpart."""

    def draw(study: Study) -> Claim:
        size = study.design.problems
        names = np.arange(size) if study.sources is None else study.sources
        paired = study.rng.random(size) < 0.25
        before, after = study.arm(study.design.rate), study.arm(study.moved(GAP))
        beyond = study.arm(study.moved(GAP + by / 0.75))
        after = np.where(paired, after, beyond)
        pairs = PairedChange(before[paired], after[paired], names[paired].astype(np.str_))
        labels = names.astype(np.str_)
        found = pairing_difference(Mean(before, labels), Mean(after, labels), pairs)
        return differs(Kind.PAIRING, 0, "", found, MARGIN)

    return draw


# Families as the paper has them: size, and series.
_SIZES: Final = np.array([0.6e9, 8.2e9, 14.8e9, 3.2e9, 70.6e9, 3.1e9, 671e9, 1.04e12])
_SERIES: Final = ("qwen", "qwen", "qwen", "llama", "llama", "smollm", "deepseek", "kimi")


def _families(study: Study, gaps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Observed gaps with their errors; families scatter by 8 points, half of it their series'."""
    rate = study.design.rate
    error = np.sqrt(2 * (1 - _COMMON) * rate * (1 - rate) / study.design.problems)
    series = dict(zip(sorted(set(_SERIES)), study.rng.standard_normal(5), strict=True))
    scatter = 0.08 * (study.design.correlation > 0)
    shift = np.array([series[name] for name in _SERIES]) + study.rng.standard_normal(8)
    noise = error * study.rng.standard_normal(8) + scatter / np.sqrt(2) * shift
    return gaps + noise, np.full(8, error)


def trend_of(slope: float) -> Simulation:
    def draw(study: Study) -> Claim:
        gaps, errors = _families(study, slope * (np.log10(_SIZES) - 10))
        trend = gap_trend(_SIZES, gaps, errors, _SERIES)
        return differs(Kind.TREND, 0, "", trend.slope, MARGIN)

    return draw


def _sizes(apart: float) -> Simulation:
    def draw(study: Study) -> Claim:
        gaps, errors = _families(study, apart * (_SIZES > 70e9))
        groups = size_groups(_SIZES, gaps, errors, _SERIES, (3.5e9, 70e9))
        return differs(Kind.SIZES, 0, "", groups.difference, MARGIN)

    return draw


def _lost(more: float) -> Simulation:
    """Both arms lose a third of what they solve, the second ``more`` beside."""

    def draw(study: Study) -> Claim:
        changes = []
        for rate, loss in ((study.design.rate, 1 / 3), (study.moved(GAP), 1 / 3 + more)):
            before, after = study.arm(rate), study.arm(rate * (1 - loss))
            names = np.arange(before.size) if study.sources is None else study.sources
            changes.append(PairedChange(before, after, names.astype(np.str_)))
        difference = loss_difference(changes[0], changes[1])
        return differs(Kind.RELATIVE_LOSS, 0, "", difference, MARGIN)

    return draw


def replicated(apart: float) -> Simulation:
    """The paper's share over as many other problems."""

    def draw(study: Study) -> Claim:
        rate = study.design.rate
        theirs = float(Study(study.rng, study.design).arm(study.moved(apart)).mean())
        published = published_share(theirs, study.design.problems)
        solved = study.arm(rate)
        alone, shared = solved_interval(solved), solved_interval(solved, study.sources)
        ours = replace(study.test(solved), estimate=shared, independent=alone)
        difference = ours.beyond(published, normal_error(published))
        return replicates(0, "", difference, MARGINS.replication)

    return draw
