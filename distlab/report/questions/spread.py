"""How far do figures move with wording, exemplars and temperature?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final

import numpy as np

from distlab.analysis.arrays import FloatArray, IntArray
from distlab.analysis.claims import Answer, Claim, Kind, any_differs
from distlab.analysis.spread import Spread, spread
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import holm_note, judge_name
from distlab.runs.pairing import Metric, metrics
from distlab.runs.scored import Judge
from distlab.runs.styles import Varied, sets_of
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.flat import Record
from distlab.tables.numbers import percent, points

# What the settings of a set are called, one and several.
_SETTINGS: Final = {
    Varied.WORDING: ("wording", "wordings"),
    Varied.EXEMPLARS: ("draw of exemplars", "draws of exemplars"),
    Varied.TEMPERATURE: ("temperature", "temperatures"),
}


@dataclass(frozen=True, slots=True)
class SpreadRow:
    """A score, or the gap of two, under settings that differ in one thing alone.

    Attributes:
        varied: What they differ in.
        cells: The arm under each setting; of a gap, the base arm.
        others: Of a gap, the instruct arm under each; else empty.
        judge: Extractor and grader.
        metric: Name of the score, as in "Pass@20".
        found: The figure under each setting.
    """

    varied: Varied
    cells: tuple[Cell, ...]
    others: tuple[Cell, ...]
    judge: Judge
    metric: str
    found: Spread

    @property
    def key(self) -> tuple[Varied, Cell, tuple[Cell, ...], Judge]:
        """Under which it is claimed that the figure moves."""
        return self.varied, self.cells[0], self.others[:1], self.judge

    @property
    def what(self) -> str:
        """The arm, or the two of a gap; without its decoding where that varies."""
        arms = (*self.others[:1], self.cells[0])
        names = [a.variant if self.varied is Varied.TEMPERATURE else a.arm for a in arms]
        return " − ".join(names)

    def shown(self, value: float) -> str:
        """A figure, in points where it is a gap, else in per cent."""
        return points(value) if self.others else percent(value)


def _rows(scored: ScoredStudy) -> Iterator[SpreadRow]:
    """Each set's arm, and the gaps of two sets with the same settings."""
    for varied in Varied:
        sets = list(sets_of(scored.study.manifest, varied))
        for judge in scored.judges:
            for cells in sets:
                yield from _arm_row(scored, varied, cells, judge)
            for base, instruct in permutations(sets, 2):
                yield from _gap_row(scored, varied, (base, instruct), judge)


def _arm_row(
    scored: ScoredStudy, varied: Varied, cells: tuple[Cell, ...], judge: Judge
) -> Iterator[SpreadRow]:
    if all((cell.key, judge) in scored.scores for cell in cells):
        metric = metrics(min(cell.n for cell in cells))[0]
        found = spread(_values(scored, cells, metric, judge), _sources(scored, cells, judge))
        yield SpreadRow(varied, cells, (), judge, metric.name, found)


def _gap_row(
    scored: ScoredStudy,
    varied: Varied,
    sets: tuple[tuple[Cell, ...], tuple[Cell, ...]],
    judge: Judge,
) -> Iterator[SpreadRow]:
    """The gap under every setting that both sets have: the study's own arms, or equal ones."""
    # The gap at each temperature is one of equal decodings.
    pairs = {
        (pair.base, pair.instruct)
        for pair in scored.pairs
        if pair.primary or varied is Varied.TEMPERATURE
    }
    others = {_setting(cell, varied): cell for cell in sets[1]}
    matched = [(cell, others.get(_setting(cell, varied))) for cell in sets[0]]
    both = [
        (one, other)
        for one, other in matched
        if other is not None and (one, other) in pairs
        if all((cell.key, judge) in scored.scores for cell in (one, other))
    ]
    if len(both) < len(sets[0]):
        return
    first, second = (tuple(cells) for cells in zip(*both, strict=True))
    metric = metrics(min(cell.n for cell in (*first, *second)))[0]
    values = [_values(scored, cells, metric, judge) for cells in (first, second)]
    found = spread(values[1] - values[0], _sources(scored, first, judge))
    yield SpreadRow(varied, first, second, judge, metric.name, found)


def _setting(cell: Cell, varied: Varied) -> tuple[str, ...]:
    """Names under which two variants have one setting."""
    varying = cell.decoding if varied is Varied.TEMPERATURE else ""
    return cell.family, cell.dataset, cell.prompt, varying


def _values(scored: ScoredStudy, cells: Sequence[Cell], metric: Metric, judge: Judge) -> FloatArray:
    return np.stack([metric.of(scored.scores[cell.key, judge]) for cell in cells])


