"""What a comparison is made of. Differences are the other side minus the first."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distlab.analysis.claims import Answer
from distlab.analysis.gaps import Gap
from distlab.runs.scored import Judge, JudgedRuns
from distlab.store.cell import Cell


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """Problems of a dataset on either side that are the same ones.

    Attributes:
        names: Their ids, in the first side's order.
        first: Their rows in the first side's matrices.
        second: Their rows in the second side's.
        clusters: Cluster of each.
        by_id: How many have the same id.
        unasked: How many of these a side tells no question of, so that the id alone is the same.
        alone: Problems of the first and of the second side without a counterpart.
        clashing: Problems of the same id whose questions differ: they are no counterparts.
        regolded: Counterparts that are left out, since their golds are not equal: id, the first
            side's gold and the second's.
        respelt: Ids of either side alone that differ in spelling only.
    """

    names: tuple[str, ...]
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    clusters: tuple[str, ...]
    by_id: int
    unasked: int
    alone: tuple[int, int]
    clashing: int
    regolded: tuple[tuple[str, str, str], ...]
    respelt: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two sides and what of them goes together.

    Attributes:
        first: What others are compared with.
        second: What is compared with it.
        cells: Cells of equal labels.
        judges: Judges of the first and the second side.
        shared: Dataset of the first and of the second side to the problems that both have.
    """

    first: JudgedRuns
    second: JudgedRuns
    cells: tuple[tuple[Cell, Cell], ...]
    judges: tuple[tuple[Judge, Judge], ...]
    shared: Mapping[tuple[str, str], Shared]

    def problems(self, first: Cell, second: Cell) -> Shared:
        """The problems that two cells share."""
        return self.shared[first.dataset, second.dataset]


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
        margin: Difference that is none, as a share.
        within: The p of "the difference is ``margin`` or more either way".
        detectable: Smallest true difference that this many problems show with 80 % power, at 5 %.
        answer: Whether they differ, over all rows of the table: yes, no (equal within the margin)
            or cannot tell.
        holm: The p of the difference, adjusted over all tests of the table.
    """

    cell: Cell
    other: Cell
    judge: Judge
    by: Judge
    metric: str
    gap: Gap
    margin: float
    within: float
    detectable: float
    answer: Answer
    holm: float

    @property
    def said(self) -> str:
        """What may be said, as in "B higher"."""
        if self.answer is Answer.YES:
            return "B higher" if self.gap.difference.direction > 0 else "A higher"
        return "equal" if self.answer is Answer.NO else "cannot tell"


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A problem, or a sample that both runs hold, whose verdict is another.

    Attributes:
        cell: Key of the cell in the first run.
        other: Key of the cell in the other run.
        judge: The first run's judge.
        by: The other run's judge.
        problem: Its id in the first run.
        other_id: Its id in the other run.
        rank: The sample; -1 where the runs hold different samples and the problem is meant.
        before: The verdict, or how many samples are correct, in the first run.
        after: The same in the other run.
        before_answer: What the first run's extractor read off the sample; of a problem, off a
            correct sample if there is one, else off the first. Of a log, how its text ends.
        after_answer: The same in the other run.
        gold: The reference answer.
        question: What was asked.
        way: 1 where the other run alone is right, -1 where the first alone is, else 0.
    """

    cell: str
    other: str
    judge: Judge
    by: Judge
    problem: str
    other_id: str
    rank: int
    before: str
    after: str
    before_answer: str
    after_answer: str
    gold: str
    question: str
    way: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything about two runs.

    Attributes:
        first: Name of the first run.
        second: Name of the other one.
        settings: What differs in the manifests.
        differences: By cell, judges and metric.
        changes: Verdicts that are others, by cell and problem.
        pairing: How problems were paired, and how many were not, one sentence each.
        cannot: What cannot be compared, one sentence each.
    """

    first: str
    second: str
    settings: tuple[SettingRow, ...]
    differences: tuple[DifferenceRow, ...]
    changes: tuple[ChangeRow, ...]
    pairing: tuple[str, ...]
    cannot: tuple[str, ...]
