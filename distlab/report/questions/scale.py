"""Does the gap change with size?"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from distlab.analysis.arrays import FloatArray
from distlab.analysis.claims import Answer, Claim, Kind, differs
from distlab.analysis.estimate import Estimate
from distlab.analysis.replication import normal_error, published_gap
from distlab.analysis.scale import Trend, gap_trend
from distlab.errors import counted
from distlab.report.charts.kinds import Chart, Role, Series, SizeChart, SizePanel, at_label
from distlab.report.gap_table import GAPS, headline_gaps
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.questions.paper import SAMPLES, published_figures
from distlab.report.table import ScoredStudy, StudyTables, Table
from distlab.report.wording import holm_note, judge_name
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import DASH, parameter_count, percent, points_interval, points_range


class GapSource(StrEnum):
    """Whose gap it is."""

    OURS = "ours"
    PAPER = "paper"


@dataclass(frozen=True, slots=True)
class ScaleRow:
    """A gap and the size of its family.

    Attributes:
        source: Whose gap it is.
        family: Name of the family.
        parameters: Number of parameters of its checkpoints.
        dataset: Name of the dataset.
        prompt: Name of the prompt; empty where the paper does not say.
        judge: "extractor / grader" of our gaps; the grader of the paper's.
        metric: Name of the score, as in "Pass@20".
        gap: Instruct minus base.
        error: Standard error of the gap.
    """

    source: GapSource
    family: str
    parameters: float
    dataset: str
    prompt: str
    judge: str
    metric: str
    gap: Estimate
    error: float


def _scale_rows(scored: ScoredStudy) -> Iterator[ScaleRow]:
    """Our headline gaps, then the paper's to put beside them."""
    parameters = scored.study.parameters
    gaps = (row for row in scored.rows(GAPS) if row.headline)
    own = [row for row in gaps if (row.base, row.instruct) in scored.ends]
    sized = [row for row in own if row.base.family in parameters]
    for row in sized:
        yield ScaleRow(
            source=GapSource.OURS,
            family=row.base.family,
            parameters=parameters[row.base.family],
            dataset=row.base.dataset,
            prompt=row.base.prompt,
            judge=judge_name(row.judge),
            metric=row.metric,
            gap=row.gap.difference.estimate,
            error=row.gap.difference.error,
        )
    for figure in published_figures() if sized else ():
        if figure.base is not None and figure.instruct is not None:
            yield ScaleRow(
                source=GapSource.PAPER,
                family=figure.family,
                parameters=figure.parameters,
                dataset=figure.dataset,
                prompt=figure.prompt or "",
                judge=figure.grader,
                metric=f"Pass@{SAMPLES}",
                gap=(gap := published_gap(figure.base, figure.instruct, figure.problems)),
                error=normal_error(gap),
            )


_SCALE_COLUMNS: Columns[ScaleRow] = (
    label("source", lambda row: row.source),
    label("family", lambda row: row.family),
    Column("parameters", lambda row: parameter_count(row.parameters)),
    label("dataset", lambda row: row.dataset),
    label("prompt", lambda row: row.prompt or DASH),
    label("judge", lambda row: row.judge),
    label("score", lambda row: row.metric),
    Column("gap (95 %)", lambda row: points_interval(row.gap)),
)
SCALE = Table("scale", "Gap and size, in points", _scale_rows, _SCALE_COLUMNS)


Setting = tuple[GapSource, str, str, str, str]
"""Whose gaps, dataset, prompt, judge and score: what families are compared within."""


@dataclass(frozen=True, slots=True)
class SettingRow:
    """What is said of the families of one setting.

    Attributes:
        source: Whose gaps they are.
        dataset: Name of the dataset.
        prompt: Name of the prompt; empty where the paper does not say.
        judge: As in ``ScaleRow``.
        metric: Name of the score, as in "Pass@20".
    """

    source: GapSource
    dataset: str
    prompt: str
    judge: str
    metric: str

    @property
    def key(self) -> Setting:
        """Under which it is claimed."""
        return self.source, self.dataset, self.prompt, self.judge, self.metric

    @property
    def where(self) -> str:
        """The setting, as the table of claims has it."""
        return ", ".join(part for part in self.key if part)

    @property
    def opening(self) -> str:
        """What a sentence on it begins with."""
        whose = "our figures" if self.source == GapSource.OURS else "the paper's figures"
        return f"{self.dataset} ({self.prompt or 'prompt not said'}, {self.judge}), {whose}: "


SETTING_COLUMNS: Columns[SettingRow] = (
    label("source", lambda row: row.source),
    label("dataset", lambda row: row.dataset),
    label("prompt", lambda row: row.prompt or DASH),
    label("judge", lambda row: row.judge),
    label("score", lambda row: row.metric),
)


def by_setting(scored: ScoredStudy) -> Mapping[Setting, Sequence[ScaleRow]]:
    """The families of every setting."""
    settings: dict[Setting, list[ScaleRow]] = {}
    for row in scored.rows(SCALE):
        key = (row.source, row.dataset, row.prompt, row.judge, row.metric)
        settings.setdefault(key, []).append(row)
    return settings


def over_sizes(
    rows: Sequence[ScaleRow],
) -> tuple[FloatArray, FloatArray, FloatArray, list[str]]:
    """Parameters, gaps, their errors and the lineages of families."""
    return (
        np.array([row.parameters for row in rows]),
        np.array([row.gap.value for row in rows]),
        np.array([row.error for row in rows]),
        [lineage(row.family) for row in rows],
    )


