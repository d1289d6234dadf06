"""What sampling did, for each cell and for the engines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from distlab.store.cell import Cell, ProblemFailure

# Problems that a sentence names (ours); the manifest has them all.
_NAMED = 3


@dataclass(slots=True)
class CellOutcome:
    """What one cell got.

    Attributes:
        samples: Drawn.
        tokens: New tokens in them.
        computed: New tokens that engines generated for them.
        unshared: Tokens kept per token computed where siblings shared too little to be drawn
            together any more; None where they were, or never are.
        failures: Problems that got no samples.
        error: Why its checkpoint could not be served; None where it could.
    """

    samples: int = 0
    tokens: int = 0
    computed: int = 0
    unshared: float | None = None
    failures: list[ProblemFailure] = field(default_factory=list)
    error: str | None = None

    def joined(self, later: "CellOutcome") -> "CellOutcome":
        """What the cell got by two draws; a problem that failed twice is told once."""
        failures = {f.problem_id: f for f in (*self.failures, *later.failures)}
        return CellOutcome(
            samples=self.samples + later.samples,
            tokens=self.tokens + later.tokens,
            computed=self.computed + later.computed,
            unshared=self.unshared if later.unshared is None else later.unshared,
            failures=list(failures.values()),
            error=later.error or self.error,
        )


@dataclass(slots=True)
class Outcome:
    """What sampling did.

    Attributes:
        cells: Path of each cell in the store to what it got.
        signal: The signal that stopped it, None if it ran to its end.
        starts: Engines that were started; one that was up already is not.
        deaths: Engines that died or hung.
        load_s: Seconds each engine took to load.
        engine_s: Wall seconds from the first engine's being ready to the last sample.
    """

    cells: dict[str, CellOutcome] = field(default_factory=dict)
    signal: int | None = None
    starts: int = 0
    deaths: int = 0
    load_s: list[float] = field(default_factory=list)
    engine_s: float = 0.0

    @property
    def samples(self) -> int:
        """Drawn and committed."""
        return sum(drawn.samples for drawn in self.cells.values())

    @property
    def tokens(self) -> int:
        """New tokens in the samples."""
        return sum(drawn.tokens for drawn in self.cells.values())

    @property
    def computed(self) -> int:
        """New tokens that engines generated for the samples."""
        return sum(drawn.computed for drawn in self.cells.values())

    @property
    def failures(self) -> list[ProblemFailure]:
        """Problems that got no samples."""
        return [failure for drawn in self.cells.values() for failure in drawn.failures]

    @property
    def unserved(self) -> list[str]:
        """Checkpoints that could not be served, one sentence each."""
        return list(dict.fromkeys(d.error for d in self.cells.values() if d.error is not None))

    @property
    def errors(self) -> list[str]:
        """Why samples are missing that the same command would draw: unserved, and set aside."""
        aside = [failure for failure in self.failures if failure.set_aside]
        return self.unserved + ([_missing(aside)] if aside else [])

    def of(self, cells: Iterable[Cell]) -> "Outcome":
        """The part of it that is about some cells; engines are counted as a whole."""
        paths = {cell.path for cell in cells}
        return replace(self, cells={p: drawn for p, drawn in self.cells.items() if p in paths})

    def joined(self, other: "Outcome") -> "Outcome":
        """Both outcomes as one; the later signal counts."""
        later = {
            path: self.cells[path].joined(drawn) if path in self.cells else drawn
            for path, drawn in other.cells.items()
        }
        return Outcome(
            {**self.cells, **later},
            other.signal if other.signal is not None else self.signal,
            self.starts + other.starts,
            self.deaths + other.deaths,
            self.load_s + other.load_s,
            self.engine_s + other.engine_s,
        )


def _missing(aside: Sequence[ProblemFailure]) -> str:
    problems = ", ".join(f"{failure.problem_id} in {failure.cell}" for failure in aside[:_NAMED])
    more = f" and {len(aside) - _NAMED} more" if len(aside) > _NAMED else ""
    s = "s" if len(aside) > 1 else ""
    return (
        f"engines died of {len(aside)} problem{s}, and the samples are missing: {problems}{more}; "
        "the same command draws them again"
    )
