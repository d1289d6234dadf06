"""Stored samples to score, and their division into pieces that are scored and committed alone."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs

from distlab.problems.problem import Gold
from distlab.store.columns import TextArray
from distlab.store.repeats import first_of_each
from distlab.store.store import KEY, read_shard

# Samples of a piece (ours): about a shard of the store, so that most shards are read once. Small
# cells are divided finer, so that several workers share them.
_MOST_SAMPLES = 5000
_LEAST_SAMPLES = 250
_PIECES_OF_A_SMALL_CELL = 4

_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """A problem of the run, as scoring needs it.

    Attributes:
        gold: The reference answer.
        rest: What the prompt hid of the question; None where it hid nothing.
        prompt_hash: Hash of the prompt that the samples must have; None takes any, for a cell
            whose fingerprint covers the prompts already.
    """

    gold: Gold
    prompt_hash: str | None = None
    rest: str | None = None


@dataclass(frozen=True, slots=True)
class CellSource:
    """The stored samples of one cell.

    Attributes:
        cell: Key of the cell.
        shards: Paths of the sample shards inside ``filesystem``.
        n: Samples per problem: rows of rank n and more are passed over.
        problems: Problem id to gold and prompt; rows of other problems are passed over.
        filesystem: Where the shards are.
        keys: Reads problem, rank and prompt of a shard, where somebody has read them already.
    """

    cell: str
    shards: Sequence[str]
    n: int
    problems: Mapping[str, SourceProblem]
    filesystem: pafs.FileSystem = field(default_factory=pafs.LocalFileSystem)
    keys: Callable[[str], pa.Table] | None = None


@dataclass(frozen=True, slots=True)
class ShardRows:
    """Rows of one shard.

    Attributes:
        path: The shard.
        rows: Row numbers, ascending, int64.
    """

    path: str
    rows: _Ints


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole problems of one cell, scored and committed together.

    Attributes:
        name: Content address: equal names mean equal verdicts.
        cell: Key of the cell.
        samples: Rows in ``shards`` together.
        shards: Where the samples are; each (problem, rank) once.
        golds: Problem id to its gold.
        filesystem: Where the shards are.
        rests: Problem id to what the prompt hid of its question, where it hid something.
    """

    name: str
    cell: str
    samples: int
    shards: tuple[ShardRows, ...]
    golds: Mapping[str, Gold]
    filesystem: pafs.FileSystem
    rests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _SampleRows:
    """Columns of the rows that count: one entry per sample."""

    problem: _Ints
    rank: _Ints
    shard: _Ints
    row: _Ints

    def take(self, index: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "_SampleRows":
        return _SampleRows(
            self.problem[index], self.rank[index], self.shard[index], self.row[index]
        )


def divide(source: CellSource, identity: str) -> Iterator[Piece]:
    """Divide a cell into pieces; a problem's samples are in one piece, each (problem, rank) once.

    Where shards hold a (problem, rank) twice, the first shard by name counts, as in the store.

    Args:
        source: The cell.
        identity: Whatever else the verdicts depend on; goes into the pieces' names.

    Raises:
        UserError: A shard cannot be read.
    """
    shards = sorted(source.shards)
    rows = _first_rows(_wanted_rows(source, shards))
    if not len(rows.row):
        return
    rows, bounds = _by_first_appearance(rows)
    ids = list(source.problems)
    for begin, end in _cuts(rows, bounds):
        part = rows.take(np.arange(begin, end))
        yield _piece(source, shards, part, [ids[i] for i in np.unique(part.problem)], identity)


def _wanted_rows(source: CellSource, shards: Sequence[str]) -> _SampleRows:
    """Rows of the run's problems, with the right prompt and rank, in the shards' order."""
    ids = pa.array(source.problems, pa.string())
    hashes = pa.array([p.prompt_hash for p in source.problems.values()], pa.string())
    parts = [
        _wanted_in_shard(_read_keys(source, path), number, source.n, ids, hashes)
        for number, path in enumerate(shards)
    ]
    empty: _Ints = np.empty(0, np.int64)
    columns = zip(*((p.problem, p.rank, p.shard, p.row) for p in parts), strict=True)
    return (
        _SampleRows(*(np.concatenate(column) for column in columns))
        if parts
        else _SampleRows(*[empty] * 4)
    )


def _read_keys(source: CellSource, path: str) -> pa.Table:
    return source.keys(path) if source.keys else read_shard(source.filesystem, path, KEY)


def _texts(keys: pa.Table, name: str) -> TextArray:
    return keys.column(name).cast(pa.string()).combine_chunks()


def _wanted_in_shard(
    keys: pa.Table, number: int, n: int, ids: TextArray, hashes: TextArray
) -> _SampleRows:
    problem = pc.index_in(_texts(keys, "problem_id"), value_set=ids)
    expected = hashes.take(problem)
    rank = keys.column("rank").to_numpy()
    any_prompt = expected.is_null().to_numpy(zero_copy_only=False)
    same_prompt = pc.equal(expected, _texts(keys, "prompt_hash")).fill_null(False)
    fitting = any_prompt | same_prompt.to_numpy(zero_copy_only=False)
    known = problem.is_valid().to_numpy(zero_copy_only=False)
    row = np.flatnonzero(known & fitting & (rank >= 0) & (rank < n))
    index = problem.fill_null(-1).to_numpy()
    return _SampleRows(
        index[row].astype(np.int64),
        rank[row].astype(np.int64),
        np.full(len(row), number, np.int64),
        row.astype(np.int64),
    )


def _first_rows(rows: _SampleRows) -> _SampleRows:
    """Each (problem, rank) once, in order."""
    keys = pa.table({"problem": rows.problem, "rank": rows.rank})
    return rows.take(first_of_each(keys, ("problem", "rank")).to_numpy())


def _by_first_appearance(rows: _SampleRows) -> tuple[_SampleRows, _Ints]:
    """Sort by problem, problems in the order in which they appear.

    Returns:
        The rows, and where each problem begins among them, with the end appended.
    """
    _, first, inverse = np.unique(rows.problem, return_index=True, return_inverse=True)
    place = first[inverse]
    ordered = rows.take(np.argsort(place, kind="stable"))
    begins = np.flatnonzero(np.diff(ordered.problem, prepend=-1))
    return ordered, np.append(begins, len(ordered.row))


def _cuts(rows: _SampleRows, bounds: _Ints) -> Iterator[tuple[int, int]]:
    """Begin and end of each piece: between problems, where a shard ends if one is near."""
    total = len(rows.row)
    target = min(_MOST_SAMPLES, max(_LEAST_SAMPLES, total // _PIECES_OF_A_SMALL_CELL))
    begin = 0
    for bound in bounds[1:-1].tolist():
        shard_ends = rows.shard[bound] != rows.shard[bound - 1]
        if bound - begin >= (target // 2 if shard_ends else target):
            yield begin, bound
            begin = bound
    yield begin, total


def _piece(
    source: CellSource, shards: Sequence[str], rows: _SampleRows, ids: Sequence[str], identity: str
) -> Piece:
    parts = tuple(
        ShardRows(shards[number], np.sort(rows.row[rows.shard == number]))
        for number in np.unique(rows.shard).tolist()
    )
    golds = {name: source.problems[name].gold for name in ids}
    rests = {name: rest for name in ids if (rest := source.problems[name].rest) is not None}
    digest = hashlib.sha256(repr((identity, source.cell, sorted(golds.items()))).encode())
    for part in parts:
        digest.update(part.path.rpartition("/")[2].encode())
        digest.update(part.rows.tobytes())
    if rests:
        digest.update(repr(sorted(rests.items())).encode())
    name = digest.hexdigest()[:24]
    return Piece(name, source.cell, len(rows.row), parts, golds, source.filesystem, rests)
