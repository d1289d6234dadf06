"""Rows, measurements and results of the suite; knows nothing of what is measured."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from distlab.versions import vllm_version

RESULTS = Path(__file__).parent / "results" / "latest.json"
PAIRS = 5
_PACKAGES = ("ray", "torch", "transformers", "pyarrow", "math-verify")


class RowFailed(Exception):
    """A row could not be measured; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on a row's figure: at least, or at most."""

    bound: float
    at_least: bool

    def is_met(self, figure: float) -> bool:
        return figure >= self.bound if self.at_least else figure <= self.bound

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.bound:,g}"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a row gave.

    Attributes:
        ours: One value a pair, in the row's unit.
        theirs: The same for the peer; empty where a row has none and its figure is ours.
        notes: What else the reader needs: sizes, memory, shares of the time.
    """

    ours: Sequence[float]
    theirs: Sequence[float] = ()
    notes: Sequence[str] = ()

    @property
    def figures(self) -> list[float]:
        """Ratio of each pair, or our values where there is no peer."""
        if not self.theirs:
            return list(self.ours)
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        name: On the command line.
        what: What is measured, its unit included.
        beside: The peer, or "-".
        goal: Of the ratio, or of our value where there is no peer.
        measure: Measures so many pairs.
        pairs: How many where nobody says: fewer in a dear row whose figures lie close together,
            or far from the goal.
    """

    name: str
    what: str
    beside: str
    goal: Goal
    measure: Callable[[int], Measured]
    pairs: int = PAIRS


@dataclass(slots=True)
class Result:
    """A row's line in the results file."""

    name: str
    what: str
    beside: str
    goal: str
    date: str
    seconds: float = 0.0
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    median: float | None = None
    lowest: float | None = None
    highest: float | None = None
    met: bool = False
    notes: list[str] = field(default_factory=list)
    error: str = ""
    machine: dict[str, str | int | float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


def run(row: Row, pairs: int | None = None) -> Result:
    """Measure a row, in its own number of pairs where none is given; what goes wrong is told."""
    result = Result(row.name, row.what, row.beside, str(row.goal), _now())
    result.machine, result.versions = machine(), _versions()
    began = time.monotonic()
    try:
        measured = row.measure(row.pairs if pairs is None else pairs)
        figures = measured.figures
        result.ours, result.theirs = list(measured.ours), list(measured.theirs)
        result.notes = list(measured.notes)
        result.median = statistics.median(figures)
        result.lowest, result.highest = min(figures), max(figures)
        result.met = row.goal.is_met(result.median)
    except Exception as error:
        # One row must not end the suite; the table and the exit status say that it failed.
        result.error = f"{type(error).__name__}: {error}"
    result.seconds = round(time.monotonic() - began, 1)
    return result


def alternate(
    ours: Callable[[int], float], theirs: Callable[[int], float], pairs: int
) -> tuple[list[float], list[float]]:
    """Measure both sides back to back, each first in every other pair, so that drift cancels."""
    mine, other = [], []
    for pair in range(pairs):
        if pair % 2 == 0:
            mine.append(ours(pair))
            other.append(theirs(pair))
        else:
            other.append(theirs(pair))
            mine.append(ours(pair))
    return mine, other


def save(result: Result) -> None:
    """Put a row into the results file; rows that were not run again stay as they are.

    Each row keeps the machine, the versions and the date that it was measured with.
    """
    rows = load()["rows"] if RESULTS.exists() else {}
    rows[result.name] = asdict(result)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"rows": rows}, indent=1) + "\n")


def load() -> dict:
    return json.loads(RESULTS.read_text())


def machine() -> dict[str, str | int | float]:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": next(names, platform.processor()),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.system(),
    }


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), "vllm": vllm_version(), **packages}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