def stands(study: StudyTables) -> Callable[[SettingRow | ScaleRow], bool]:
    """Whether a setting is shown: ours under the judges that stand for a cell, and the paper's."""
    judges = {judge_name(row.judge) for row in headline_gaps(study)}
    return lambda row: row.source == GapSource.PAPER or row.judge in judges


def drawn(study: StudyTables) -> list[ScaleRow]:
    """What figures show: of the paper's families those that are ours, unless all are asked for."""
    ours = {(cell.family, cell.dataset) for cell in study.manifest.cells}
    return [
        row
        for row in study.rows(SCALE)
        if row.source == GapSource.OURS or study.paper == "all" or (row.family, row.dataset) in ours
    ]


@dataclass(frozen=True, slots=True)
class TrendRow(SettingRow):
    """The straight line through the ``ScaleRow``s of one setting.

    Attributes:
        trend: The line over log10 of the parameters.
    """

    trend: Trend


def _trend_rows(scored: ScoredStudy) -> Iterator[TrendRow]:
    """One line per setting of at least two families."""
    for key, found in by_setting(scored).items():
        if len(found) > 1:
            yield TrendRow(*key, gap_trend(*over_sizes(found)))


def lineage(family: str) -> str:
    """What a family is a size of, by its name without the size (ours): qwen3 of "qwen3-0.6b"."""
    return re.sub(r"-[0-9.]+[mbt]$", "", family)


_TREND_COLUMNS: Columns[TrendRow] = (
    *SETTING_COLUMNS,
    Column("families", lambda row: str(row.trend.families)),
    Column("lineages", lambda row: str(row.trend.lineages)),
    Column(
        "change for ten times the size (95 %)",
        lambda row: points_interval(row.trend.slope.estimate),
    ),
    Column("scatter of families", lambda row: percent(row.trend.scatter)),
    Column("crosses zero at", lambda row: parameter_count(row.trend.crossing)),
)
TRENDS = Table(
    "trends", "Gap against log10 of the parameters, in points", _trend_rows, _TREND_COLUMNS
)


def _shown(study: StudyTables) -> list[TrendRow]:
    """The trends with a slope, of settings that are shown."""
    is_shown = stands(study)
    rows = study.rows(TRENDS)
    return [row for row in rows if is_shown(row) and not math.isnan(row.trend.slope.value)]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That the gap changes with size."""
    for row in _shown(study):
        margin = study.margins.equivalence
        yield differs(Kind.TREND, row.key, row.where, row.trend.slope, margin)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """The gap's slope over size."""
    rows = _shown(study)
    if not any(row.source == GapSource.OURS for row in rows):
        yield cannot_say(
            "a trend of ours needs three lineages of two sizes; run a sweep over model"
        )
    yield from (Statement(_trend_sentence(study, row)) for row in rows)


def _trend_sentence(study: StudyTables, row: TrendRow) -> str:
    slope, decision = row.trend.slope, study.decision(Kind.TREND, row.key)
    towards = study.sides.second if decision.direction > 0 else study.sides.first
    said = {
        Answer.YES: f"the gap moves towards {towards} with size ({holm_note(decision)})",
        Answer.NO: (
            f"the gap moves less than {percent(study.margins.equivalence)} points for ten times "
            "the size"
        ),
        Answer.CANNOT_TELL: "whether the gap moves with size cannot be told here",
    }
    return (
        f"{row.opening}{said[decision.answer]}: {points_range(slope.estimate)} points for ten "
        f"times the parameters, over {row.trend.families} families of "
        f"{counted(row.trend.lineages, 'lineage')}, {_sizes(row.trend)}."
    )


def _sizes(trend: Trend) -> str:
    """What the line was drawn through, and whether ten times the size is more than that."""
    least, most = parameter_count(trend.smallest), parameter_count(trend.largest)
    span = f"from {least} to {most} parameters"
    if trend.largest >= 10 * trend.smallest:
        return span
    return f"{span}: less than ten times, so the figure goes beyond what was measured"


def _charts(study: StudyTables) -> Iterator[Chart]:
    """Our headline gaps over the size of the family, a panel per dataset, with the paper's."""
    rows = [row for row in drawn(study) if stands(study)(row)]
    datasets = dict.fromkeys(row.dataset for row in rows)
    panels = (_panel(name, [row for row in rows if row.dataset == name]) for name in datasets)
    if rows:
        yield SizeChart(
            name="scale",
            title="Gap against the size of the family",
            x_axis="families by parameters, logarithmic",
            y_axis="gap, points",
            panels=tuple(panels),
        )


def _panel(dataset: str, rows: Sequence[ScaleRow]) -> SizePanel:
    groups: dict[tuple[GapSource, str], list[ScaleRow]] = {}
    for row in rows:
        groups.setdefault((row.source, row.prompt), []).append(row)
    series, sizes = [], []
    for (source, prompt), found in groups.items():
        whose = "" if source == GapSource.OURS else "the paper, "
        role: Role = "ours" if source == GapSource.OURS else "paper"
        marks = tuple(at_label(row.family, row.gap) for row in found)
        series.append(Series(f"{whose}{prompt or 'prompt not said'}", role, marks))
        sizes.append(tuple(row.parameters for row in found))
    return SizePanel(dataset, tuple(series), tuple(sizes))


QUESTION = Question(
    name="scale",
    text="Does the gap change with size?",
    tables=(SCALE, TRENDS),
    statements=_statements,
    charts=_charts,
    claims=_claims,
)