def _sources(scored: ScoredStudy, cells: Sequence[Cell], judge: Judge) -> IntArray:
    return scored.scores[cells[0].key, judge].table.sources


_COLUMNS: Columns[SpreadRow] = (
    label("varies", lambda row: row.varied),
    label("family", lambda row: row.cells[0].family),
    label("dataset", lambda row: row.cells[0].dataset),
    label("of", lambda row: row.what),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    Column("settings", lambda row: str(len(row.cells))),
    Column("problems", lambda row: str(row.found.problems)),
    Column("lowest", lambda row: row.shown(row.found.lowest)),
    Column("median", lambda row: row.shown(row.found.median)),
    Column("highest", lambda row: row.shown(row.found.highest)),
    Column("SD", lambda row: percent(row.found.deviation)),
)


def _records(row: SpreadRow) -> Iterator[Record]:
    """A record per setting."""
    for cell, mean in zip(row.cells, row.found.means, strict=True):
        yield {
            "varied": row.varied,
            "family": cell.family,
            "dataset": cell.dataset,
            "of": row.what,
            "prompt": cell.prompt,
            "decoding": cell.decoding,
            "extractor": row.judge.extractor,
            "grader": row.judge.grader,
            "metric": row.metric,
            "problems": row.found.problems,
            "value": float(mean),
        }


SPREAD = Table(
    "spread", "Figures over settings that differ in one thing", _rows, _COLUMNS, _records
)


def _headline_rows(study: StudyTables) -> list[SpreadRow]:
    return [
        row
        for row in study.rows(SPREAD)
        if row.found.problems and study.is_headline((*row.others, *row.cells)[0], row.judge)
    ]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That a figure moves: that under some two settings it differs."""
    for row in _headline_rows(study):
        cell, margin = row.cells[0], study.margins.equivalence
        where = f"{cell.family} on {cell.dataset}, {row.what}, {row.metric}: {row.varied}"
        yield any_differs(Kind.SPREAD, row.key, where, row.found.differences, margin)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """A sentence per gap, its arms below it; arms by themselves where there is no gap."""
    rows = _headline_rows(study)
    if not rows:
        yield cannot_say(
            "no three cells differ in wording, exemplars or temperature alone; run with "
            "prompt=[zero-shot,paraphrases], prompt=[few-shot,redrawn] or decoding=temperatures"
        )
    gaps = [row for row in rows if row.others]
    for row in gaps:
        arms = [r for r in rows if not r.others and _is_arm_of(r, row)]
        yield Statement(_said(study, row), tuple(_said(study, arm) for arm in arms))
    shown = {id(r) for row in gaps for r in rows if not r.others and _is_arm_of(r, row)}
    yield from (Statement(_said(study, r)) for r in rows if not r.others and id(r) not in shown)


def _is_arm_of(arm: SpreadRow, gap: SpreadRow) -> bool:
    same = (arm.varied, arm.judge) == (gap.varied, gap.judge)
    return same and arm.cells[0] in (gap.cells[0], gap.others[0])


def _said(study: StudyTables, row: SpreadRow) -> str:
    one, several = _SETTINGS[row.varied]
    decision = study.decision(Kind.SPREAD, row.key)
    found, cell = row.found, row.cells[0]
    unit = "points" if row.others else "per cent"
    figures = (
        f"{row.what} in {row.metric} is {row.shown(found.lowest)} to {row.shown(found.highest)} "
        f"{unit}, median {row.shown(found.median)}, SD {percent(found.deviation)}"
    )
    leads = (
        f"; {row.others[0].variant} leads under {percent(found.above_zero)} per cent of them"
        if row.others
        else ""
    )
    told = {
        Answer.YES: f"It moves with the {one} ({holm_note(decision)})",
        Answer.NO: (
            f"Under no two of them does it differ by {percent(study.margins.equivalence)} points "
            "or more"
        ),
        Answer.CANNOT_TELL: f"Whether it moves with the {one} cannot be told here",
    }
    return (
        f"{cell.family} on {cell.dataset}, {len(row.cells)} {several}: {figures}"
        f"{leads}. {told[decision.answer]}."
    )


_TERMS: Final[tuple[Term, ...]] = (
    (
        "lowest; median; highest; SD",
        "over the settings of a set, each measured on all problems (PromptEval, arXiv 2405.17202, "
        "estimates the same from fewer). The standard deviation includes the chance of problems "
        "and draws, so that it is not zero where nothing moves.",
    ),
)
QUESTION = Question(
    name="spread",
    text="How far do figures move with wording, exemplars and temperature?",
    tables=(SPREAD,),
    statements=_statements,
    claims=_claims,
    terms=_TERMS,
)
