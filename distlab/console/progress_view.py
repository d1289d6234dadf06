"""Shows how far a run is: a live table on a terminal, few plain lines elsewhere."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from distlab.console.progress import (
    CellProgress,
    ReplicaProgress,
    State,
    format_rate,
    format_seconds,
)

_PLAIN_EVERY_S = 20.0
_SHOWN_REPLICAS = 12
# Characters below which a terminal has no room for bars, and for rates (ours).
_WITH_BARS, _WITH_RATES = 90, 70
_BAR_WIDTH = 20
# Lines of a terminal that are left to what is not a cell.
_OTHER_LINES = 6


class _Resized(Live):
    """A live display that leaves nothing behind where a narrower terminal wraps its lines."""

    _width: int | None = None

    def refresh(self) -> None:
        """Redraw; after a change of width the lines drawn last are counted as they stand now."""
        with self._lock:
            width, shape = self.console.width, self._live_render._shape
            if shape is not None and self._width not in (None, width):
                self._live_render._shape = (width, shape[1] * max(1, math.ceil(shape[0] / width)))
            self._width = width
            super().refresh()


class LiveView:
    """A table that redraws itself four times a second."""

    def __init__(self, console: Console, state: State) -> None:
        self._state = state
        self._console, self._spinner = console, Spinner("dots")
        # rich would catch what Ray prints through Python's streams and show it above the table.
        self._live = _Resized(
            console=console,
            refresh_per_second=4,
            get_renderable=self._render,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def refresh(self, state: State) -> None:
        """Nothing to do: the live table reads the state by itself."""

    def say(self, line: str) -> None:
        """Print above the table."""
        self._console.print(line, highlight=False, markup=False)

    def _render(self) -> RenderableType:
        now, console = time.monotonic(), self._console
        self._spinner.update(text=Text(_headline(self._state, now), style="bold"))
        parts: list[RenderableType] = [self._spinner]
        if self._state.cells:
            room = max(1, console.height - _OTHER_LINES)
            parts.append(_cells(list(self._state.cells.values()), now, console.width, room))
        replicas = self._state.replicas
        if len(replicas) > 1 or any(row.restarts for row in replicas.values()):
            parts.append(_replicas(replicas))
        return Group(*parts)

    @contextmanager
    def running(self) -> Iterator["LiveView"]:
        """Draw while the block runs; the table vanishes at its end."""
        with self._live:
            yield self


def _cells(rows: Sequence[CellProgress], now: float, width: int, room: int) -> RenderableType:
    """A line per cell; of more than there is room for, those under way first."""
    order = sorted(rows, key=lambda row: (row.began is None, row.share >= 1))
    shown = list(rows) if len(rows) <= room else order[:room]
    cells = [_cell(row, now, width) for row in shown]
    figures = [max(cell_len(str(cell[place])) for cell in cells) for place in range(2, 6)]
    bar = _BAR_WIDTH if width >= _WITH_BARS else 0
    fixed = sum(figures) + bar + 6
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(
        no_wrap=True, overflow="ellipsis", width=_label_width(shown, max(8, width - fixed - 1))
    )
    table.add_column(width=bar)
    for figure in figures:
        table.add_column(justify="right", no_wrap=True, width=figure)
    for cell in cells:
        table.add_row(*cell)
    if len(rows) <= room:
        return table
    others = order[room:]
    return Group(table, f"{len(others)} more, {sum(row.share >= 1 for row in others)} done")


def _label_width(rows: Sequence[CellProgress], most: int) -> int:
    return min(most, max(cell_len(row.label) for row in rows))


def _cell(row: CellProgress, now: float, width: int) -> tuple[RenderableType, ...]:
    """Label, bar, per cent, rate, time since the first token, and time left."""
    bar = ProgressBar(total=max(1, row.samples), completed=row.done_samples, width=_BAR_WIDTH)
    began, rate = row.began, ""
    if began is not None and width >= _WITH_RATES:
        rate = f"{format_rate(row.tokens_per_s(now))} tok/s"
    elapsed = "" if began is None or row.share >= 1 else _clock(now - began)
    left = f"{row.failed} failed" if row.failed else _left(row.left_s(now), row.is_bound)
    if row.share >= 1:
        left = f"{row.failed} failed" if row.failed else "done"
    style = "red" if row.failed else ""
    return (
        Text(row.label),
        bar if width >= _WITH_BARS else "",
        f"{100 * row.share:.0f} %",
        rate,
        elapsed,
        Text(left, style=style),
    )


def _clock(seconds: float) -> str:
    """As in "1:05" or "2:10:00"."""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _left(seconds: float | None, is_bound: bool) -> str:
    if seconds is None:
        return ""
    return f"{'≤ ' if is_bound else ''}{_clock(seconds)} left"


def _replicas(replicas: Mapping[str, ReplicaProgress]) -> Table:
    """A row per engine; of many the first, and the others in one."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("engine", overflow="ellipsis", no_wrap=True)
    for name in ("state", "problems", "running", "waiting", "tokens/s", "restarts"):
        table.add_column(name, justify="left" if name == "state" else "right", no_wrap=True)
    shown = list(replicas.items())[:_SHOWN_REPLICAS]
    for name, row in shown:
        where = f" on {row.nodes[0]}" if row.nodes else ""
        more = f" and {len(row.nodes) - 1} more" if len(row.nodes) > 1 else ""
        table.add_row(Text(f"{name} {row.model}{where}{more}"), row.state, *_numbers([row]))
    if others := list(replicas.values())[_SHOWN_REPLICAS:]:
        table.add_row(f"{len(others)} more", "", *_numbers(others))
    return table


