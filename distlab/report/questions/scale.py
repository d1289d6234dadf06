"""Does the gap change with size?"""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from distlab.analysis.replication import normal_error, published_gap
from distlab.analysis.scale import gap_trend
from distlab.report.charts.kinds import Chart, Series, SizeChart, at_label
from distlab.report.questions.paper import SAMPLES, published_figures
from distlab.report.records import GapRow, ScaleRow, Statement, StudyTables, TrendRow
from distlab.report.wording import cannot_say, headline_gaps, judge_name
from distlab.tables.column import Column, label
from distlab.tables.numbers import DASH, parameter_count, points_interval, points_range


def say_scale(study: StudyTables) -> Iterator[Statement]:
    """The gap's slope over size."""
    ours = [row for row in study.trends if row.source == OURS]
    if not any(row.trend.families > 2 for row in ours):
        yield cannot_say(
            "a trend of ours needs three families of two sizes; run a sweep over model"
        )
    stand = {judge_name(row.judge) for row in headline_gaps(study)}
    for row in study.trends:
        if row.source == OURS and row.judge not in stand:
            continue
        if row.trend.families > 2 and not math.isnan(row.trend.slope.value):
            yield Statement(_trend(row))


def _trend(row: TrendRow) -> str:
    slope = row.trend.slope
    said = {1: "moves towards instruct", -1: "moves towards base"}
    whose = "our figures" if row.source == OURS else "the paper's figures"
    return (
        f"{row.dataset} ({row.prompt or 'prompt not said'}, {row.judge}), {whose}: the gap "
        f"{said.get(slope.sign, 'is not shown to move')} with size: {points_range(slope)} "
        f"points for ten times the parameters, over {row.trend.families} families."
    )


OURS, PAPER = "ours", "paper"


def scale_rows(gaps: Sequence[GapRow], parameters: Mapping[str, float]) -> Iterator[ScaleRow]:
    """Our headline gaps, then the paper's to put beside them."""
    sized = [row for row in gaps if row.primary and row.headline and row.base.family in parameters]
    for row in sized:
        yield ScaleRow(
            source=OURS,
            family=row.base.family,
            parameters=parameters[row.base.family],
            dataset=row.base.dataset,
            prompt=row.base.prompt,
            judge=judge_name(row.judge),
            metric=row.metric,
            gap=row.gap.difference,
            error=row.gap.error,
        )
    for figure in published_figures() if sized else ():
        if figure.base is not None and figure.instruct is not None:
            yield ScaleRow(
                source=PAPER,
                family=figure.family,
                parameters=figure.parameters,
                dataset=figure.dataset,
                prompt=figure.prompt or "",
                judge=figure.grader,
                metric=f"Pass@{SAMPLES}",
                gap=(gap := published_gap(figure.base, figure.instruct, figure.problems)),
                error=normal_error(gap),
            )


def trend_rows(rows: Sequence[ScaleRow]) -> Iterator[TrendRow]:
    """A line for every setting of at least two families."""
    settings: dict[tuple[str, str, str, str, str], list[ScaleRow]] = {}
    for row in rows:
        key = (row.source, row.dataset, row.prompt, row.judge, row.metric)
        settings.setdefault(key, []).append(row)
    for key, found in settings.items():
        if len(found) > 1:
            trend = gap_trend(
                np.array([row.parameters for row in found]),
                np.array([row.gap.value for row in found]),
                np.array([row.error for row in found]),
            )
            yield TrendRow(*key, trend)


SCALE_COLUMNS: tuple[Column[ScaleRow], ...] = (
    label("source", lambda row: row.source),
    label("family", lambda row: row.family),
    Column("parameters", lambda row: parameter_count(row.parameters)),
    label("dataset", lambda row: row.dataset),
    label("prompt", lambda row: row.prompt or DASH),
    label("judge", lambda row: row.judge),
    label("score", lambda row: row.metric),
    Column("gap (95 %)", lambda row: points_interval(row.gap)),
)
TREND_COLUMNS: tuple[Column[TrendRow], ...] = (
    label("source", lambda row: row.source),
    label("dataset", lambda row: row.dataset),
    label("prompt", lambda row: row.prompt or DASH),
    label("judge", lambda row: row.judge),
    label("score", lambda row: row.metric),
    Column("families", lambda row: str(row.trend.families)),
    Column("change for ten times the size (95 %)", lambda row: points_interval(row.trend.slope)),
    Column("crosses zero at", lambda row: parameter_count(row.trend.crossing)),
)


def scale_charts(study: StudyTables) -> Iterator[Chart]:
    """Our headline gaps and the paper's over the size of the family."""
    names = {judge_name(row.judge) for row in headline_gaps(study)}
    rows = [row for row in study.scale if row.source == PAPER or row.judge in names]
    groups: dict[tuple[str, str, str], list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault((row.source, row.dataset, row.prompt), []).append(place)
    series, sizes = [], []
    for (source, dataset, prompt), places in groups.items():
        whose = "" if source == OURS else "the paper, "
        name = f"{whose}{dataset}{f' ({prompt})' if prompt else ''}"
        role = "ours" if source == OURS else "paper"
        marks = tuple(at_label(rows[place].family, rows[place].gap) for place in places)
        series.append(Series(name, role, marks))
        sizes.append(tuple(rows[place].parameters for place in places))
    if series:
        yield SizeChart(
            name="scale",
            title="Gap against the size of the family",
            x_axis="parameters",
            y_axis="gap, points",
            series=tuple(series),
            sizes=tuple(sizes),
        )
