"""Charts in; pictures out, SVG and PNG, drawn without a browser."""

import io
import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from distlab.escape import plain
from distlab.files import whole
from distlab.report.charts.kinds import (
    FULL_COLOUR,
    BarChart,
    Chart,
    IntervalChart,
    LineChart,
    LinePanel,
    Mark,
    MatrixChart,
    Series,
    SizeChart,
    SizePanel,
    grid,
    size_ticks,
)
from distlab.report.charts.palette import looks

_SHAPES: Final = ("o", "s", "D", "x", "^", "*", "P", "h")
_DASHES: Final = ("-", "--", ":", "-.")
_HATCHES: Final = {"wrong": "//", "no_answer": "..", "truncated": "xx", "unjudged": "--"}
_LABEL_WIDTH: Final = 34
# Text and axes are drawn in this colour, which the page turns into its own text colour.
_INK: Final = "#010203"
_WIDTH: Final = 7.5
_TITLE_WIDTH: Final = 90
# Inches: above panels, below them without their axes, and of a panel; a lone one is larger.
_ABOVE, _BELOW, _PANEL, _LONE_PANEL = 0.7, 0.8, 1.4, 3.0
# Series of one size stand beside each other: each is this much larger than the one before.
_DODGE: Final = 1.12
_DPI: Final = 150
# Share of a row that its bar takes.
_BAR: Final = 0.8
# No date, so that the same chart is the same file.
_NO_METADATA: Final = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_STYLE: Final[dict[Any, Any]] = {
    # Text stays text: it can be read aloud, searched and copied.
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Arial", "sans-serif"],
    "font.size": 9,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,
    "hatch.linewidth": 0.5,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart, drawn.

    Attributes:
        svg: An SVG element whose text and axes have the colour of the text around it.
        png: The same on white.
    """

    svg: str
    png: bytes


def draw(chart: Chart) -> Picture:
    """Draw a chart; the same chart gives the same bytes."""
    vector, raster = io.StringIO(), io.BytesIO()
    with _style(chart), warnings.catch_warnings():
        # A name in a script that the font lacks: the SVG keeps it, for the fonts of the reader.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure = _figure(chart)
        figure.savefig(vector, format="svg", transparent=True, metadata=_NO_METADATA)
        # Laid out once: it takes as long as the drawing.
        figure.set_layout_engine("none")
        figure.savefig(raster, format="png", dpi=_DPI, facecolor="white")
    text = vector.getvalue()
    return Picture(text[text.index("<svg") :].replace(_INK, "currentColor"), raster.getvalue())


def write_pictures(folder: Path, pictures: Mapping[str, Picture]) -> None:
    """Write every picture as NAME.svg and NAME.png; earlier ones go.

    Args:
        folder: Where to; made if absent.
        pictures: By the names of their charts.
    """
    for old in (*folder.glob("*.svg"), *folder.glob("*.png")):
        old.unlink()
    if pictures:
        folder.mkdir(exist_ok=True)
    for name, picture in pictures.items():
        for suffix, content in (("svg", picture.svg.encode()), ("png", picture.png)):
            with whole(folder / f"{name}.{suffix}") as stream:
                stream.write(content)


def _style(chart: Chart) -> AbstractContextManager[None]:
    """Ids of its own for each chart, since a page holds several."""
    return mpl.rc_context({**_STYLE, "svg.hashsalt": chart.name})


def _figure(chart: Chart) -> Figure:
    match chart:
        case IntervalChart():
            figure, axes = _canvas(_rows_height(_labels(chart), len(chart.series)))
            _draw_intervals(axes, chart)
        case LineChart():
            figure = _draw_panels(chart, chart.panels, _draw_lines)
        case SizeChart():
            figure = _draw_panels(chart, chart.panels, _draw_sizes)
        case MatrixChart():
            figure, axes = _canvas(1.4 + 0.6 * len(chart.labels))
            _draw_matrix(axes, chart)
        case BarChart():
            figure, axes = _canvas(_rows_height(chart.bars))
            _draw_bars(axes, chart)
    title = "\n".join(textwrap.wrap(plain(chart.title, None), _TITLE_WIDTH))
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    named = {
        name: handle
        for axes in figure.axes
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    if len(named) > 1:
        is_laid_out = figure.get_layout_engine() is not None
        figure.legend(
            list(named.values()),
            list(named),
            loc="outside lower center" if is_laid_out else "lower center",
            ncols=3,
            frameon=False,
        )
    return figure


_Panel = TypeVar("_Panel", LinePanel, SizePanel)


def _draw_panels(
    chart: LineChart | SizeChart, panels: Sequence[_Panel], draw: Callable[[Axes, _Panel], None]
) -> Figure:
    rows, columns = grid(len(panels))
    # Names below an axis take more room than numbers do. Nothing is measured: with this many axes
    # matplotlib's layout takes longer than the drawing.
    below = 1.0 if isinstance(chart, SizeChart) else 0.5
    tall = _LONE_PANEL if len(panels) == 1 else _PANEL
    height = _ABOVE + _BELOW + rows * (tall + below)
    figure = Figure(figsize=(_WIDTH, height))
    figure.subplots_adjust(
        left=0.1,
        right=0.98,
        top=1 - _ABOVE / height,
        bottom=(_BELOW + below) / height,
        hspace=below / tall,
        wspace=0.12,
    )
    places = figure.subplots(rows, columns, sharey=True, squeeze=False).flat
    for axes, panel in zip(places, panels, strict=False):
        draw(axes, panel)
        if len(panels) > 1:
            # At a height of its own, or the ticks of all axes are measured to find one.
            axes.set_title(plain(panel.title, None), fontsize=8, y=1)
    for axes in places[len(panels) :]:
        axes.set_axis_off()
    figure.supxlabel(plain(chart.x_axis, None), fontsize=9, y=0.55 * _BELOW / height)
    figure.supylabel(plain(chart.y_axis, None), fontsize=9)
    return figure


def _canvas(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def _rows_height(labels: Sequence[str], marks: int = 1) -> float:
    """Inches for one row per label, with so many marks in it."""
    lines = max(marks, *(_wrapped(label).count("\n") + 1 for label in labels))
    return 1.5 + len(labels) * (0.17 * lines + 0.12)


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(plain(text, None), _LABEL_WIDTH, break_on_hyphens=False))


def _labels(chart: IntervalChart) -> list[str]:
    return list(dict.fromkeys(mark.label for series in chart.series for mark in series.marks))


def _ends(marks: Sequence[Mark]) -> list[list[float]]:
    below = np.nan_to_num([mark.value - mark.low for mark in marks])
    above = np.nan_to_num([mark.high - mark.value for mark in marks])
    # A bootstrap interval may lie to one side of its value, by what rounding or chance does.
    return [np.maximum(below, 0).tolist(), np.maximum(above, 0).tolist()]


def _rows(axes: Axes, labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), [_wrapped(label) for label in labels])
    axes.set_ylim(len(labels) - 0.5, -0.5)
    # There is no title to be placed beside all labels, so nothing has to measure them for it.
    axes.yaxis.set_label_coords(0, 0.5)


def _draw_intervals(axes: Axes, chart: IntervalChart) -> None:
    labels = _labels(chart)
    rows = {label: row for row, label in enumerate(labels)}
    styles = looks([series.role for series in chart.series])
    for place, (series, look) in enumerate(zip(chart.series, styles, strict=True)):
        shift = 0.7 * ((place + 0.5) / len(chart.series) - 0.5)
        axes.errorbar(
            [mark.value for mark in series.marks],
            [rows[mark.label] + shift for mark in series.marks],
            xerr=_ends(series.marks),
            fmt=_SHAPES[look.shape % len(_SHAPES)],
            color=look.colour,
            label=plain(series.name, None),
        )
    axes.axvline(0, color="#808080", linewidth=0.8)
    if chart.is_share:
        axes.set_xlim(0, 100)
    axes.set_xlabel(plain(chart.axis, None))
    _rows(axes, labels)


def _draw_lines(axes: Axes, panel: LinePanel) -> None:
    for line, look in zip(panel.lines, looks([line.role for line in panel.lines]), strict=True):
        axes.plot(
            line.xs,
            line.ys,
            color=look.colour,
            linestyle=_DASHES[line.style % len(_DASHES)],
            marker=_SHAPES[look.shape % len(_SHAPES)],
            markersize=3,
            clip_on=False,
            label=plain(line.name, None),
        )
    axes.set_ylim(0, 100)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))


def _draw_sizes(axes: Axes, panel: SizePanel) -> None:
    styles = looks([series.role for series in panel.series])
    for place, (series, sizes) in enumerate(zip(panel.series, panel.sizes, strict=True)):
        look, beside = styles[place], [size * _DODGE**place for size in sizes]
        _draw_size(axes, series, beside, _SHAPES[look.shape % len(_SHAPES)], look.colour)
    axes.axhline(0, color="#808080", linewidth=0.8)
    axes.set_xscale("log")
    ticks = size_ticks(panel)
    names = [plain(name, None) for _, name in ticks]
    axes.set_xticks([size for size, _ in ticks], names, rotation=45, ha="right", fontsize=7)
    axes.xaxis.set_minor_locator(NullLocator())


def _draw_size(axes: Axes, series: Series, sizes: Sequence[float], shape: str, colour: str) -> None:
    axes.errorbar(
        sizes,
        [mark.value for mark in series.marks],
        yerr=_ends(series.marks),
        fmt=shape,
        color=colour,
        label=plain(series.name, None),
    )


def _draw_matrix(axes: Axes, chart: MatrixChart) -> None:
    values = np.array(chart.values)
    axes.imshow(np.nan_to_num(values), cmap="Blues", vmin=0, vmax=FULL_COLOUR)
    for row, column in zip(*np.nonzero(~np.isnan(values)), strict=True):
        shown = f"{values[row, column]:.1f} %"
        colour = "white" if values[row, column] > FULL_COLOUR / 2 else "black"
        axes.text(column, row, shown, ha="center", va="center", color=colour)
    ticks = [_wrapped(label) for label in chart.labels]
    axes.set_xticks(range(len(ticks)), ticks)
    axes.set_yticks(range(len(ticks)), ticks)
    axes.set_xlabel(plain(chart.x_axis, None))
    axes.set_ylabel(plain(chart.y_axis, None))


def _draw_bars(axes: Axes, chart: BarChart) -> None:
    ends = np.cumsum([np.zeros(len(chart.bars)), *(part.values for part in chart.parts)], axis=0)
    styles = looks([part.role for part in chart.parts])
    for part, look, left, right in zip(chart.parts, styles, ends, ends[1:], strict=False):
        # One collection per part: to draw that many bars one by one takes five times as long.
        bars = PolyCollection(
            [_bar(row, *span) for row, span in enumerate(zip(left, right, strict=True))],
            facecolor=look.colour,
            hatch=_HATCHES.get(part.role, ""),
            edgecolor="white",
            label=plain(part.name, None),
        )
        axes.add_collection(bars, autolim=False)
    axes.set_xlim(0, 100)
    axes.set_xlabel(plain(chart.axis, None))
    _rows(axes, chart.bars)


def _bar(row: int, left: float, right: float) -> list[tuple[float, float]]:
    """Corners of a bar."""
    top, bottom = row - _BAR / 2, row + _BAR / 2
    return [(left, top), (right, top), (right, bottom), (left, bottom)]
