"""StudyTables in; charts out, as what they show and not how: each is drawn live and as a picture.

Values are in the unit of the axis: per cent, or points.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from distlab.analysis.intervals import Estimate
from distlab.report.figures import judge_name, points_range, sides_name
from distlab.report.gap_statements import headline_gaps, setting
from distlab.report.records import AcceptRow, StudyTables, UnpairedRow
from distlab.report.scale import OURS, PAPER
from distlab.store.cell import Cell

# Panels of curves that are drawn (ours); the table has them all.
_MOST_CURVES: Final = 6
# Rows of a chart (ours): those after them are in the table alone, and the title says so.
_MOST_ROWS: Final = 48


@dataclass(frozen=True, slots=True)
class Mark:
    """A point with its interval; NaN ends where there is none."""

    label: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Series:
    """Marks of one colour and one shape.

    Attributes:
        name: In the legend.
        role: What it is, for its colour: "base", "instruct", "ours", "other", "paper", "null".
        marks: The marks.
    """

    name: str
    role: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class IntervalChart:
    """Marks on rows by their label, along one axis with a line at zero."""

    name: str
    title: str
    axis: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line; ``style`` tells lines of one role apart."""

    name: str
    role: str
    style: int
    xs: tuple[float, ...]
    ys: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LineChart:
    """Lines over a numeric axis."""

    name: str
    title: str
    x_axis: str
    y_axis: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class SizeChart:
    """Intervals over a logarithmic axis; each mark stands at ``sizes`` of its series.

    Attributes:
        sizes: One tuple a series, one size a mark.
    """

    name: str
    title: str
    x_axis: str
    y_axis: str
    series: tuple[Series, ...]
    sizes: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class MatrixChart:
    """A square of figures; NaN is left blank."""

    name: str
    title: str
    x_axis: str
    y_axis: str
    labels: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One colour of a stacked bar: a value a bar."""

    name: str
    role: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class BarChart:
    """Bars that are split into parts which add up to 100."""

    name: str
    title: str
    axis: str
    bars: tuple[str, ...]
    parts: tuple[Part, ...]


Chart = IntervalChart | LineChart | SizeChart | MatrixChart | BarChart


def charts(study: StudyTables) -> dict[str, tuple[Chart, ...]]:
    """The charts of every finding, by its name; none where there is nothing to draw."""
    return {
        "gap": tuple(_gap_charts(study)),
        "decoding": tuple(_split_charts(study)),
        "guessing": tuple(_null_charts(study)),
        "judges": tuple(_judge_charts(study)),
        "drops": tuple(_drop_charts(study)),
        "scale": tuple(_scale_charts(study)),
        "ends": (*_end_charts(study), *_curve_charts(study)),
    }


def describe(chart: Chart) -> str:
    """What a reader who cannot see the chart should know of it."""
    match chart:
        case IntervalChart() | SizeChart():
            listed = "; ".join(
                f"{series.name}, {mark.label}: {_mark(mark)}"
                for series in chart.series
                for mark in series.marks
            )
        case LineChart():
            listed = "; ".join(f"{line.name}: ends at {line.ys[-1]:.1f}" for line in chart.lines)
        case MatrixChart():
            listed = f"{len(chart.labels)} rows and columns, figures in the table below"
        case BarChart():
            listed = f"{len(chart.bars)} bars, figures in the table below"
    return f"{chart.title}. {listed}."


def _mark(mark: Mark) -> str:
    return points_range(Estimate(mark.value / 100, mark.low / 100, mark.high / 100))


def _at(label: str, estimate: Estimate) -> Mark:
    return Mark(label, 100 * estimate.value, 100 * estimate.low, 100 * estimate.high)


def _gap_charts(study: StudyTables) -> Iterator[Chart]:
    """Ours under every judge, and the paper's, by family, dataset and prompt."""
    rows = [row for row in study.gaps if row.primary and row.headline]
    if not rows:
        return
    # The paper's zero-shot gaps on GSM8K are its headline: they stand beside any set of ours.
    datasets = {"gsm8k", *(row.base.dataset for row in rows)}
    ours = [
        Series(
            judge_name(judge),
            "ours" if place == 0 else "other",
            tuple(_at(setting(r.base), r.gap.difference) for r in rows if r.judge == judge),
        )
        for place, judge in enumerate(study.judges)
    ]
    shown = [series for series in ours if series.marks]
    theirs = [row for row in study.scale if row.source == PAPER and row.dataset in datasets]
    for grader in dict.fromkeys(row.judge for row in theirs):
        marks = tuple(
            _at(f"{row.family} on {row.dataset} ({row.prompt or 'prompt not said'})", row.gap)
            for row in theirs
            if row.judge == grader
        )
        shown.append(Series(f"the paper, {grader}", "paper", marks))
    title = f"Gap in {rows[0].metric}, instruct − base"
    yield from _interval_chart("gaps", title, "points; right of zero instruct solves more", shown)


