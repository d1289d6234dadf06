"""How far do figures move when the same problems are drawn again?"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from distlab.analysis.arrays import FloatArray
from distlab.analysis.claims import Answer, Claim, Kind, any_differs, differs, turns
from distlab.analysis.reruns import Reruns, reruns
from distlab.errors import counted
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import between, holm_note, judge_name, setting, who_solves_more
from distlab.runs.joining import RERUN_FIELDS, rerun_fields
from distlab.runs.pairing import metrics
from distlab.runs.scored import Judge
from distlab.runs.scores import ProblemScores
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.flat import Record
from distlab.tables.numbers import percent, percent_interval, percent_range, points, points_range


@dataclass(frozen=True, slots=True)
class RerunRow:
    """A score of an arm, or the gap of two, over runs of the same cells.

    Attributes:
        cells: The arm; of a gap, base and instruct.
        judge: Extractor and grader.
        metric: Name of the score, as in "Pass@20".
        names: Of the runs, by what they differ in: "seed 1, replicate 16".
        found: The figure in each run.
    """

    cells: tuple[Cell, ...]
    judge: Judge
    metric: str
    names: tuple[str, ...]
    found: Reruns

    @property
    def key(self) -> tuple[tuple[Cell, ...], Judge, str]:
        """Under which it is claimed that the figure differs."""
        return self.cells, self.judge, self.metric

    @property
    def is_gap(self) -> bool:
        """Whether it is the difference of two arms."""
        return len(self.cells) > 1

    @property
    def what(self) -> str:
        """The arm, or the two of a gap."""
        return " − ".join(cell.arm for cell in reversed(self.cells))

    def shown(self, value: float) -> str:
        """A figure, in points where it is a gap, else in per cent."""
        return points(value) if self.is_gap else percent(value)


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """An arm in one run: its scores, and what its address says of the run."""

    scores: ProblemScores
    fields: Mapping[str, Any]


def _rows(scored: ScoredStudy) -> Iterator[RerunRow]:
    """The study's own gaps and their arms, where a run drew one of them again."""
    for pair, judge, _, _ in scored.own_arms():
        for cells in ((pair.base, pair.instruct), (pair.base,), (pair.instruct,)):
            runs = _runs(scored, cells, judge)
            mine = [tuple(run[cell.key] for cell in cells) for run in runs]
            yield from _of(cells, judge, _distinct(mine))


def _runs(scored: ScoredStudy, cells: Sequence[Cell], judge: Judge) -> Iterator[dict[str, _Drawn]]:
    """Of every run that has the cells, each of them as it was drawn there, the first run first."""
    manifest = scored.study.manifest
    first = {
        cell.key: _Drawn(scored.scores[cell.key, judge], rerun_fields(manifest, cell.key))
        for cell in cells
    }
    yield first
    for run in scored.reruns:
        again = {
            cell.key: _Drawn(run.scores[cell.key, judge], rerun_fields(run.manifest, cell.key))
            for cell in cells
            if (cell.key, judge) in run.scores
        }
        held = {cell.key for cell in run.manifest.cells}
        if again and all(cell.key in held for cell in cells):
            yield first | again


def _distinct(runs: Sequence[tuple[_Drawn, ...]]) -> list[tuple[_Drawn, ...]]:
    """Runs with samples of their own: greedy ones are the same under every seed."""
    kept: dict[tuple[str, ...], tuple[_Drawn, ...]] = {}
    for run in runs:
        kept.setdefault(tuple(drawn.scores.table.cell.fingerprint for drawn in run), run)
    return list(kept.values())


def _of(
    cells: tuple[Cell, ...], judge: Judge, runs: Sequence[tuple[_Drawn, ...]]
) -> Iterator[RerunRow]:
    """With as many samples as all have, and with one."""
    if len(runs) < 2:
        return
    drawn = [d.scores.table.cell for run in runs for d in run]
    names = tuple(_name(run) for run in runs)
    for metric in metrics(min(c.n for c in drawn), any(c.until_solved for c in drawn)):
        if metric.name != "one answer":
            scores = np.stack([_figure([metric.of(d.scores) for d in run]) for run in runs])
            found = reruns(scores, runs[0][0].scores.table.sources)
            yield RerunRow(cells, judge, metric.name, names, found)


def _figure(arms: Sequence[FloatArray]) -> FloatArray:
    return arms[0] if len(arms) == 1 else arms[1] - arms[0]


def _name(run: Sequence[_Drawn]) -> str:
    """As in "seed 1, replicate 16"; greedy arms have no seed."""
    fields = {name: value for drawn in run for name, value in drawn.fields.items()}
    found = (f"{name} {fields[name]}" for name in RERUN_FIELDS if name in fields)
    return ", ".join(found) or "first"


_COLUMNS: Columns[RerunRow] = (
    label("family", lambda row: row.cells[0].family),
    label("dataset", lambda row: row.cells[0].dataset),
    label("prompt", lambda row: row.cells[0].prompt),
    label("of", lambda row: row.what),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    Column("runs", lambda row: str(len(row.names))),
    Column("problems", lambda row: str(row.found.problems)),
    Column("lowest", lambda row: row.shown(row.found.lowest)),
    Column("highest", lambda row: row.shown(row.found.highest)),
    Column("over all runs", lambda row: row.shown(row.found.pooled.value)),
    Column("SD between runs (95 %)", lambda row: percent_interval(row.found.deviation)),
)


