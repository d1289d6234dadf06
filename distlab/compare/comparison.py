"""What a comparison is made of. Differences are the other run minus the first."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distlab.analysis.gaps import Gap
from distlab.runs.scored import Judge, JudgedRuns
from distlab.store.cell import Cell


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """Problems that two runs share in one dataset: same id, question and gold.

    Attributes:
        names: Their ids, in the first run's order.
        first: Their rows in the first run's matrices.
        second: Their rows in the second run's.
        clusters: Cluster of each.
        changed: Problems of equal id and another question or gold; they are not shared.
        respelt: Ids of either run alone that differ in spelling only; they are not shared.
    """

    names: tuple[str, ...]
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    clusters: tuple[str, ...]
    changed: int
    respelt: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two runs and what of them goes together.

    Attributes:
        first: The run that others are compared with.
        second: The run that is compared with it.
        cells: Cells of equal arm, dataset and prompt.
        judges: Judges of the first and the second run.
        shared: Dataset to the problems that both have.
    """

    first: JudgedRuns
    second: JudgedRuns
    cells: tuple[tuple[Cell, Cell], ...]
    judges: tuple[tuple[Judge, Judge], ...]
    shared: Mapping[str, Shared]


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting that differs.

    Attributes:
        setting: Its dotted name.
        first: Its value in the first run; "–" where it has none.
        second: Its value in the other run.
    """

    setting: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One cell in both runs, under one judge of each.

    Attributes:
        cell: The cell in the first run.
        other: The cell in the other run.
        judge: The first run's judge.
        by: The other run's judge.
        metric: What is compared: "Pass@20", "pass@1", "one answer".
        gap: Over the problems that both runs have a score for; its ``base`` is the first run and
            its ``instruct`` the other.
        holm: The p of the difference, adjusted over the rows of the table.
    """

    cell: Cell
    other: Cell
    judge: Judge
    by: Judge
    metric: str
    gap: Gap
    holm: float


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A problem, or a sample that both runs hold, whose verdict is another.

    Attributes:
        cell: Key of the cell in the first run.
        other: Key of the cell in the other run.
        judge: The first run's judge.
        by: The other run's judge.
        problem: Its id.
        rank: The sample; -1 where the runs hold different samples and the problem is meant.
        before: The verdict, or how many samples are correct, in the first run.
        after: The same in the other run.
        before_answer: What the first run's extractor read; "" for a problem.
        after_answer: What the other's read.
        gold: The reference answer.
    """

    cell: str
    other: str
    judge: Judge
    by: Judge
    problem: str
    rank: int
    before: str
    after: str
    before_answer: str
    after_answer: str
    gold: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything about two runs.

    Attributes:
        first: Name of the first run.
        second: Name of the other one.
        settings: What differs in the manifests.
        differences: By cell, judges and metric.
        changes: Verdicts that are others, by cell and problem.
        cannot: What cannot be compared, one sentence each.
    """

    first: str
    second: str
    settings: tuple[SettingRow, ...]
    differences: tuple[DifferenceRow, ...]
    changes: tuple[ChangeRow, ...]
    cannot: tuple[str, ...]
