"""What a chart holds, whoever draws it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from distlab.analysis.estimate import Estimate
from distlab.store.cell import CellVariant
from distlab.tables.numbers import points_range

# Rows of a chart (ours): those after them are in the table alone, and the title says so.
MOST_ROWS: Final = 200


Role = Literal["base", "instruct", "ours", "other", "paper", "null"]
"""What a series of marks is of."""

Ending = Literal["correct", "wrong", "no_answer", "truncated", "unjudged"]
"""Where a sample ends."""


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
        name: What the legend calls it.
        role: What it is, for its colour.
        marks: The marks.
    """

    name: str
    role: Role
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
    role: CellVariant
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
        sizes: One tuple per series, with one size per mark.
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
    """One colour of a stacked bar: one value per bar."""

    name: str
    role: Ending
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


def rows_of(chart: Chart) -> int:
    """Rows that a chart grows with; 1 where its height is fixed."""
    match chart:
        case IntervalChart():
            return len({mark.label for series in chart.series for mark in series.marks})
        case BarChart():
            return len(chart.bars)
        case _:
            return 1


def _mark(mark: Mark) -> str:
    return points_range(Estimate(mark.value / 100, mark.low / 100, mark.high / 100))


def at_label(label: str, estimate: Estimate) -> Mark:
    """A mark with its interval."""
    return Mark(label, 100 * estimate.value, 100 * estimate.low, 100 * estimate.high)


def interval_chart(
    name: str, title: str, axis: str, series: Sequence[Series]
) -> Iterator[IntervalChart]:
    """The chart, if it has a row; of very many rows the first."""
    labels = list(dict.fromkeys(mark.label for each in series for mark in each.marks))
    shown = set(labels[:MOST_ROWS])
    kept = [
        replace(each, marks=tuple(mark for mark in each.marks if mark.label in shown))
        for each in series
    ]
    if labels:
        title = cut_rows(title, len(labels))
        yield IntervalChart(name, title, axis, tuple(each for each in kept if each.marks))


def cut_rows(title: str, rows: int) -> str:
    """A title that says where rows were cut."""
    return title if rows <= MOST_ROWS else f"{title} (the first {MOST_ROWS} of {rows} rows)"
