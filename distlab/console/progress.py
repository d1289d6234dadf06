"""What a person sees while a run works: a live table on a terminal, few plain lines elsewhere."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

_PLAIN_EVERY_S = 20.0
_SHOWN_REPLICAS = 12


@dataclass(slots=True)
class CellProgress:
    """Counts of one cell.

    Attributes:
        label: What the row says.
        problems: To do in this run, those in the store included.
        samples: To do in this run, those in the store included.
        done_problems: So far.
        done_samples: So far.
        failed: Problems without samples.
    """

    label: str
    problems: int
    samples: int
    done_problems: int = 0
    done_samples: int = 0
    failed: int = 0


@dataclass(slots=True)
class ReplicaProgress:
    """How one engine is doing.

    Attributes:
        model: Its checkpoint.
        state: What it does.
        nodes: Host names.
        leases: Requests it holds.
        running: Requests in its batch.
        waiting: Requests that wait for room in it.
        restarts: Engines that died in its place.
        tokens_per_s: New tokens per second since it was last asked.
    """

    model: str
    state: Literal["loading", "sampling"] = "loading"
    nodes: tuple[str, ...] = ()
    leases: int = 0
    running: int = 0
    waiting: int = 0
    restarts: int = 0
    tokens_per_s: float = 0.0
    _told: tuple[float, int] | None = None

    def told(self, now: float, tokens: int) -> None:
        """Take its count of new tokens at a monotonic time."""
        if self._told is not None and now > self._told[0]:
            self.tokens_per_s = (tokens - self._told[1]) / (now - self._told[0])
        self._told = (now, tokens)


class ProgressView(Protocol):
    """Shows the state; told by the run, never asking."""

    def refresh(self, state: "State") -> None:
        """Something changed."""
        ...

    def say(self, line: str) -> None:
        """A line that stays."""
        ...


@dataclass(slots=True)
class State:
    """All that the view shows.

    Attributes:
        stage: What is going on, as a phrase.
        detail: How far it is, where no rate is known.
        cells: By the cell's path in the store, in the order of the tables.
        replicas: Engines that are up or loading, by name.
        tokens: New tokens drawn since ``sampling_since``.
        drawn: Samples drawn since ``sampling_since``.
        sampling_since: Monotonic time at which the first engine was ready, None before.
    """

    stage: str = "starting"
    detail: str = ""
    cells: dict[str, CellProgress] = field(default_factory=dict)
    replicas: dict[str, ReplicaProgress] = field(default_factory=dict)
    tokens: int = 0
    drawn: int = 0
    sampling_since: float | None = None

    def moved(self, cell: str, done: int, spared: int) -> None:
        """Keep a cell's row right where problems stop once they are solved.

        Args:
            cell: Path of the cell.
            done: Problems that are done now and were not, or the other way round.
            spared: Samples that are not needed any more.
        """
        row = self.cells[cell]
        row.done_problems += done
        row.samples -= spared

    @property
    def tokens_per_s(self) -> float:
        """New tokens per second since the first engine was ready; 0 before."""
        return self.tokens / self._elapsed if self._elapsed else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds left at the present rate of samples; None while unknown."""
        missing = sum(c.samples - c.done_samples for c in self.cells.values())
        return missing * self._elapsed / self.drawn if self.drawn and self._elapsed else None

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self.sampling_since if self.sampling_since else 0.0


class LiveView:
    """A table that redraws itself twice a second."""

    def __init__(self, console: Console, state: State) -> None:
        self._state = state
        # rich would catch what Ray prints through Python's streams and show it above the table.
        self._live = Live(
            console=console,
            refresh_per_second=2,
            get_renderable=self._render,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def refresh(self, state: State) -> None:
        """Nothing to do: the live table reads the state by itself."""

    def say(self, line: str) -> None:
        """Print above the table."""
        self._live.console.print(line, highlight=False, markup=False)

    def _render(self) -> RenderableType:
        parts: list[RenderableType] = [Text(_headline(self._state), style="bold"), self._cells()]
        if self._state.replicas:
            parts += [Text(""), _replicas(self._state.replicas)]
        return Group(*parts)

    def _cells(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("arm · dataset · prompt", "problems", "samples", ""):
            table.add_column(name, justify="left" if not name or "arm" in name else "right")
        for cell in self._state.cells.values():
            failed = f"{cell.failed} failed" if cell.failed else ""
            table.add_row(
                cell.label,
                f"{cell.done_problems}/{cell.problems}",
                f"{cell.done_samples}/{cell.samples}",
                Text(failed, style="red"),
            )
        return table

    @contextmanager
    def running(self) -> Iterator["LiveView"]:
        """Draw while the block runs; the table vanishes at its end."""
        with self._live:
            yield self


def _replicas(replicas: Mapping[str, ReplicaProgress]) -> Table:
    """A row per engine; of many the first, and the others in one."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("engine")
    for name in ("state", "leases", "running", "waiting", "tokens/s", "restarts"):
        table.add_column(name, justify="left" if name == "state" else "right")
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
        str(sum(row.leases for row in rows)),
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
        self.say(_headline(state))

    def say(self, line: str) -> None:
        """Print at once."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def running(self) -> Iterator["PlainView"]:
        """For symmetry with the live view."""
        yield self


def make_progress_view(console: Console, state: State) -> LiveView | PlainView:
    """Live where the console is a terminal."""
    return LiveView(console, state) if console.is_terminal else PlainView(console)


def _headline(state: State) -> str:
    if state.sampling_since is None or not state.drawn:
        return " · ".join(part for part in (state.stage, state.detail) if part)
    done = sum(c.done_samples for c in state.cells.values())
    total = sum(c.samples for c in state.cells.values())
    parts = [state.stage, f"{done}/{total} samples", f"{state.tokens_per_s:.0f} tokens/s"]
    if len(up := [row for row in state.replicas.values() if row.state == "sampling"]) > 1:
        parts.append(f"{len(up)} engines")
    if (left := state.left_s) is not None and done < total:
        parts.append(f"about {format_seconds(left)} left")
    return " · ".join(parts)


def format_seconds(seconds: float) -> str:
    """Seconds for people: "42 s", "3 min 5 s", "2 h 10 min"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
