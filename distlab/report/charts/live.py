"""Charts in; Plotly figures as JSON out, for a page that has plotly.js."""

import html
import textwrap
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from distlab.escape import plain
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
from distlab.report.charts.palette import Look, looks

_SHAPES: Final = ("circle", "square", "diamond", "x", "triangle-up", "star", "cross", "hexagon")
_DASHES: Final = ("solid", "dash", "dot", "dashdot")
# Characters of a row's label on one line (ours): a phone has room for them and for the marks.
_LABEL_WIDTH: Final = 26
# Samples up to which each has a tick.
_FEW_TICKS: Final = 10
# Pixels: of a line of labels, of a mark, around rows, around charts, of charts without rows.
_LINE, _MARK, _PAD, _FRAME, _HEIGHT = 15, 9, 10, 130, 420
# Pixels of a panel, between rows of panels, and between those whose axis has names.
_PANEL, _PANEL_GAP, _NAMES_GAP = 150, 60, 165
# Points of an axis title beside panels.
_PANEL_TITLE: Final = 11
_LEGEND: Final = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "xanchor": "left"}
# Series of one size stand beside each other: each is this much larger than the one before.
_DODGE: Final = 1.12


def figure_json(chart: Chart) -> str:
    """The figure of a chart; labels are escaped here."""
    match chart:
        case IntervalChart():
            figure = _interval_figure(chart)
        case LineChart():
            figure = _line_figure(chart)
        case SizeChart():
            figure = _size_figure(chart)
        case MatrixChart():
            figure = _matrix_figure(chart)
        case BarChart():
            figure = _bar_figure(chart)
    figure.update_layout(
        template="none",
        # The page says the title, and gives text and grid the colours of its theme.
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend=_LEGEND,
    )
    if isinstance(chart, LineChart | SizeChart) and len(chart.panels) > 1:
        # Above the titles of the panels.
        figure.update_layout(margin_t=60, legend_yref="container", legend_yanchor="top")
    figure.update_xaxes(automargin=True, zeroline=False)
    figure.update_yaxes(automargin=True, zeroline=False)
    return str(figure.to_json())


def _text(text: str) -> str:
    """For Plotly, which reads some HTML."""
    return html.escape(plain(text, None))


def _wrapped(text: str) -> str:
    return "<br>".join(
        map(html.escape, textwrap.wrap(plain(text, None), _LABEL_WIDTH, break_on_hyphens=False))
    )


def _axis(labels: Sequence[str], marks: int = 1) -> tuple[dict[str, Any], int]:
    """A vertical axis, one row per label, and its pixels with so many marks per row."""
    shown = [_wrapped(label) for label in labels]
    lines = max(text.count("<br>") + 1 for text in shown)
    axis = {
        "tickmode": "array",
        "tickvals": list(range(len(labels))),
        "ticktext": shown,
        "range": [len(labels) - 0.5, -0.5],
        "showgrid": False,
    }
    return axis, len(labels) * (max(lines * _LINE, marks * _MARK) + _PAD)


def _ends(marks: Sequence[Mark]) -> dict[str, Any]:
    """Error bars; none where a mark has no interval."""
    return {
        "type": "data",
        "symmetric": False,
        "array": np.nan_to_num([mark.high - mark.value for mark in marks]).tolist(),
        "arrayminus": np.nan_to_num([mark.value - mark.low for mark in marks]).tolist(),
    }


def _hover(series: Series) -> list[str]:
    return [
        f"{_text(mark.label)}<br>{_text(series.name)}: {mark.value:+.1f}"
        + ("" if np.isnan(mark.low) else f" [{mark.low:+.1f}, {mark.high:+.1f}]")
        for mark in series.marks
    ]


def _marker(look: Look) -> dict[str, Any]:
    return {"color": look.colour, "symbol": _SHAPES[look.shape % len(_SHAPES)], "size": 9}


