"""Texts: what the store has of samples, read when a page asks for it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from distlab.errors import UserError
from distlab.runs.manifest import Manifest
from distlab.store.cell import Cell
from distlab.store.columns import strings
from distlab.store.kept_prompts import KeptPrompt, find_prompt
from distlab.store.repeats import first_of_each
from distlab.store.store import Store, StoredCell, read_shard
from distlab.view.samples import SampleId, SampleRow, StoredSample

_COLUMNS: Final = [
    "text",
    "token_ids",
    "first_token_logprob",
    "seed",
    "stop_string",
    "prompt_tokens",
    "prompt_hash",
    "run",
    "thinking_end",
    "thinking_tokens",
]
# Shards whose keys are read at once when a run is opened (ours).
_THREADS: Final = 8

_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Places:
    """Where a cell's samples are: shards, and for each problem the shards that have some of it."""

    stored: StoredCell
    shards: tuple[str, ...]
    of_problem: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Texts:
    """The samples of a run's cells in its store."""

    places: Mapping[str, _Places]

    @classmethod
    def open(cls, manifest: Manifest) -> "Texts":
        """Find every sample of the run, reading nothing but names.

        Raises:
            UserError: The store is gone, or a shard is damaged.
        """
        store = Store.look(manifest.store)
        with ThreadPoolExecutor(_THREADS) as pool:
            return cls(
                {
                    cell.key: places
                    for cell in manifest.cells
                    for places in [_find(cell, store, pool)]
                }
            )

    def read(self, rows: Sequence[SampleRow]) -> dict[SampleId, StoredSample]:
        """What the store has of some samples of one problem.

        Args:
            rows: The samples.

        Returns:
            Those that the store has; one that was scored and then removed is absent.

        Raises:
            UserError: A shard is gone or damaged.
        """
        found: dict[SampleId, StoredSample] = {}
        for cell in dict.fromkeys(row.cell.key for row in rows):
            mine = {row.id for row in rows if row.cell.key == cell}
            for problem in dict.fromkeys(sample.problem for sample in mine):
                found |= self._of_problem(cell, problem, mine - found.keys())
        return found

    @property
    def shards(self) -> tuple[tuple[str, str], ...]:
        """Keys of cells with the paths of their shards, in the order that decides on repeats."""
        return tuple((cell, path) for cell, at in self.places.items() for path in at.shards)

    def shard(self, cell: str, path: str, columns: list[str]) -> pa.Table:
        """Some columns of a shard.

        Raises:
            UserError: It is gone or damaged.
        """
        return read_shard(self.places[cell].stored.store.fs, path, columns)

    def prompt(self, row: SampleRow, stored: StoredSample) -> KeptPrompt | None:
        """What the model saw before a sample; None where the store keeps no prompt of it.

        Raises:
            UserError: The file of the prompts is damaged.
        """
        cell = self.places[row.cell.key].stored
        return find_prompt(cell, row.problem.id, stored.prompt_hash)

    def _of_problem(
        self, cell: str, problem: str, wanted: set[SampleId]
    ) -> dict[SampleId, StoredSample]:
        places = self.places[cell]
        shards = [places.shards[number] for number in places.of_problem.get(problem, ())]
        if not shards:
            return {}
        table = pa.concat_tables([_rows_of(places.stored, path, problem) for path in shards])
        first = table.unify_dictionaries().take(first_of_each(table, ("rank",)))
        named = ((SampleId(cell, problem, rank), sample) for rank, sample in _samples(first))
        return {name: sample for name, sample in named if name in wanted}


def _find(cell: Cell, store: Store, pool: ThreadPoolExecutor) -> _Places:
    stored = store.cell(cell.path)
    if not stored.exists():
        raise UserError(
            f"the store {store.uri} has no cell {cell.path}, so there is no text to show: bring "
            "the store back to this place, or run again"
        )
    shards = stored.shards()
    of_problem: dict[str, list[int]] = {}
    for number, names in enumerate(pool.map(lambda path: _problems_in(stored, path), shards)):
        for name in names:
            of_problem.setdefault(name, []).append(number)
    return _Places(stored, shards, {name: tuple(found) for name, found in of_problem.items()})


def _problems_in(stored: StoredCell, path: str) -> list[str]:
    table = read_shard(stored.store.fs, path, ["problem_id"])
    return strings(pc.unique(table.column("problem_id")))


def _rows_of(stored: StoredCell, path: str, problem: str) -> pa.Table:
    names = read_shard(stored.store.fs, path, ["problem_id"]).column("problem_id")
    rows = np.flatnonzero(pc.equal(names, pa.scalar(problem)).to_numpy(zero_copy_only=False))
    return read_shard(stored.store.fs, path, ["rank", *_COLUMNS]).take(rows)


def _samples(table: pa.Table) -> list[tuple[int, StoredSample]]:
    return [
        (
            row["rank"],
            StoredSample(
                text=row["text"],
                first_token=row["token_ids"][0] if row["token_ids"] else None,
                first_token_logprob=row["first_token_logprob"],
                seed=row["seed"],
                stop_string=row["stop_string"],
                prompt_tokens=row["prompt_tokens"],
                prompt_hash=row["prompt_hash"],
                run=row["run"],
                thinking_end=row["thinking_end"],
                thinking_tokens=row["thinking_tokens"],
            ),
        )
        for row in table.to_pylist()
    ]