def _interval_chart(
    name: str, title: str, axis: str, series: Sequence[Series]
) -> Iterator[IntervalChart]:
    """The chart, if it has a row; of very many rows the first."""
    labels = list(dict.fromkeys(mark.label for each in series for mark in each.marks))
    shown = set(labels[:_MOST_ROWS])
    kept = [
        replace(each, marks=tuple(mark for mark in each.marks if mark.label in shown))
        for each in series
    ]
    if labels:
        title = _cut(title, len(labels))
        yield IntervalChart(name, title, axis, tuple(each for each in kept if each.marks))


def _cut(title: str, rows: int) -> str:
    return title if rows <= _MOST_ROWS else f"{title} (the first {_MOST_ROWS} of {rows} rows)"


def _split_charts(study: StudyTables) -> Iterator[Chart]:
    rows = [row for row in study.controls if row.judge == study.headlines[row.instruct.key]]
    several = len(rows) > 1
    marks = {
        part: tuple(
            _at(setting(row.base) if several else part, getattr(row.parts, field)) for row in rows
        )
        for part, field in (
            ("gap", "total"),
            ("model", "model"),
            ("decoding", "decoding"),
            ("interaction", "interaction"),
        )
    }
    series = [
        Series(part, "ours" if part == "gap" else "other", found) for part, found in marks.items()
    ]
    title = f"The gap in parts: {setting(rows[0].base)}" if len(rows) == 1 else "The gap in parts"
    yield from _interval_chart("parts", title, "points; they add up to the gap", series)


def _null_charts(study: StudyTables) -> Iterator[Chart]:
    """Pass@n of every arm and of the null model on the same set."""
    arms = [row for row in study.arms if row.judge == study.headlines[row.cell.key]]
    if not arms or not study.nulls:
        return
    series = [
        Series(
            arm,
            "base" if arm.startswith("base/") else "instruct",
            tuple(_at(setting(row.cell), row.pass_n) for row in arms if row.cell.arm == arm),
        )
        for arm in dict.fromkeys(row.cell.arm for row in arms)
    ]
    solved = {(row.dataset, row.grader, row.answers): row.solved for row in study.nulls}
    graders = {setting(row.cell): study.headlines[row.cell.key].grader for row in arms}
    datasets = {setting(row.cell): row.cell.dataset for row in arms}
    for answers in dict.fromkeys(row.answers for row in study.nulls):
        marks = tuple(
            _at(where, solved[datasets[where], grader, answers])
            for where, grader in graders.items()
            if (datasets[where], grader, answers) in solved
        )
        series.append(Series(f"answering 0 to {answers - 1} unread", "null", marks))
    title = "Pass@n of every arm, and of answering without reading"
    yield from _interval_chart("nulls", title, "per cent of problems solved", series)


def _judge_charts(study: StudyTables) -> Iterator[Chart]:
    groups: dict[tuple[str, str, str], list[AcceptRow]] = {}
    for row in study.accepts:
        groups.setdefault((row.dataset, row.part, row.held), []).append(row)
    for place, ((dataset, part, held), rows) in enumerate(groups.items()):
        labels = tuple(dict.fromkeys(row.accepts for row in rows))
        share = {(r.accepts, r.rejects): 100 * r.count / r.samples for r in rows if r.samples}
        yield MatrixChart(
            name=f"{part}s-{place}",
            title=f"Samples that one {part} accepts and another rejects: {dataset}, with {held}",
            x_axis="rejects",
            y_axis="accepts",
            labels=labels,
            values=tuple(tuple(share.get((a, r), np.nan) for r in labels) for a in labels),
        )