def _interval_figure(chart: IntervalChart) -> go.Figure:
    labels = list(dict.fromkeys(m.label for series in chart.series for m in series.marks))
    rows = {label: row for row, label in enumerate(labels)}
    axis, height = _axis(labels, len(chart.series))
    figure = go.Figure()
    styles = looks([series.role for series in chart.series])
    for place, (series, look) in enumerate(zip(chart.series, styles, strict=True)):
        shift = 0.7 * ((place + 0.5) / len(chart.series) - 0.5)
        figure.add_trace(
            go.Scatter(
                x=[mark.value for mark in series.marks],
                y=[rows[mark.label] + shift for mark in series.marks],
                error_x=_ends(series.marks),
                mode="markers",
                marker=_marker(look),
                name=_text(series.name),
                hovertext=_hover(series),
                hoverinfo="text",
            )
        )
    figure.add_vline(x=0, line={"width": 1, "color": "#808080"})
    figure.update_xaxes(title_text=_text(chart.axis), range=[0, 100] if chart.is_share else None)
    figure.update_yaxes(**axis)
    figure.update_layout(height=height + _FRAME, showlegend=len(chart.series) > 1)
    return figure


def _panels(titles: Sequence[str], gap: int) -> go.Figure:
    """Empty panels, with so many pixels between rows of them."""
    rows, columns = grid(len(titles))
    figure = make_subplots(
        rows,
        columns,
        shared_yaxes=True,
        subplot_titles=[_text(title) for title in titles] if len(titles) > 1 else None,
        horizontal_spacing=0.03,
        vertical_spacing=gap / ((_PANEL + gap) * rows),
    )
    figure.update_annotations(font_size=12)
    height = _HEIGHT if len(titles) == 1 else (_PANEL + gap) * rows + _FRAME - gap
    figure.update_layout(height=height)
    return figure


