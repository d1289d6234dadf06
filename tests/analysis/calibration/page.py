"""The tables of docs/calibration.md, line by line."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.analysis.calibration.nulls import Null, nulls
from tests.analysis.calibration.rates import PROBLEMS, Rate, most_allowed

_FILE: Final = Path(__file__).parents[3] / "docs" / "calibration.md"
_RATES: Final = ("<!-- rates: begin -->\n", "<!-- rates: end -->\n")
_CLAIMED: Final = ("<!-- claimed: begin -->\n", "<!-- claimed: end -->\n")
_TITLES: Final = (
    *("claim", "false answer", "null hypothesis", "shared sources"),
    *(f"n = {size}" for size in PROBLEMS),
    *("highest", "allowed", "studies"),
)
# Columns that say what a row is of; the rest are figures.
_NAMES: Final = 4

Row = tuple[str, ...]


@dataclass
class Page:
    """The page's text, and the rows of its table of rates by what they are of."""

    rows: dict[Row, Row]

    @classmethod
    def read(cls) -> "Page":
        """The page as it is."""
        _, lines, _ = _parts(_FILE.read_text(encoding="utf-8"), _RATES)
        cells = [tuple(part.strip() for part in line[1:-2].split("|")) for line in lines[2:]]
        return cls({row[:_NAMES]: row for row in cells})

    def put(self, rows: Iterable[Row]) -> None:
        """Write rows of a null hypothesis in the place of those that were there."""
        self.rows |= {row[:_NAMES]: row for row in rows}
        names = [name for null in nulls() for name in _names(null)]
        kept = [self.rows[name] for name in names if name in self.rows]
        numbers = len(_TITLES) - _NAMES
        rule = f"|{' --- |' * _NAMES}{' ---: |' * numbers}\n"
        _replace(_RATES, [_line(_TITLES), rule, *map(_line, kept)])

    def claim(self, lines: Iterable[str]) -> None:
        """Write the table of what was claimed."""
        _replace(_CLAIMED, list(lines))


def measured(page: Page, null: Null, studies: int) -> bool:
    """Whether the page has a null hypothesis with so many studies per cell."""
    rows = [page.rows.get(name) for name in _names(null)]
    return all(row is not None and int(row[-1]) >= studies for row in rows)


def rows_of(null: Null, rates: Sequence[Rate]) -> Iterator[Row]:
    """What a null hypothesis came to, with and without shared sources."""
    for shared, names in zip((False, True), _names(null), strict=True):
        here = [rate for rate in rates if rate.design.shared == shared]
        studies = here[0].studies
        pooled = [_pooled([r for r in here if r.design.problems == size]) for size in PROBLEMS]
        highest = 100 * max(rate.false for rate in here) / studies
        allowed = 100 * most_allowed(studies) / studies
        figures = [f"{figure:.1f}" for figure in (*pooled, highest, allowed)]
        yield (*names, *figures, str(studies))


def _pooled(rates: Sequence[Rate]) -> float:
    return 100 * sum(rate.false for rate in rates) / sum(rate.studies for rate in rates)


def _names(null: Null) -> tuple[Row, Row]:
    first = (str(null.kind), str(null.false), null.what)
    return (*first, "no"), (*first, "yes")


def _line(row: Row) -> str:
    return f"| {' | '.join(row)} |\n"


def _parts(text: str, marks: tuple[str, str]) -> tuple[str, list[str], str]:
    before, rest = text.split(marks[0])
    table, after = rest.split(marks[1])
    return before + marks[0], table.splitlines(keepends=True), marks[1] + after


def _replace(marks: tuple[str, str], lines: Sequence[str]) -> None:
    before, _, after = _parts(_FILE.read_text(encoding="utf-8"), marks)
    _FILE.write_text("".join((before, *lines, after)), encoding="utf-8")
