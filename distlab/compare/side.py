"""Side: a run or a log of another tool, ready to be compared."""

import tarfile
from collections.abc import Callable, Collection, Mapping
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


def read_side(place: Path, tool: str = AUTO) -> Side:
    """Read a run folder, or a log.

    Args:
        place: The folder, or the file.
        tool: Whose log a file is; "auto" tells by what it holds.

    Raises:
        UserError: It is neither, or has no verdicts.
    """
    if not place.is_file():
        return _run(place)
    if tarfile.is_tarfile(place):
        raise UserError(f"{place} is an archive: unpack it with tar -xf, and name the folder in it")
    log = read_log(place, tool)
    return Side(logged_study(place, log), lambda wanted: logged_answers(log, wanted))


def _run(place: Path) -> Side:
    study = read_study([place])
    folder = RunFolder(place)
    if not (study.tables and folder.is_scored):
        raise folder.unscored(study.manifest)
    # Copies of a run, scored apart, have one name inside.
    named = replace(study, manifest=replace(study.manifest, run=place.resolve().name))
    return Side(named, lambda wanted: read_answers([place], wanted))
