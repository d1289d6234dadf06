"""Every shard of a store, read to its last byte."""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from distlab.errors import UserError, counted
from distlab.store.filesystem import read
from distlab.store.repeats import first_of_each
from distlab.store.sample_schema import SAMPLES
from distlab.store.store import (
    KEY,
    SHARD,
    DamagedShard,
    Store,
    StoredCell,
    is_sealed,
    read_shard,
)

_READERS = 8
_WRITTEN_ANEW = "a run of the cell, or the same `distlab ingest` again, writes it anew"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a cell.

    Attributes:
        sentence: What, and with which file.
        shard: Path of the shard that `repair` sets aside; empty where that would not mend it.
    """

    sentence: str
    shard: str = ""


@dataclass(frozen=True, slots=True)
class CellCheck:
    """What a cell holds, and what is wrong with it.

    Attributes:
        cell: The cell.
        shards: Committed shards.
        unsealed: Those of format 1, which has no checksums: a changed bit in them may go unnoticed.
        samples: Distinct samples of the sound ones.
        repeated: Samples that two shards hold; they count once.
        faults: What is wrong.
    """

    cell: StoredCell
    shards: int
    unsealed: int
    samples: int
    repeated: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class _ShardCheck:
    path: str
    keys: pa.Table
    fault: Fault | None = None
    sealed: bool = True


def verify(store: Store) -> Iterator[CellCheck]:
    """Check every cell: its address, each shard's bytes and keys, and that repeats are equal."""
    with ThreadPoolExecutor(_READERS) as readers:
        for cell in _cells(store):
            yield _check(cell, readers)


def _cells(store: Store) -> list[StoredCell]:
    """Every cell, and every folder that holds shards and has lost its ``cell.json``."""
    names = ((info.path.rpartition("/")[0], info.base_name) for info in store.files())
    folders = {folder for folder, name in names if name == "cell.json" or SHARD.fullmatch(name)}
    return [StoredCell(store, folder) for folder in sorted(folders)]


def _check(cell: StoredCell, readers: ThreadPoolExecutor) -> CellCheck:
    shards = list(readers.map(lambda path: _read(cell, path), cell.shards()))
    keys = pa.concat_tables([SAMPLES.empty_table().select(KEY), *(s.keys for s in shards)])
    distinct = len(first_of_each(keys, KEY))
    faults = [_address_fault(cell), *(shard.fault for shard in shards), *_lost_links(cell)]
    if distinct < keys.num_rows:
        faults += _contradictions(cell, [shard for shard in shards if shard.fault is None])
    return CellCheck(
        cell=cell,
        shards=len(shards),
        unsealed=sum(not shard.sealed for shard in shards),
        samples=distinct,
        repeated=keys.num_rows - distinct,
        faults=tuple(fault for fault in faults if fault is not None),
    )


def _read(cell: StoredCell, path: str) -> _ShardCheck:
    empty = SAMPLES.empty_table().select(KEY)
    try:
        keys = read_shard(cell.store.fs, path, SAMPLES.names).select(KEY)
        kept = is_sealed(cell.store.fs, path)
    except DamagedShard as damage:
        return _ShardCheck(path, empty, Fault(f"{_name(path)} is damaged: {damage.reason}", path))
    except UserError as error:
        return _ShardCheck(path, empty, Fault(str(error)))
    if not keys.num_rows:
        return _ShardCheck(path, keys, Fault(f"{_name(path)} holds no sample", path), kept)
    if (again := keys.num_rows - len(first_of_each(keys, KEY))) > 0:
        return _ShardCheck(
            path,
            keys,
            Fault(f"{_name(path)} repeats {counted(again, 'sample')} of its own", path),
            kept,
        )
    if negative := int(np.count_nonzero(keys.column("rank").to_numpy() < 0)):
        sentence = f"{_name(path)} holds {counted(negative, 'sample')} of negative rank"
        return _ShardCheck(path, keys, Fault(sentence, path), kept)
    return _ShardCheck(path, keys, sealed=kept)


def _lost_links(cell: StoredCell) -> Iterator[Fault]:
    """Shards that are links to nothing: file systems of pyarrow pass over them."""
    if not cell.store.is_local or not Path(cell.path).is_dir():
        return
    for file in sorted(Path(cell.path).iterdir()):
        if SHARD.fullmatch(file.name) and file.is_symlink() and not file.exists():
            yield Fault(f"{file.name} is a link that leads nowhere", str(file))


def _contradictions(cell: StoredCell, shards: Sequence[_ShardCheck]) -> Iterator[Fault]:
    """Shards that repeat samples of earlier ones with other texts."""
    columns = [*KEY, "text"]
    said = SAMPLES.empty_table().select(columns)
    for shard in shards:
        table = read_shard(cell.store.fs, shard.path, columns)
        both = pa.concat_tables([said, table])
        firsts = first_of_each(both, KEY)
        if others := len(first_of_each(both, columns)) - len(firsts):
            yield Fault(
                f"{_name(shard.path)} repeats {counted(others, 'sample')} of earlier shards with "
                "other texts; the earlier ones count",
                shard.path,
            )
        said = both.take(firsts)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _address_fault(cell: StoredCell) -> Fault | None:
    try:
        data = read(cell.store.fs, f"{cell.path}/cell.json")
    except FileNotFoundError:
        return Fault(f"cell.json is missing; {_WRITTEN_ANEW}")
    except OSError as error:
        return Fault(f"cell.json cannot be read: {error}")
    if not data:
        return Fault(f"cell.json is empty; {_WRITTEN_ANEW}")
    if (digest := hashlib.sha256(data).hexdigest()[:16]) == _name(cell.path):
        return None
    return Fault(f"cell.json is that of {digest}: folder or content was changed; {_WRITTEN_ANEW}")