def _numbers(rows: Sequence[ReplicaProgress]) -> tuple[str, ...]:
    return (
        str(sum(row.problems for row in rows)),
        str(sum(row.running for row in rows)),
        str(sum(row.waiting for row in rows)),
        f"{sum(row.tokens_per_s for row in rows):.0f}",
        str(sum(row.restarts for row in rows)),
    )


class PlainView:
    """Lines for logs: one at a change of stage, one every twenty seconds of sampling."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stage = ""
        self._last = time.monotonic()

    def refresh(self, state: State) -> None:
        """Print if the stage changed or the last line is old."""
        now = time.monotonic()
        if state.stage == self._stage and now - self._last < _PLAIN_EVERY_S:
            return
        self._stage, self._last = state.stage, now
        self.say(_progress(state))

    def say(self, line: str) -> None:
        """Print at once."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def running(self) -> Iterator["PlainView"]:
        """For symmetry with the live view."""
        yield self


def make_progress_view(console: Console, state: State) -> LiveView | PlainView:
    """Live where the console is a terminal that can move its cursor."""
    is_live = console.is_terminal and not console.is_dumb_terminal
    return LiveView(console, state) if is_live else PlainView(console)


def _headline(state: State, now: float) -> str:
    """The stage with how long it has taken, or how far sampling is."""
    if state.sampling_since is not None and state.tokens_per_s:
        return _progress(state)
    return f"{_progress(state)} · {_clock(now - state.stage_since)}"


def _progress(state: State) -> str:
    rate = state.tokens_per_s
    if state.sampling_since is None or not rate:
        return " · ".join(part for part in (state.stage, state.detail) if part)
    done = sum(c.done_samples for c in state.cells.values())
    total = sum(c.samples for c in state.cells.values())
    parts = [state.stage, f"{done}/{total} samples", f"{format_rate(rate)} tokens/s"]
    if len(up := [row for row in state.replicas.values() if row.state == "sampling"]) > 1:
        parts.append(f"{len(up)} engines")
    if (left := state.left_s) is not None and done < total:
        parts.append(f"{'at most' if state.is_bound else 'about'} {format_seconds(left)} left")
    return " · ".join(parts)
