"""Cells as files for others: one Parquet, or a folder that a hub takes as a dataset."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from distlab.files import folder_name, whole
from distlab.store.card import dataset_card
from distlab.store.store import Store, StoredCell


class Form(StrEnum):
    """How a cell is exported."""

    PARQUET = "parquet"
    HUB = "hub"


def export(store: Store, out: Path, form: Form, prefix: str = "") -> Iterator[tuple[Path, int]]:
    """Write every cell that holds samples, each once, sorted by problem and rank.

    Args:
        store: The store.
        out: Folder; made if missing. Files of an earlier export are replaced.
        form: One file per cell, or one folder.
        prefix: Of the cells' paths; others are left out.

    Yields:
        Where a cell went, and its samples.

    Raises:
        UserError: A shard is damaged.
        OSError: ``out`` cannot be written.
    """
    for cell in store.cells():
        if cell.name.startswith(prefix) and (table := _samples(cell)).num_rows:
            yield _write(cell, table, out, form), table.num_rows


def _samples(cell: StoredCell) -> pa.Table:
    table = cell.samples().sort_by([("problem_id", "ascending"), ("rank", "ascending")])
    # Readers elsewhere do not all take dictionaries.
    plain = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(plain).with_metadata(table.schema.metadata or {}))


def _write(cell: StoredCell, table: pa.Table, out: Path, form: Form) -> Path:
    name = folder_name(cell.name.replace("/", "__"))
    if form is Form.PARQUET:
        out.mkdir(parents=True, exist_ok=True)
        _write_parquet(table, out / f"{name}.parquet")
        return out / f"{name}.parquet"
    folder = out / name
    (folder / "data").mkdir(parents=True, exist_ok=True)
    _write_parquet(table, folder / "data" / "train-00000-of-00001.parquet")
    with whole(folder / "README.md") as stream:
        stream.write(dataset_card(cell, table).encode())
    return folder


def _write_parquet(table: pa.Table, path: Path) -> None:
    with whole(path) as stream:
        pq.write_table(table, stream, compression="zstd")
