"""GivenCell: the samples of one cell as they were given, ready to be stored."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distlab.ingest.columns import ColumnMap
from distlab.ingest.given_problems import GivenFile
from distlab.ingest.write import CellLabels, SourceFile
from distlab.runs.labels import Labels, judge_of


@dataclass(frozen=True, slots=True, eq=False)
class GivenVerdicts:
    """What somebody else says of samples.

    Attributes:
        judge: Who.
        correct: Of each problem, rank by rank, whether the sample is correct: bool[problems, n].
        judged: Whether anything is said of the sample: bool[problems, n]; None for all.
    """

    judge: str
    correct: npt.NDArray[np.bool_]
    judged: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class GivenCell:
    """The samples of one cell.

    Attributes:
        labels: What they are.
        given: Problems, each with as many samples.
        source: Where they are from.
        columns: Which columns were read.
        verdicts: What came with them.
    """

    labels: CellLabels
    given: GivenFile
    source: SourceFile
    columns: ColumnMap
    verdicts: tuple[GivenVerdicts, ...] = ()

    def labels_of(self, verdicts: GivenVerdicts, cell: str) -> Labels:
        """Verdicts as a run folder keeps them, under the key of the cell there."""
        judged = verdicts.judged
        if judged is None:
            judged = np.ones_like(verdicts.correct)
        problems, ranks = np.nonzero(judged)
        return Labels(
            cell=cell,
            judge=verdicts.judge,
            problem_ids=[self.given.problems[place].id for place in problems.tolist()],
            ranks=ranks,
            correct=verdicts.correct[judged],
        )


def verdicts_of(given: GivenFile, columns: ColumnMap) -> tuple[GivenVerdicts, ...]:
    """The verdicts in a column of labels; none where there is no such column."""
    if columns.label is None or given.labels is None:
        return ()
    return (GivenVerdicts(judge_of(columns.label), given.labels),)
