"""Samples, verdicts, problems and prompts of runs as lazy tables, with every key of their cell."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from distlab.errors import UserError, nearest
from distlab.problems.problem_table import PROBLEMS, problem_batches
from distlab.runs.folder import RunFolder
from distlab.runs.joining import unscored_runs
from distlab.runs.labels import read_labels
from distlab.runs.lazy_table import LazyTable
from distlab.runs.manifest import Manifest
from distlab.scoring.verdict_schema import VERDICTS, upgraded
from distlab.store.cell import Cell
from distlab.store.kept_prompts import PROMPTS, prompt_table
from distlab.store.sample_schema import SAMPLES
from distlab.store.store import Store, read_shard

_LABEL: Final = pa.dictionary(pa.int32(), pa.string())
# What names a cell, as every table of a run has it.
CELL_KEYS: Final = ("cell", "family", "variant", "decoding", "arm", "dataset", "prompt")
_KEYS: Final = tuple(pa.field(name, _LABEL, nullable=False) for name in CELL_KEYS)
_BATCH_ROWS: Final = 16_384


def _keyed(schema: pa.Schema) -> pa.Schema:
    """A schema behind the keys of its cell."""
    return pa.schema([*_KEYS, *(field for field in schema if field.name not in CELL_KEYS)])


SAMPLE_ROWS: Final = _keyed(SAMPLES)
# Labels that came with samples hold whichever extractor reads, so that they name none; and they
# say nothing of what only an extractor or our scoring knows.
VERDICT_ROWS: Final = _keyed(
    pa.schema(
        [
            field.with_nullable(field.name not in ("problem_id", "rank", "grader", "verdict"))
            for field in VERDICTS
        ]
    )
)
PROMPT_ROWS: Final = _keyed(PROMPTS)
# A problem's id is called as in all other tables, so that a join needs no names.
PROBLEM_ROWS: Final = pa.schema(
    [field.with_name("problem_id" if field.name == "id" else field.name) for field in PROBLEMS]
)


@dataclass(frozen=True, slots=True)
class KeyedRuns:
    """Run folders whose rows are read with their keys.

    Attributes:
        folders: The folders; no cell is in two of them.
        manifests: Of each folder.
    """

    folders: tuple[RunFolder, ...]
    manifests: tuple[Manifest, ...]

    @classmethod
    def of(cls, paths: Sequence[Path]) -> "KeyedRuns":
        """Those of some paths.

        Raises:
            UserError: One is no run folder.
        """
        folders = tuple(map(RunFolder, paths))
        return cls(folders, tuple(folder.read_manifest() for folder in folders))

    def samples(
        self, columns: Sequence[str] | None = None, cells: Sequence[str] | None = None
    ) -> LazyTable:
        """The runs' samples: ``SAMPLE_ROWS``, each (cell, problem, rank) once.

        Args:
            columns: Which to read; None for all. Texts and tokens are most of the bytes.
            cells: Keys of cells; None for all.

        Raises:
            UserError: There is no such column or cell. While reading: a shard is damaged, or the
                store is gone.
        """
        return self._of_cells(SAMPLE_ROWS, columns, cells, _samples)

    def verdicts(
        self, columns: Sequence[str] | None = None, cells: Sequence[str] | None = None
    ) -> LazyTable:
        """The runs' verdicts: ``VERDICT_ROWS``, one for each sample, extractor and grader.

        Args:
            columns: Which to read; None for all.
            cells: Keys of cells; None for all.

        Raises:
            UserError: There is no such column or cell, or no run is scored. While reading: a
                file is damaged.
        """
        unscored_runs([folder.path for folder in self.folders])
        return self._of_cells(VERDICT_ROWS, columns, cells, _verdicts)

    def prompts(self, cells: Sequence[str] | None = None) -> LazyTable:
        """The prompts that the store keeps: ``PROMPT_ROWS``, one for each cell and problem.

        Args:
            cells: Keys of cells; None for all.

        Raises:
            UserError: There is no such cell. While reading: a file is damaged.
        """
        return self._of_cells(PROMPT_ROWS, None, cells, _prompts)

    def problems(self) -> LazyTable:
        """The problems of every dataset: ``PROBLEM_ROWS``, each once.

        Raises:
            UserError: While reading: a file is absent or damaged.
        """
        files = {
            cell.dataset: folder.problems(cell.dataset)
            for folder, manifest in zip(self.folders, self.manifests, strict=True)
            for cell in manifest.cells
        }

        def read() -> Iterator[pa.RecordBatch]:
            for file in files.values():
                for batch in problem_batches(file, _BATCH_ROWS):
                    yield pa.record_batch(batch.columns, schema=PROBLEM_ROWS)

        return LazyTable(PROBLEM_ROWS, read)

    def _of_cells(
        self,
        schema: pa.Schema,
        columns: Sequence[str] | None,
        cells: Sequence[str] | None,
        rows: "_Rows",
    ) -> LazyTable:
        every = [cell.key for manifest in self.manifests for cell in manifest.cells]
        names = _known("column", columns, schema.names)
        wanted = pa.schema([schema.field(name) for name in names])
        chosen = _known("cell", cells, every)

        def read() -> Iterator[pa.RecordBatch]:
            for folder, manifest in zip(self.folders, self.manifests, strict=True):
                mine = {cell.key: cell for cell in manifest.cells if cell.key in chosen}
                for cell, batch in rows(folder, manifest, mine, wanted.names):
                    yield _with_keys(cell, batch, wanted)

        return LazyTable(wanted, read)


_Rows = Callable[
    [RunFolder, Manifest, Mapping[str, Cell], Sequence[str]],
    Iterator[tuple[Cell, pa.RecordBatch]],
]


def _known(what: str, asked: Sequence[str] | None, names: Sequence[str]) -> Sequence[str]:
    """The names that are asked for; None asks for all.

    Raises:
        UserError: One is unknown, or they are one text, whose letters would be names.
    """
    if asked is None:
        return names
    if isinstance(asked, str):
        raise UserError(f"{what}s={asked!r} is a text: give a list, as {what}s=[{asked!r}]")
    for name in asked:
        if name not in names:
            raise UserError(f"there is no {what} '{name}'{nearest(name, names)}")
    return asked


def _with_keys(cell: Cell, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Rows of one cell with its keys, as a schema asks; a column that they lack is null."""
    arrays: list[pa.Array[pa.Scalar[pa.DataType]]] = []
    for field in schema:
        if field.name in CELL_KEYS:
            arrays.append(_repeated(getattr(cell, _ATTRIBUTES.get(field.name, field.name)), batch))
        elif field.name in batch.schema.names:
            arrays.append(batch.column(field.name).cast(field.type))
        else:
            arrays.append(pa.nulls(batch.num_rows, field.type))
    return pa.record_batch(arrays, schema=schema)


