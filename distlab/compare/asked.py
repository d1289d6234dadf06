"""What a person asks to be compared, where two sides hold more than one thing each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from distlab.errors import UserError
from distlab.runs.scored import JudgedRuns, VerdictTable

Choice = tuple[str, ...]
"""A name for both sides, or one for the first and one for the second; none chooses all."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared, and how.

    Attributes:
        choices: "family", "arm", "dataset", "prompt" or "judge" to what was chosen of it.
        margin: Differences of less are none, as a share; None for what the report takes.
    """

    choices: Mapping[str, Choice] = field(default_factory=dict)
    margin: float | None = None


def _judge(table: VerdictTable) -> str:
    return f"{table.extractor}/{table.grader}"


# Name of each part of a comparison, which is that of its option, to what a table is called by it.
PARTS: Final[Mapping[str, Callable[[VerdictTable], str]]] = {
    "family": lambda table: table.cell.family,
    "arm": lambda table: table.cell.arm,
    "dataset": lambda table: table.cell.dataset,
    "prompt": lambda table: table.cell.prompt,
    "judge": _judge,
}


class Sides(NamedTuple):
    """Two studies that are to be compared."""

    first: JudgedRuns
    second: JudgedRuns


def chosen(sides: Sides, asked: Asked) -> Sides:
    """What was chosen of two sides.

    A name that is given once holds for each side that has it; a side that has one of its kind
    needs no choosing.

    Raises:
        UserError: No side has a name, or one that has several has not that one.
    """
    for part, names in asked.choices.items():
        if names:
            sides = Sides(*_narrowed(part, names, sides))
    return sides


def _narrowed(part: str, names: Choice, sides: Sides) -> list[JudgedRuns]:
    found = [_named(part, side) for side in sides]
    if len(names) == 1 and not any(_matching(part, names[0], side) for side in found):
        raise _unknown(part, names[0], sides.first.manifest.run, found[0] + found[1])
    narrowed = []
    for side, known, name in zip(sides, found, names * (2 // len(names)), strict=True):
        kept = _matching(part, name, known)
        if not kept and (len(names) == 2 or len(known) > 1):
            raise _unknown(part, name, side.manifest.run, known)
        narrowed.append(_only(part, kept, side) if kept else side)
    return narrowed


def _named(part: str, side: JudgedRuns) -> list[str]:
    return list(dict.fromkeys(PARTS[part](table) for table in side.tables))


def _matching(part: str, name: str, known: Sequence[str]) -> list[str]:
    """Those of a name; a judge by its grader or its extractor, too, without the tool in front."""
    exact = [each for each in known if each == name]
    if exact or part != "judge":
        return exact
    return [each for each in known if name in _short_names(each)]


def _short_names(judge: str) -> tuple[str, ...]:
    extractor, _, grader = judge.partition("/")
    return extractor, grader, grader.partition(":")[2] or grader


def _only(part: str, names: Sequence[str], side: JudgedRuns) -> JudgedRuns:
    tables = tuple(table for table in side.tables if PARTS[part](table) in names)
    keys = {table.cell.key for table in tables}
    cells = tuple(cell for cell in side.manifest.cells if cell.key in keys)
    return replace(side, tables=tables, manifest=replace(side.manifest, cells=cells))


def _unknown(part: str, name: str, run: str, known: Sequence[str]) -> UserError:
    there = ", ".join(dict.fromkeys(known))
    return UserError(f"--{part} {name} is nothing that {run} has: name one of {there}")
