"""Side: a run or a log of another tool, ready to be compared."""

import tarfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from distlab.compare.logged import LOGGED, logged_answers, logged_study
from distlab.errors import UserError
from distlab.logs.formats import AUTO, read_log
from distlab.runs.folder import RunFolder
from distlab.runs.scored import JudgedRuns, SampleKey
from distlab.runs.verdicts import read_answers, read_study

Answers = Callable[[Collection[SampleKey]], Mapping[SampleKey, str]]
"""What was read off some samples, each cut to what a table shows."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of two things that are compared.

    Attributes:
        study: Its cells with their verdicts.
        answers: Reads answers.
    """

    study: JudgedRuns
    answers: Answers

    @property
    def is_log(self) -> bool:
        """Whether another tool wrote it, so that its verdicts are that tool's."""
        return is_log(self.study)


def is_log(study: JudgedRuns) -> bool:
    """Whether a study is a log of another tool."""
    return any(cell.variant == LOGGED for cell in study.manifest.cells)


def read_sides(places: Sequence[Path]) -> tuple[Side, ...]:
    """Read run folders or logs, each under a name of its own.

    Raises:
        UserError: One is neither, or has no verdicts.
    """
    return tuple(map(read_side, places, _names(places)))


def _names(places: Sequence[Path]) -> list[str]:
    """The ends of the paths, as long as tells them apart: tools name logs of two models alike."""
    paths = [place.resolve().parts for place in places]
    depth = 1
    while len({path[-depth:] for path in paths}) < len(set(paths)):
        depth += 1
    return ["/".join(path[-depth:]) for path in paths]


def read_side(place: Path, name: str, tool: str = AUTO) -> Side:
    """Read a run folder, or a log.

    Args:
        place: The folder, or the file.
        name: What the comparison calls it.
        tool: Whose log a file is; "auto" tells by what it holds.

    Raises:
        UserError: It is neither, or has no verdicts.
    """
    if not place.is_file():
        return _run(place, name)
    if tarfile.is_tarfile(place):
        raise UserError(f"{place} is an archive: unpack it with tar -xf, and name the folder in it")
    log = read_log(place, tool)
    return Side(logged_study(place, log, name), lambda wanted: logged_answers(log, wanted))


def _run(place: Path, name: str) -> Side:
    study = read_study([place])
    folder = RunFolder(place)
    if not (study.tables and folder.is_scored):
        raise folder.unscored(study.manifest)
    # Copies of a run, scored apart, have one name inside.
    named = replace(study, manifest=replace(study.manifest, run=name))
    return Side(named, lambda wanted: read_answers([place], wanted))