_ATTRIBUTES: Final = {"cell": "key"}


def _repeated(value: str, batch: pa.RecordBatch) -> "pa.Array[pa.Scalar[pa.DataType]]":
    return pa.DictionaryArray.from_arrays(np.zeros(batch.num_rows, np.int32), [value])


class _Wanted:
    """Which rows of a cell are the run's: of its problems, of its ranks, each once."""

    def __init__(self, cell: Cell, ids: Sequence[str]) -> None:
        self._place = {name: place for place, name in enumerate(ids)}
        self._seen = np.zeros((len(ids), cell.n), np.bool_)

    def mask(self, rows: pa.Table, *, once: bool) -> npt.NDArray[np.bool_]:
        """[rows] whether a row is one; ``once`` passes over what an earlier call had, too."""
        names = rows.column("problem_id").to_pylist()
        problem = np.array([self._place.get(str(name), -1) for name in names], np.int64)
        rank = rows.column("rank").to_numpy().astype(np.int64)
        mine: npt.NDArray[np.bool_] = (problem >= 0) & (rank >= 0) & (rank < self._seen.shape[1])
        if not once:
            return mine
        at = np.flatnonzero(mine)
        flat = problem[at] * self._seen.shape[1] + rank[at]
        _, first = np.unique(flat, return_index=True)
        fresh = first[~self._seen.flat[flat[first]]]
        self._seen.flat[flat[fresh]] = True
        kept = np.zeros_like(mine)
        kept[at[fresh]] = True
        return kept


def _ids(folder: RunFolder, dataset: str) -> list[str]:
    batches = problem_batches(folder.problems(dataset), _BATCH_ROWS, ["id"])
    return [str(name) for batch in batches for name in batch.column("id").to_pylist()]


def _samples(
    folder: RunFolder, manifest: Manifest, cells: Mapping[str, Cell], columns: Sequence[str]
) -> Iterator[tuple[Cell, pa.RecordBatch]]:
    store = Store.look(manifest.store)
    needed = list({*(set(columns) & set(SAMPLES.names)), "problem_id", "rank"})
    for cell in cells.values():
        stored = store.cell(cell.path)
        if not stored.exists():
            raise UserError(
                f"the store {store.uri} has no cell {cell.path}: bring the store back to this "
                f"place or beside the run {folder.path}"
            )
        wanted = _Wanted(cell, _ids(folder, cell.dataset))
        for shard in stored.shards():
            table = read_shard(store.fs, shard, needed)
            for batch in table.filter(pa.array(wanted.mask(table, once=True))).to_batches():
                yield cell, batch


def _verdicts(
    folder: RunFolder, manifest: Manifest, cells: Mapping[str, Cell], columns: Sequence[str]
) -> Iterator[tuple[Cell, pa.RecordBatch]]:
    ids = {cell.dataset: _ids(folder, cell.dataset) for cell in cells.values()}
    wanted = {key: _Wanted(cell, ids[cell.dataset]) for key, cell in cells.items()}
    for batch in _judged(folder, columns):
        of_cell = batch.column("cell").cast(pa.string())
        for value in pc.unique(of_cell).to_pylist():
            key = str(value)
            if key in cells:
                mine = pa.Table.from_batches([batch.filter(pc.equal(of_cell, pa.scalar(key)))])
                kept = mine.filter(pa.array(wanted[key].mask(mine, once=False)))
                yield from ((cells[key], each) for each in kept.to_batches())


def _judged(folder: RunFolder, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The files of graders, then those of labels."""
    for file in folder.verdict_files():
        try:
            opened = pq.ParquetFile(file)
            held = set(opened.schema_arrow.names)
            # What ``upgraded`` makes the columns of that earlier versions lack.
            made_of = {"cell", "problem_id", "rank", "answer", "delta", "truncated"}
            needed = [name for name in VERDICTS.names if name in held & ({*columns} | made_of)]
            for batch in opened.iter_batches(_BATCH_ROWS, columns=needed):
                yield upgraded(batch)
        except (pa.ArrowException, OSError) as error:
            raise UserError(
                f"{file} cannot be read ({str(error).splitlines()[0]}); run `distlab score` again"
            ) from error
    for file in folder.label_files():
        yield from read_labels(file).as_table().to_batches()


def _prompts(
    folder: RunFolder, manifest: Manifest, cells: Mapping[str, Cell], columns: Sequence[str]
) -> Iterator[tuple[Cell, pa.RecordBatch]]:
    store = Store.look(manifest.store)
    for cell in cells.values():
        for batch in prompt_table(store.cell(cell.path)).to_batches():
            yield cell, batch
