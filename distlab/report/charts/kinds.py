"""What a chart holds, whoever draws it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from distlab.analysis.estimate import Estimate
from distlab.store.cell import CellVariant
from distlab.tables.numbers import points_range

# Rows of a chart (ours): those after them are in the table alone, and the title says so.
MOST_ROWS: Final = 200
# Panels of a chart (ours).
_MOST_PANELS: Final = 48
# Sizes that are no farther apart than this factor share a tick (ours).
_NEAR: Final = 1.2
# Per cent at which a figure of a matrix has the full colour, in every matrix (ours).
FULL_COLOUR: Final = 25

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
    """Marks on rows by their label, along one axis with a line at zero.

    Attributes:
        is_share: Whether the axis is per cent, from 0 to 100; else it holds what is drawn.
    """

    name: str
    title: str
    axis: str
    series: tuple[Series, ...]
    is_share: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line; ``style`` tells lines of one role apart."""

    name: str
    role: CellVariant
    style: int
    xs: tuple[float, ...]
    ys: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LinePanel:
    """One of a chart's small multiples."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class LineChart:
    """Lines over a numeric axis, in panels of one vertical axis: per cent, from 0 to 100."""

    name: str
    title: str
    x_axis: str
    y_axis: str
    panels: tuple[LinePanel, ...]


@dataclass(frozen=True, slots=True)
class SizePanel:
    """One of a chart's small multiples; each mark stands at ``sizes`` of its series.

    Attributes:
        title: What it is of.
        series: The marks; their labels name the families.
        sizes: One tuple per series, with one size per mark.
    """

    title: str
    series: tuple[Series, ...]
    sizes: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class SizeChart:
    """Intervals over a logarithmic axis, in panels of one vertical axis."""

    name: str
    title: str
    x_axis: str
    y_axis: str
    panels: tuple[SizePanel, ...]


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
        case IntervalChart():
            listed = _marks("", chart.series)
        case SizeChart():
            listed = "; ".join(_marks(f"{panel.title}, ", panel.series) for panel in chart.panels)
        case LineChart():
            listed = "; ".join(
                f"{panel.title}, {line.name}: ends at {line.ys[-1]:.1f}"
                for panel in chart.panels
                for line in panel.lines
            )
        case MatrixChart():
            listed = f"{len(chart.labels)} rows and columns, figures in the table below"
        case BarChart():
            listed = f"{len(chart.bars)} bars, figures in the table below"
    return f"{chart.title}. {listed}."


def lines_of(chart: Chart) -> int:
    """Marks above each other, at least two for a row; 1 where a chart's height is fixed."""
    match chart:
        case IntervalChart():
            rows = len({mark.label for series in chart.series for mark in series.marks})
            return rows * max(2, len(chart.series))
        case BarChart():
            return 2 * len(chart.bars)
        case _:
            return 1


def grid(panels: int) -> tuple[int, int]:
    """Rows and columns in which so many panels stand (ours)."""
    columns = panels if panels <= 2 else 2 if panels <= 4 else 4
    return -(-panels // columns), columns


def size_ticks(panel: SizePanel) -> list[tuple[float, str]]:
    """Where on the axis of sizes each family stands; near ones share a tick, smallest first."""
    named = {
        mark.label: size
        for series, sizes in zip(panel.series, panel.sizes, strict=True)
        for mark, size in zip(series.marks, sizes, strict=True)
    }
    ticks: list[tuple[float, str]] = []
    for label, size in sorted(named.items(), key=lambda item: item[1]):
        if ticks and size <= _NEAR * ticks[-1][0]:
            ticks[-1] = ticks[-1][0], f"{ticks[-1][1]}, {label}"
        else:
            ticks.append((size, label))
    return ticks


def small_multiples(
    arms: Iterable[tuple[str, str, Line]],
) -> Iterator[tuple[str, tuple[LinePanel, ...]]]:
    """Lines by their setting: charts of one dataset and prompt with a panel for each family.

    Of one family, a single chart with a panel for each dataset and prompt; of very many panels
    the first, and the title says so.

    Args:
        arms: Family, dataset with prompt, and the line of each arm.

    Yields:
        What the end of a chart's title is, and its panels.
    """
    lines: dict[tuple[str, str], list[Line]] = {}
    for family, where, line in arms:
        lines.setdefault((family, where), []).append(line)
    is_one = len({family for family, _ in lines}) == 1
    charts: dict[str, list[LinePanel]] = {}
    for (family, where), found in lines.items():
        title, panel = (family, where) if is_one else (where, family)
        charts.setdefault(title, []).append(LinePanel(panel, tuple(found)))
    for title, panels in charts.items():
        more = f" (the first {_MOST_PANELS} of {len(panels)})" if len(panels) > _MOST_PANELS else ""
        yield f"{title}{more}", tuple(panels[:_MOST_PANELS])


def _marks(where: str, series: Sequence[Series]) -> str:
    return "; ".join(
        f"{where}{each.name}, {mark.label}: {_mark(mark)}" for each in series for mark in each.marks
    )


def _mark(mark: Mark) -> str:
    return points_range(Estimate(mark.value / 100, mark.low / 100, mark.high / 100))


def at_label(label: str, estimate: Estimate) -> Mark:
    """A mark with its interval."""
    return Mark(label, 100 * estimate.value, 100 * estimate.low, 100 * estimate.high)


def interval_chart(
    name: str, title: str, axis: str, series: Sequence[Series], is_share: bool = False
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
        shown_series = tuple(each for each in kept if each.marks)
        yield IntervalChart(name, title, axis, shown_series, is_share)


def cut_rows(title: str, rows: int) -> str:
    """A title that says where rows were cut."""
    return title if rows <= MOST_ROWS else f"{title} (the first {MOST_ROWS} of {rows} rows)"