def _records(row: RerunRow) -> Iterator[Record]:
    """A record per run."""
    for name, figure in zip(row.names, row.found.figures, strict=True):
        yield {
            "family": row.cells[0].family,
            "dataset": row.cells[0].dataset,
            "prompt": row.cells[0].prompt,
            "of": row.what,
            "extractor": row.judge.extractor,
            "grader": row.judge.grader,
            "metric": row.metric,
            "run": name,
            "problems": row.found.problems,
            "value": figure.value,
            "pooled": row.found.pooled.value,
            "deviation": row.found.deviation.value,
            "deviation_low": row.found.deviation.low,
            "deviation_high": row.found.deviation.high,
        }


RERUNS = Table("reruns", "Figures over runs of the same cells", _rows, _COLUMNS, _records)


def _headline_rows(study: StudyTables) -> list[RerunRow]:
    return [
        row
        for row in study.rows(RERUNS)
        if row.found.problems and study.is_headline(row.cells[-1], row.judge)
    ]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That runs differ; and of a gap who leads over all of them, and whether all agree."""
    margin = study.margins.equivalence
    for row in _headline_rows(study):
        where = f"{between(row.cells[0], row.cells[-1])}, {row.what}, {row.metric}: runs"
        yield any_differs(Kind.RERUNS, row.key, where, row.found.differences, margin)
        if row.is_gap:
            yield differs(Kind.RERUNS_GAP, row.key, where, row.found.pooled, margin)
            yield turns(Kind.RERUNS_TURN, row.key, where, row.found.figures)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """A sentence per gap and score, its arms below it."""
    rows = _headline_rows(study)
    if study.rows(RERUNS) and not rows:
        yield cannot_say("no problem has a score in every run of a cell")
    elif not rows:
        yield cannot_say(
            "no cell was drawn and scored twice; run +experiment=reruns, or a sweep over seeds as "
            "in -m seed=0,1,2, and report on its folder"
        )
    gaps = [row for row in rows if row.is_gap]
    for gap in gaps:
        arms = [row for row in rows if _is_arm_of(row, gap)]
        yield Statement(_said_of_gap(study, gap), tuple(_said(study, arm) for arm in arms))
    for row in rows:
        if not row.is_gap and not any(_is_arm_of(row, gap) for gap in gaps):
            yield Statement(f"{setting(row.cells[0])}: {_said(study, row)}")


def _is_arm_of(arm: RerunRow, gap: RerunRow) -> bool:
    same = (arm.judge, arm.metric) == (gap.judge, gap.metric)
    return same and not arm.is_gap and arm.cells[0] in gap.cells


def _said_of_gap(study: StudyTables, row: RerunRow) -> str:
    base, instruct = row.cells
    margin, pooled = study.margins.equivalence, row.found.pooled
    lead = study.decision(Kind.RERUNS_GAP, row.key)
    turn = study.decision(Kind.RERUNS_TURN, row.key)
    agreed = {
        Answer.YES: f"Which arm solves more turns with the run ({holm_note(turn)})",
        Answer.NO: "The same arm solves more in each run",
        Answer.CANNOT_TELL: "Whether the same arm solves more in each run cannot be told here",
    }
    solves = who_solves_more(lead, (base, instruct), margin, "which arm solves more")
    return (
        f"{between(base, instruct)}: {_said(study, row)} Over all runs it is "
        f"{points_range(pooled.estimate)} points: {solves}. {agreed[turn.answer]}."
    )


def _said(study: StudyTables, row: RerunRow) -> str:
    """What the runs gave, how far drawing again moves the figure, and whether they differ."""
    decision = study.decision(Kind.RERUNS, row.key)
    told = {
        Answer.YES: f"The runs differ beyond the chance of draws ({holm_note(decision)})",
        Answer.NO: f"No two runs differ by {percent(study.margins.equivalence)} points or more",
        Answer.CANNOT_TELL: "Whether runs differ beyond the chance of draws cannot be told here",
    }
    return (
        f"{row.what} in {row.metric} is {_figures(row)} {len(row.names)} runs "
        f"({'; '.join(row.names)}), over {counted(row.found.problems, 'problem')} that all have. "
        f"{_moved(row)} {told[decision.answer]}."
    )


def _figures(row: RerunRow) -> str:
    """As in "+10.0 to +14.0 points in", or "10.0 per cent in each of"."""
    lowest, highest = row.shown(row.found.lowest), row.shown(row.found.highest)
    unit = "points" if row.is_gap else "per cent"
    if lowest == highest:
        return f"{lowest} {unit} in each of"
    return f"{lowest} to {highest} {unit} in"


def _moved(row: RerunRow) -> str:
    """How far drawing again moves the figure, beside the error of which that is a part."""
    found = row.found
    if found.deviation.value == 0:
        return "Every problem has the same score in all of them."
    beside = ""
    if row.is_gap and not math.isnan(found.error):
        beside = f", a part of the standard error of {percent(found.error)} that one run has"
    return (
        f"Drawing again moves it by {percent_range(found.deviation)} points (one standard "
        f"deviation){beside}."
    )


_TERMS: Final[tuple[Term, ...]] = (
    (
        "SD between runs",
        "how far the figure of one run moves when the same problems are drawn again: the root of "
        "the problems' mean variance over runs, over their number. It is a part of the error of "
        "every gap of one run. Low precision makes results depend on batch size and on how an "
        "engine is split, too (arXiv 2506.09501).",
    ),
)
QUESTION = Question(
    name="reruns",
    text="How far do figures move when the same problems are drawn again?",
    tables=(RERUNS,),
    statements=_statements,
    claims=_claims,
    terms=_TERMS,
)