def _drop_charts(study: StudyTables) -> Iterator[Chart]:
    """The drops of the study's own arms, paired and not, and the paper's."""
    gaps = headline_gaps(study)
    own = {cell.arm for row in gaps for cell in (row.base, row.instruct)}
    drops = [row for row in study.drops if row.judge == study.headlines[row.cell.key]]
    sets = [row for row in study.unpaired if row.judge == study.headlines[row.cell.key]]
    series = []
    arms = [row.cell.arm for row in drops] + [row.cell.arm for row in sets]
    for arm in dict.fromkeys(arms):
        if own and arm not in own:
            continue
        mine = [row for row in drops if row.cell.arm == arm]
        labels = [_drop_label(row.cell, sides_name(row.sides)) for row in mine]
        paired = [_at(name, row.drop.change) for name, row in zip(labels, mine, strict=True)]
        unpaired = [_at(name, row.unpaired) for name, row in zip(labels, mine, strict=True)]
        unpaired += [
            _at(_drop_label(row.cell, _sets(row)), row.change)
            for row in sets
            if row.cell.arm == arm
        ]
        role = "base" if arm.startswith("base/") else "instruct"
        series.append(Series(f"{arm}, paired by problem", role, tuple(paired)))
        series.append(Series(f"{arm}, unpaired", role, tuple(unpaired)))
    published = tuple(
        _at(_drop_label(row.cell, _sets(row)), row.published)
        for row in sets
        if not np.isnan(row.published.value)
    )
    series.append(Series("the paper, unpaired", "paper", published))
    title = "Change from original to perturbed problems"
    yield from _interval_chart("drops", title, "points; left of zero the arm solves less", series)


def _drop_label(cell: Cell, sides: str) -> str:
    return f"{cell.family} ({cell.prompt}): {sides}"


def _sets(row: UnpairedRow) -> str:
    level = f", level {row.level}" if row.level else ""
    return f"{row.before}{level} → {row.cell.dataset}, whole sets"


def _scale_charts(study: StudyTables) -> Iterator[Chart]:
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
        marks = tuple(_at(rows[place].family, rows[place].gap) for place in places)
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


def _end_charts(study: StudyTables) -> Iterator[Chart]:
    found = [
        row for row in study.outcomes if row.judge == study.headlines[row.cell.key] and row.samples
    ]
    if not found:
        return
    rows = found[:_MOST_ROWS]
    yield BarChart(
        name="ends",
        title=_cut("Where samples end", len(found)),
        axis="per cent of samples",
        bars=tuple(f"{row.cell.arm}: {setting(row.cell)}" for row in rows),
        parts=tuple(
            Part(name, role, tuple(100 * getattr(row, role) for row in rows))
            for name, role in (
                ("correct", "correct"),
                ("wrong", "wrong"),
                ("no answer", "no_answer"),
                ("truncated", "truncated"),
                ("not judged", "unjudged"),
            )
        ),
    )


def _curve_charts(study: StudyTables) -> Iterator[Chart]:
    """pass@k of the arms of one family, dataset and prompt."""
    groups: dict[str, list[Line]] = {}
    for row in study.curves:
        cell = row.cell
        if row.judge != study.headlines[cell.key] or np.isnan(row.values).all() or cell.n < 2:
            continue
        lines = groups.setdefault(setting(cell), [])
        style = sum(line.role == cell.variant for line in lines)
        ks = tuple(map(float, range(1, cell.n + 1)))
        ys = tuple((100 * row.values).tolist())
        lines.append(Line(cell.arm, cell.variant, style, ks, ys))
    for place, (where, lines) in enumerate(list(groups.items())[:_MOST_CURVES]):
        yield LineChart(
            name=f"curves-{place}",
            title=f"pass@k: {where}",
            x_axis="k samples",
            y_axis="per cent of problems solved",
            lines=tuple(lines),
        )
