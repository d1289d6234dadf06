"""How far a run is: what a person is shown of it while it works."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

# New tokens per second below which an engine without a whole sample is warming up (ours).
_WARM_TOKENS_PER_S: Final = 1.0


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
        max_tokens: Most new tokens of a sample.
        drawn: Samples that this run drew.
        tokens: New tokens of these.
        made: New tokens so far, those of samples under way included, as far as engines tell.
        began: Monotonic time of its first token in this run, None before.
    """

    label: str
    problems: int
    samples: int
    done_problems: int = 0
    done_samples: int = 0
    failed: int = 0
    max_tokens: int = 0
    drawn: int = 0
    tokens: int = 0
    made: float = 0.0
    began: float | None = None

    def advance(self, now: float, tokens: float) -> None:
        """Take tokens that were made by a monotonic time."""
        if tokens > 0:
            self.began = now if self.began is None else self.began
            self.made += tokens

    def finish(self, now: float, samples: int, tokens: int, problems: int) -> None:
        """Take samples and problems that are committed."""
        self.began = now if self.began is None else self.began
        self.done_samples += samples
        self.done_problems += problems
        self.drawn += samples
        self.tokens += tokens
        self.made = max(self.made, self.tokens)

    @property
    def share(self) -> float:
        """Of its samples, those that are done."""
        return self.done_samples / self.samples if self.samples else 1.0

    @property
    def is_bound(self) -> bool:
        """Whether the tokens to come are only bounded, since no sample is whole yet."""
        return not self.drawn

    @property
    def ahead(self) -> float:
        """New tokens to come; at most so many where ``is_bound``."""
        length = self.tokens / self.drawn if self.drawn else self.max_tokens
        missing = (self.samples - self.done_samples) * length
        return max(0.0, missing - (self.made - self.tokens))

    def tokens_per_s(self, now: float) -> float:
        """New tokens per second since the first."""
        return self.made / (now - self.began) if self.began is not None and now > self.began else 0

    def left_s(self, now: float) -> float | None:
        """Seconds left at the present rate; None before the first token and while it warms up."""
        return _left_s(self.ahead, self.tokens_per_s(now), self.is_bound)


@dataclass(slots=True)
class ReplicaProgress:
    """How one engine is doing.

    Attributes:
        model: Its checkpoint.
        state: What it does.
        nodes: Host names.
        problems: Problems it holds.
        running: Requests in its batch.
        waiting: Requests that wait for room in it.
        restarts: Engines that died in its place.
        tokens_per_s: New tokens per second since it was last asked.
    """

    model: str
    state: Literal["loading", "sampling"] = "loading"
    nodes: tuple[str, ...] = ()
    problems: int = 0
    running: int = 0
    waiting: int = 0
    restarts: int = 0
    tokens_per_s: float = 0.0
    _told: tuple[float, int] | None = None

    def told(self, now: float, tokens: int) -> int:
        """Take its count of new tokens at a monotonic time; returns those since the last count."""
        before, self._told = self._told, (now, tokens)
        if before is None:
            return 0
        if now > before[0]:
            self.tokens_per_s = (tokens - before[1]) / (now - before[0])
        return tokens - before[1]


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
        stage_since: Monotonic time at which that began.
        detail: How far it is, where no rate is known.
        cells: By the cell's path in the store, in the order of the tables.
        replicas: Engines that are up or loading, by name.
        sampling_since: Monotonic time at which the first engine was ready, None before.
    """

    stage: str = "starting"
    stage_since: float = field(default_factory=time.monotonic)
    detail: str = ""
    cells: dict[str, CellProgress] = field(default_factory=dict)
    replicas: dict[str, ReplicaProgress] = field(default_factory=dict)
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

    def enter(self, stage: str) -> None:
        """Something else goes on now, as a phrase."""
        if stage != self.stage:
            self.stage, self.stage_since = stage, time.monotonic()

    def share_out(self, now: float, tokens: float, problems: Mapping[str, int]) -> None:
        """Credit an engine's new tokens to the cells that it works on.

        Args:
            now: Monotonic time.
            tokens: New tokens since it was last asked.
            problems: Path of each cell to the problems of it that the engine holds.
        """
        held = sum(problems.values())
        for path, count in problems.items():
            if (row := self.cells.get(path)) is not None:
                row.advance(now, tokens * count / held)

    @property
    def tokens_per_s(self) -> float:
        """New tokens per second in the cells under way, since the first; 0 before."""
        open_rows = [row for row in self.cells.values() if row.began is not None and row.share < 1]
        began = min((row.began for row in open_rows if row.began is not None), default=None)
        elapsed = 0.0 if began is None else time.monotonic() - began
        return sum(row.made for row in open_rows) / elapsed if elapsed else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds left at the present rate of tokens; None before the first and in the warm-up."""
        ahead = sum(row.ahead for row in self.cells.values())
        return _left_s(ahead, self.tokens_per_s, self.is_bound)

    @property
    def is_bound(self) -> bool:
        """Whether ``left_s`` is only a bound, since a cell with samples to come has none yet."""
        return any(row.is_bound and row.share < 1 for row in self.cells.values())


def _left_s(ahead: float, rate: float, is_bound: bool) -> float | None:
    """No bound follows from an engine that still compiles between its first tokens."""
    return None if not rate or (is_bound and rate < _WARM_TOKENS_PER_S) else ahead / rate


def format_rate(tokens_per_s: float) -> str:
    """A rate for people, never 0 where tokens came: "130", "4.2", "< 0.1"."""
    if 0 < tokens_per_s < 0.1:
        return "< 0.1"
    return f"{tokens_per_s:.0f}" if tokens_per_s >= 10 else f"{tokens_per_s:.1f}"


def format_seconds(seconds: float) -> str:
    """Seconds for people: "42 s", "3 min 5 s", "2 h 10 min"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
