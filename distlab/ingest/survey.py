"""A first reading of a user's rows: everything is checked, and all but the samples kept."""

from array import array
from collections.abc import Iterable
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from distlab.errors import UserError
from distlab.ingest.columns import ColumnMap
from distlab.ingest.given_samples import samples_of
from distlab.problems.content import same_question, text_hash
from distlab.problems.rows import Row
from distlab.tabular.columns import row_file

# A draw index is kept in 32 bits.
_MOST_RANKS: Final = 2**31


class OtherGold(NamedTuple):
    """A later row of a problem whose gold is written differently.

    Attributes:
        problem: Place of the problem.
        row: The row.
        first: The problem's first row.
    """

    problem: int
    row: Row
    first: Row


class Survey:
    """What is kept of rows: of each problem its first row, without samples; of each sample 9 bytes.

    Attributes:
        columns: Which column holds what.
        places: Id of each problem to its place in the order of the rows.
        firsts: The first row of each problem, of columns that say something of the problem.
        counts: Samples of each problem.
        other_golds: Golds that are to be compared with those of the first rows.
        labels: Of each sample, in the order of the rows, whether the file calls it correct; empty
            where no column is mapped.
    """

    def __init__(self, columns: ColumnMap, dataset: str) -> None:
        """Begin.

        Args:
            columns: Which column holds what.
            dataset: Name that begins ids where questions make them.
        """
        self.columns = columns
        self.places: dict[str, int] = {}
        self.firsts: list[Row] = []
        self.counts: list[int] = []
        self.other_golds: list[OtherGold] = []
        self.labels = array("b")
        self._dataset = dataset
        self._of_each = columns.of_each_sample()
        of_samples = {*self._of_each, "rank"}
        self._kept = [column for name, column in columns.pairs() if name not in of_samples]
        self._is_listed: bool | None = None
        self._lasts: dict[int, str] = {}
        self._problems, self._ranks = array("i"), array("i")

    def see(self, row: Row) -> None:
        """Take in the next row.

        Raises:
            UserError: A column is absent, or its samples, its question or its id are not what they
                must be.
        """
        self.columns.check_row(row, is_first=not self.firsts)
        name = self._id(row)
        self._check_shape(row)
        place = self.places.setdefault(name, len(self.places))
        if place == len(self.firsts):
            self.firsts.append(self._slim(row))
            self.counts.append(0)
        else:
            self._see_again(name, place, row)
        for sample in samples_of(row, self.columns, self._of_each):
            self._problems.append(place)
            self._ranks.append(self._rank(row, self.counts[place]))
            self.counts[place] += 1
            if sample.is_correct is not None:
                self.labels.append(sample.is_correct)

    def problems(self) -> npt.NDArray[np.int32]:
        """Of each sample, in the order of the rows, the place of its problem."""
        return np.array(self._problems, np.int32)

    def ranks(self, rows: Iterable[Row]) -> npt.NDArray[np.int32]:
        """Draw index of each sample, in the order of the rows.

        Args:
            rows: The rows that were seen, for what to say of a fault.

        Raises:
            UserError: A problem has a rank twice, or leaves one out.
        """
        ranks = np.array(self._ranks, np.int32)
        if self.columns.rank is not None:
            problems = self.problems()
            order = np.lexsort((ranks, problems))
            begins = np.cumsum([0, *self.counts[:-1]])
            expected = np.arange(len(order)) - begins[problems[order]]
            if len(wrong := np.flatnonzero(ranks[order] != expected)):
                place = problems[order[wrong[0]]]
                self._refuse_ranks(np.flatnonzero(problems == place), ranks, rows)
        return ranks

    def _refuse_ranks(
        self, samples: npt.NDArray[np.int64], ranks: npt.NDArray[np.int32], rows: Iterable[Row]
    ) -> None:
        """Say what is wrong with the ranks of a problem, whose samples are at some places."""
        column = str(self.columns.rank)
        seen: dict[int, int] = {}
        for sample in samples.tolist():
            rank = int(ranks[sample])
            if rank in seen:
                first, later = _row_at(rows, seen[rank]), _row_at(rows, sample)
                raise later.fault(column, f"repeats rank {rank} of {first.place}, same problem")
            seen[rank] = sample
        absent = min(set(range(len(samples))) - set(seen))
        first = _row_at(rows, int(samples[0]))
        raise first.fault(column, f"leaves out rank {absent} of this problem")

    def _id(self, row: Row) -> str:
        if self.columns.problem_id is not None:
            return row.text(self.columns.problem_id).strip()
        assert self.columns.question is not None
        # As the loaders name problems of GSM8K, so that ingested ones pair with theirs.
        return f"{self._dataset}-{text_hash(row.text(self.columns.question))}"

    def _check_shape(self, row: Row) -> None:
        is_listed = isinstance(row.fields[self.columns.samples], list)
        if self._is_listed is None:
            self._is_listed = is_listed
        if is_listed != self._is_listed:
            first = "a list" if self._is_listed else "one text"
            raise row.fault(self.columns.samples, f"must be {first}, as in {self.firsts[0].place}")

    def _slim(self, row: Row) -> Row:
        return Row(row.place, {name: row.fields[name] for name in self._kept})

    def _see_again(self, name: str, place: int, row: Row) -> None:
        """Check a later row of a problem against its first one."""
        first = self.firsts[place]
        last = Row(self._lasts.get(place, first.place), {})
        if self._is_listed and row_file(last) == row_file(row):
            raise UserError(
                f"{row.place} repeats the problem {name!r} of {last.place}; "
                "remove one of the two rows, or map problem_id to a column of ids"
            )
        if self._is_listed:
            self._lasts[place] = row.place
        asked, gold = self.columns.question, self.columns.gold
        if asked is not None and not same_question(first.text(asked), row.text(asked)):
            raise row.fault(asked, f"is not that of {first.place}, the same problem")
        if row.fields[gold] != first.fields[gold]:
            self.other_golds.append(OtherGold(place, self._slim(row), first))

    def _rank(self, row: Row, count: int) -> int:
        if self.columns.rank is None:
            return count
        rank = row.integer(self.columns.rank)
        if not -_MOST_RANKS <= rank < _MOST_RANKS:
            raise row.fault(self.columns.rank, f"is {rank}, which is no draw index")
        return rank


def _row_at(rows: Iterable[Row], place: int) -> Row:
    return next(islice(rows, place, None))
