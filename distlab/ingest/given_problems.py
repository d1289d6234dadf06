"""Rows of a user's file in; problems with their samples out, everything checked."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from distlab.errors import UserError
from distlab.ingest.columns import LABEL_COLUMNS, ColumnMap
from distlab.ingest.given_samples import GivenSample, label_of, samples_of
from distlab.ingest.survey import OtherGold, Survey
from distlab.problems.problem import Problem
from distlab.problems.rows import Row
from distlab.tabular.golds import ReadGold, equal, gold_of, read_golds
from distlab.tabular.problem_rows import problem_of


class Placed(NamedTuple):
    """A sample and whose it is.

    Attributes:
        problem: Place of its problem among the problems of the files.
        rank: Its draw index.
        sample: The completion.
    """

    problem: int
    rank: int
    sample: GivenSample


@dataclass(frozen=True, slots=True, eq=False)
class GivenSamples:
    """The samples of files, read anew whenever they are asked for: only their places are kept.

    Attributes:
        rows: The rows, as ``ColumnMap.laid_out`` gives them.
        columns: Which column holds what.
        problem: Of each sample in the order of the rows, the place of its problem.
        rank: Its draw index.
        n: Samples that count of each problem: those of rank n and more are passed over.
    """

    rows: Iterable[Row]
    columns: ColumnMap
    problem: npt.NDArray[np.int32]
    rank: npt.NDArray[np.int32]
    n: int

    def missing(
        self, ids: Sequence[str], held: Mapping[str, Collection[int]]
    ) -> npt.NDArray[np.bool_]:
        """Which samples count and are not held already.

        Args:
            ids: Id of each problem.
            held: Ids to the ranks that are held.
        """
        wanted = self.rank < self.n
        if held:
            by_place = [held.get(name, ()) for name in ids]
            places = zip(self.problem.tolist(), self.rank.tolist(), strict=True)
            wanted &= np.array([rank not in by_place[problem] for problem, rank in places])
        return wanted

    def of(self, wanted: npt.NDArray[np.bool_]) -> Iterator[Placed]:
        """The samples of which ``wanted`` says so, in the order of the rows."""
        of_each = self.columns.of_each_sample()
        samples = (s for row in self.rows for s in samples_of(row, self.columns, of_each))
        places = zip(wanted, self.problem, self.rank, samples, strict=True)
        for is_wanted, problem, rank, sample in places:
            if is_wanted:
                yield Placed(int(problem), int(rank), sample)


@dataclass(frozen=True, slots=True)
class GivenFile:
    """What one or more files hold.

    Attributes:
        problems: In the order of the files.
        golds: How the gold of each problem was read.
        samples: As many of each problem.
        labels: Of each problem, rank by rank, whether the file's own judge finds the sample
            correct: bool[problems, n]; None where no column is mapped.
    """

    problems: tuple[Problem, ...]
    golds: tuple[ReadGold, ...]
    samples: GivenSamples
    labels: npt.NDArray[np.bool_] | None


def read_given(
    rows: Iterable[Row], columns: ColumnMap, dataset: str, gold_kind: str, n: int | None
) -> GivenFile:
    """Problems in the file's order, each with n samples.

    Rows whose samples are a list hold a problem each, or several of another file; rows with one
    text hold a sample each, and those of one problem are put together. All is checked, and no
    text is kept.

    Args:
        rows: The rows of one file or of several, one at least, as ``ColumnMap.laid_out`` gives
            them.
        columns: Which column holds what.
        dataset: Name that the problems get.
        gold_kind: As ``read_golds`` takes it.
        n: Samples to keep of each problem; None keeps all, which must then be equally many.

    Raises:
        UserError: A row or the whole is not what it must be; the sentence names row and field.
    """
    survey = Survey(columns, dataset)
    for row in rows:
        survey.see(row)
    golds = read_golds(survey.firsts, columns, gold_kind)
    _refuse_other_golds(survey.other_golds, golds, columns, gold_kind)
    problems = tuple(
        problem_of(row, columns, name, dataset, read.gold)
        for name, row, read in zip(survey.places, survey.firsts, golds, strict=True)
    )
    ranks = survey.ranks(rows)
    samples = GivenSamples(rows, columns, survey.problems(), ranks, _even(survey, n))
    return GivenFile(problems, golds, samples, _labels(samples, survey.labels))


def with_labels(columns: ColumnMap, rows: Iterable[Row]) -> ColumnMap:
    """The columns with that of the labels, where none is mapped and one alone looks like it.

    That is a column of a name that tools use, with a list of labels beside each list of samples.
    """
    if columns.label is not None:
        return columns
    found: Sequence[str] = LABEL_COLUMNS
    for row in rows:
        found = [name for name in found if _beside(row, columns, name)]
        if not found:
            return columns
    taken = len(found) == 1 and found[0] not in columns.named()
    return replace(columns, label=found[0]) if taken else columns


def _beside(row: Row, columns: ColumnMap, name: str) -> bool:
    """Whether a row has a label for each of its samples in a list."""
    samples, labels = row.fields.get(columns.samples), row.fields.get(name)
    return (
        isinstance(samples, list)
        and isinstance(labels, list)
        and len(samples) == len(labels)
        and all(label_of(label) is not None for label in labels)
    )


def _refuse_other_golds(
    others: Sequence[OtherGold], golds: Sequence[ReadGold], columns: ColumnMap, gold_kind: str
) -> None:
    """Refuse rows of one problem with golds that are not equal."""
    same = equal(
        [(golds[each.problem].gold, gold_of(each.row, columns, gold_kind)) for each in others]
    )
    for each, is_same in zip(others, same, strict=True):
        if not is_same:
            said = f"is not that of {each.first.place}, the same problem"
            raise each.row.fault(columns.gold, said)


def _even(survey: Survey, n: int | None) -> int:
    """How many samples count of each problem: n, or as many as every problem has."""
    column, counts, firsts = survey.columns.samples, survey.counts, survey.firsts
    wanted = counts[0] if n is None else n
    for name, row, count in zip(survey.places, firsts, counts, strict=True):
        if n is not None and count < n:
            raise row.fault(column, f"gives problem {name!r} {count} samples, not {n}")
        if n is None and count != wanted:
            raise UserError(
                f"{row.place}: field `{column}` gives problem {name!r} {count} samples where "
                f"{firsts[0].place} has {wanted}; --n {min(counts)} keeps the first {min(counts)} "
                "of each"
            )
    return wanted


def _labels(samples: GivenSamples, found: Sequence[int]) -> npt.NDArray[np.bool_] | None:
    if samples.columns.label is None:
        return None
    made = np.zeros((int(samples.problem.max()) + 1, samples.n), np.bool_)
    counts = samples.rank < samples.n
    made[samples.problem[counts], samples.rank[counts]] = np.array(found, np.bool_)[counts]
    return made