def _put(figure: go.Figure, panels: Sequence[Sequence[go.Scatter]]) -> None:
    """Every trace into its panel, at once: each call of plotly's checks the whole figure."""
    _, columns = grid(len(panels))
    placed = [(place, trace) for place, traces in enumerate(panels) for trace in traces]
    figure.add_traces(
        [trace for _, trace in placed],
        rows=[place // columns + 1 for place, _ in placed],
        cols=[place % columns + 1 for place, _ in placed],
    )
    named: set[str] = set()
    for trace in figure.select_traces():
        # The legend has each name once.
        name = trace["name"]
        trace.update(legendgroup=name, showlegend=name not in named)
        named.add(name)


def _axis_titles(figure: go.Figure, x_axis: str, y_axis: str, panels: int) -> None:
    """Once: below the last row, and beside the first column."""
    rows, columns = grid(panels)
    if panels > 1:
        # No longer than a panel on a phone.
        figure.update_xaxes(title_font_size=_PANEL_TITLE)
        figure.update_yaxes(title_font_size=_PANEL_TITLE)
    for column in range(1, columns + 1):
        last = rows if panels > (rows - 1) * columns + column - 1 else rows - 1
        figure.update_xaxes(title_text=_text(x_axis), row=last, col=column)
    for row in range(1, rows + 1):
        figure.update_yaxes(title_text=_text(y_axis), row=row, col=1)


def _line_figure(chart: LineChart) -> go.Figure:
    figure = _panels([panel.title for panel in chart.panels], _PANEL_GAP)
    _put(figure, [_lines(panel) for panel in chart.panels])
    farthest = max(line.xs[-1] for panel in chart.panels for line in panel.lines)
    figure.update_xaxes(
        dtick=1 if farthest <= _FEW_TICKS else None, nticks=6 if len(chart.panels) == 1 else 4
    )
    # A little more, so that a line at 100 does not run into the panel's title.
    figure.update_yaxes(range=[0, 104], tickvals=list(range(0, 101, 20)))
    _axis_titles(figure, chart.x_axis, chart.y_axis, len(chart.panels))
    return figure


def _lines(panel: LinePanel) -> list[go.Scatter]:
    return [
        go.Scatter(
            x=line.xs,
            y=line.ys,
            mode="lines+markers",
            line={"color": look.colour, "dash": _DASHES[line.style % len(_DASHES)]},
            marker={"symbol": _SHAPES[look.shape % len(_SHAPES)], "size": 5},
            cliponaxis=False,
            name=_text(line.name),
        )
        for line, look in zip(panel.lines, looks([line.role for line in panel.lines]), strict=True)
    ]


def _size_figure(chart: SizeChart) -> go.Figure:
    figure = _panels([panel.title for panel in chart.panels], _NAMES_GAP)
    _put(figure, [_sized(panel) for panel in chart.panels])
    _, columns = grid(len(chart.panels))
    for place, panel in enumerate(chart.panels):
        ticks = size_ticks(panel)
        figure.update_xaxes(
            tickvals=[size for size, _ in ticks],
            ticktext=[_text(name) for _, name in ticks],
            tickangle=-45,
            row=place // columns + 1,
            col=place % columns + 1,
        )
    figure.add_hline(y=0, line={"width": 1, "color": "#808080"})
    figure.update_xaxes(type="log")
    _axis_titles(figure, chart.x_axis, chart.y_axis, len(chart.panels))
    return figure


def _sized(panel: SizePanel) -> list[go.Scatter]:
    styles = looks([series.role for series in panel.series])
    return [
        go.Scatter(
            x=[size * _DODGE**place for size in sizes],
            y=[mark.value for mark in series.marks],
            error_y=_ends(series.marks),
            mode="markers",
            marker=_marker(styles[place]),
            name=_text(series.name),
            hovertext=_hover(series),
            hoverinfo="text",
        )
        for place, (series, sizes) in enumerate(zip(panel.series, panel.sizes, strict=True))
    ]


def _matrix_figure(chart: MatrixChart) -> go.Figure:
    labels = [_wrapped(label) for label in chart.labels]
    values = [[None if np.isnan(value) else value for value in row] for row in chart.values]
    figure = go.Figure(
        go.Heatmap(
            # In a dictionary, since plotly's stubs know of no text in two dimensions.
            {"text": [["" if v is None else f"{v:.1f} %" for v in row] for row in values]},
            x=labels,
            y=labels,
            z=values,
            texttemplate="%{text}",
            colorscale="Blues",
            zmin=0,
            zmax=FULL_COLOUR,
            showscale=False,
            hovertemplate="accepts %{y}, rejects %{x}: %{z:.2f} %<extra></extra>",
        )
    )
    figure.update_xaxes(title_text=_text(chart.x_axis), side="top", showgrid=False)
    figure.update_yaxes(title_text=_text(chart.y_axis), autorange="reversed", showgrid=False)
    figure.update_layout(height=_FRAME + 70 * len(labels))
    return figure


def _bar_figure(chart: BarChart) -> go.Figure:
    axis, height = _axis(chart.bars)
    figure = go.Figure()
    for part, look in zip(chart.parts, looks([part.role for part in chart.parts]), strict=True):
        figure.add_trace(
            go.Bar(
                x=part.values,
                y=list(range(len(chart.bars))),
                orientation="h",
                name=_text(part.name),
                marker={"color": look.colour, "pattern": {"shape": _PATTERNS.get(part.role, "")}},
                hovertemplate=f"{_text(part.name)}: %{{x:.1f}} %<extra></extra>",
            )
        )
    figure.update_xaxes(title_text=_text(chart.axis), range=[0, 100])
    figure.update_yaxes(**axis)
    figure.update_layout(barmode="stack", height=height + _FRAME, legend_traceorder="normal")
    return figure


# So that parts are told apart without colour.
_PATTERNS: Final = {"wrong": "/", "no_answer": ".", "truncated": "x", "unjudged": "-"}
