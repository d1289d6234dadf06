"""The table of gaps: instruct minus base, which most questions read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from distlab.analysis.contrasts import EMPTY, Contrast, Mean, contrast
from distlab.analysis.gaps import Gap, paired_gap
from distlab.analysis.power import smallest_detectable
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import judge_name
from distlab.runs.pairing import ONE_SAMPLE, ArmPair, Metric, ScoreMap, metrics
from distlab.runs.scored import Judge
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import DASH, p_value, percent, points_interval


@dataclass(frozen=True, slots=True)
class GapRow:
    """Two arms on the same problems, under one judge.

    Attributes:
        base: The base arm's cell.
        instruct: The instruct arm's cell.
        judge: Extractor and grader.
        metric: What is compared: "Pass@20", "pass@1", "one answer".
        primary: The study's own two arms (see ``pairing.arm_pairs``), not a control.
        headline: The metric at the largest k that both arms have, not one of the others.
        gap: Over all problems scored in both arms, failed ones as unsolved (the headline).
        sampled: The same over the problems that neither arm failed.
        failures: ``gap`` minus ``sampled``; empty where no problem failed.
        detectable: Smallest true gap that this design finds with 80 % power, at 5 %.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    metric: str
    primary: bool
    headline: bool
    gap: Gap
    sampled: Gap
    failures: Contrast
    detectable: float

    @property
    def key(self) -> tuple[Cell, Cell, Judge, str]:
        """Under which it is claimed that its gap is there."""
        return self.base, self.instruct, self.judge, self.metric


def headline_gaps(study: StudyTables) -> list[GapRow]:
    """The study's gaps, each under the judge that stands for its instruct arm."""
    return [
        row
        for row in study.rows(GAPS)
        if row.primary and row.headline and study.is_headline(row.instruct, row.judge)
    ]


def first_gap(study: StudyTables, row: GapRow) -> GapRow | None:
    """The same comparison with one sample; None where ``row`` is that, or it cannot be said."""
    same = (
        other
        for other in study.rows(GAPS)
        if (other.base, other.instruct, other.judge) == (row.base, row.instruct, row.judge)
    )
    return next((other for other in same if other.metric == ONE_SAMPLE and other != row), None)


def _rows(scored: ScoredStudy) -> Iterator[GapRow]:
    """Every gap under every judge and score."""
    scores = scored.scores
    for pair in scored.pairs:
        for judge in scored.judges:
            if (pair.base.key, judge) in scores and (pair.instruct.key, judge) in scores:
                for place, metric in enumerate(pair_metrics(pair)):
                    yield _gap_row(pair, judge, metric, place == 0, scores)


def pair_metrics(pair: ArmPair) -> list[Metric]:
    """What is compared with an interval for a fixed number of problems; may be nothing.

    Pass@n needs one n, where an arm is drawn until solved. What is drawn until decided has
    intervals of its own (``decided_table``).
    """
    base, instruct = pair.base, pair.instruct
    if base.until_decided or instruct.until_decided:
        return []
    until_solved = base.until_solved or instruct.until_solved
    if until_solved and base.n != instruct.n:
        return []
    return metrics(min(base.n, instruct.n), until_solved)


def _gap_row(
    pair: ArmPair, judge: Judge, metric: Metric, headline: bool, scores: ScoreMap
) -> GapRow:
    base, instruct = scores[pair.base.key, judge], scores[pair.instruct.key, judge]
    first, second = metric.of(base), metric.of(instruct)
    sources = base.table.sources
    gap = sampled = paired_gap(first, second, sources)
    failures = EMPTY
    if base.failed.any() or instruct.failed.any():
        one, two = base.sampled(first), instruct.sampled(second)
        sampled = paired_gap(one, two, sources)
        failures = contrast(Mean(second - first, sources), Mean(two - one, sources, -1.0))
    return GapRow(
        base=pair.base,
        instruct=pair.instruct,
        judge=judge,
        metric=metric.name,
        primary=pair.primary,
        headline=headline,
        gap=gap,
        sampled=sampled,
        failures=failures,
        detectable=smallest_detectable(gap),
    )


def _independent(row: GapRow) -> str:
    shared = row.gap.clusters < row.gap.problems
    return points_interval(row.gap.difference.independent) if shared else DASH


def _sampled(row: GapRow) -> str:
    if row.sampled.problems == row.gap.problems:
        return DASH
    return f"{points_interval(row.sampled.difference.estimate)} ({row.sampled.problems})"


class PairRow(Protocol):
    """A row of a table over pairs of arms."""

    @property
    def base(self) -> Cell:
        """The base arm's cell."""

    @property
    def instruct(self) -> Cell:
        """The instruct arm's cell."""

    @property
    def judge(self) -> Judge:
        """Extractor and grader."""

    @property
    def metric(self) -> str:
        """Name of the score, as in "Pass@20"."""


class PairedRow(PairRow, Protocol):
    """A row of a table of gaps, whatever the gaps are over."""

    @property
    def gap(self) -> Gap:
        """Instruct minus base."""


# Which arms are compared, how they are judged and in which score.
PAIR_COLUMNS: Final[Columns[PairRow]] = (
    label("family", lambda row: row.base.family),
    label("dataset", lambda row: row.base.dataset),
    label("prompt", lambda row: row.base.prompt),
    label("base arm", lambda row: row.base.arm, spare=2),
    label("instruct arm", lambda row: row.instruct.arm, spare=2),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
)
# Those, and what the arms score: what every table of gaps begins with.
PAIRED_COLUMNS: Final[Columns[PairedRow]] = (
    *PAIR_COLUMNS,
    Column("problems", lambda row: str(row.gap.problems), spare=1),
    Column("base", lambda row: percent(row.gap.base)),
    Column("instruct", lambda row: percent(row.gap.instruct)),
)
_COLUMNS: Columns[GapRow] = (
    *PAIRED_COLUMNS,
    Column("gap (95 %)", lambda row: points_interval(row.gap.difference.estimate)),
    Column("p", lambda row: p_value(row.gap.difference.p)),
    Column("clusters", lambda row: str(row.gap.clusters), spare=1),
    Column("if problems were independent (95 %)", _independent, spare=1),
    Column("base only", lambda row: str(row.gap.base_only), spare=1),
    Column("instruct only", lambda row: str(row.gap.instruct_only), spare=1),
    Column("gap, both sampled", _sampled, spare=1),
    Column("detectable", lambda row: percent(row.detectable), spare=1),
)
GAP_TERMS: Final[tuple[Term, ...]] = (
    (
        "gap",
        "instruct − base in percentage points over the same problems. base only, instruct only: "
        "problems on which that arm scores higher. p: exact sign-flip test over sources; where "
        "problems share none and scores are 0 or 1, the exact McNemar test. It is not adjusted; "
        "what the report asserts is.",
    ),
    (
        "detectable",
        "smallest true gap, in points, that this many problems would have shown with 80 % power at "
        "the spread that was observed.",
    ),
)
GAPS = Table("gaps", "Gap, instruct − base, in points", _rows, _COLUMNS)
