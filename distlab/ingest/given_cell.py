"""GivenCell: the samples of one cell as they were given, ready to be stored."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distlab.ingest.columns import ColumnMap
from distlab.ingest.given_problems import GivenProblem
from distlab.ingest.write import CellLabels, SourceFile
from distlab.runs.labels import Labels, judge_of


@dataclass(frozen=True, slots=True)
class GivenVerdicts:
    """What somebody else says of samples.

    Attributes:
        judge: Who.
        samples: Problem, rank, and whether the sample is correct, of every sample.
    """

    judge: str
    samples: tuple[tuple[str, int, bool], ...]

    def labels(self, cell: str) -> Labels:
        """As a run folder keeps them."""
        problem_ids, ranks, correct = zip(*self.samples, strict=True)
        return Labels(cell, self.judge, problem_ids, np.array(ranks), np.array(correct, np.bool_))


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
    given: tuple[GivenProblem, ...]
    source: SourceFile
    columns: ColumnMap
    verdicts: tuple[GivenVerdicts, ...] = ()


def verdicts_of(given: Sequence[GivenProblem], columns: ColumnMap) -> tuple[GivenVerdicts, ...]:
    """The verdicts in a column of labels; none where there is no such column."""
    if columns.label is None:
        return ()
    samples = tuple(
        (item.problem.id, rank, bool(sample.is_correct))
        for item in given
        for rank, sample in enumerate(item.samples)
    )
    return (GivenVerdicts(judge_of(columns.label), samples),)
