"""Every shard of a store, read to its last byte."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from distlab.errors import UserError
from distlab.store.filesystem import read
from distlab.store.schema import SAMPLES, SCHEMA_VERSION
from distlab.store.store import KEY, Store, StoredCell, read_shard

_READERS = 8


@dataclass(frozen=True, slots=True)
class CellCheck:
    """What a cell holds, and what is wrong with it.

    Attributes:
        cell: Its path in the store.
        shards: Committed shards.
        samples: Distinct samples of the sound ones.
        repeated: Samples that two shards hold; they count once.
        faults: One sentence for each fault.
    """

    cell: str
    shards: int
    samples: int
    repeated: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Shard:
    keys: pa.Table
    fault: str = ""


def verify(store: Store) -> Iterator[CellCheck]:
    """Check every cell: its address, and each shard's bytes, schema and keys."""
    with ThreadPoolExecutor(_READERS) as readers:
        for cell in store.cells():
            yield _check(cell, readers)


def _check(cell: StoredCell, readers: ThreadPoolExecutor) -> CellCheck:
    shards = list(readers.map(lambda path: _read(cell, path), cell.shards()))
    keys = pa.concat_tables([SAMPLES.empty_table().select(KEY), *(s.keys for s in shards)])
    distinct = keys.group_by(list(KEY)).aggregate([]).num_rows
    faults = [_address_fault(cell), *(shard.fault for shard in shards)]
    return CellCheck(
        cell=cell.name,
        shards=len(shards),
        samples=distinct,
        repeated=keys.num_rows - distinct,
        faults=tuple(fault for fault in faults if fault),
    )


def _read(cell: StoredCell, path: str) -> _Shard:
    empty = SAMPLES.empty_table().select(KEY)
    try:
        table = read_shard(cell.store.fs, path, SAMPLES.names)
    except UserError as error:
        return _Shard(empty, str(error))
    name = path.rpartition("/")[2]
    if fault := _schema_fault(table.schema):
        return _Shard(empty, f"{name} {fault}")
    keys = table.select(KEY)
    if (again := keys.num_rows - keys.group_by(list(KEY)).aggregate([]).num_rows) > 0:
        return _Shard(keys, f"{name} repeats {again} samples within itself")
    if negative := pc.sum(pc.less(keys.column("rank"), 0)).as_py():
        return _Shard(keys, f"{name} holds {negative} samples of negative rank")
    return _Shard(keys)


def _schema_fault(schema: pa.Schema) -> str:
    version = (schema.metadata or {}).get(b"distlab.schema_version", b"").decode()
    if version != str(SCHEMA_VERSION):
        return f"is of schema version {version or 'unknown'}, not {SCHEMA_VERSION}"
    if [field.name for field in schema] != SAMPLES.names or schema.types != SAMPLES.types:
        return "has other columns than a sample"
    return ""


def _address_fault(cell: StoredCell) -> str:
    try:
        digest = hashlib.sha256(read(cell.store.fs, f"{cell.path}/cell.json")).hexdigest()[:16]
    except OSError as error:
        return f"cell.json cannot be read: {error}"
    name = cell.path.rpartition("/")[2]
    return "" if digest == name else f"cell.json is that of {digest}: folder or content was changed"
