"""A run's tables as they are: as a dataset of a hub in Parquet, or as CSV."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from distlab.api.opened import Run
from distlab.escape import spreadsheet
from distlab.export.card import dataset_card
from distlab.files import whole

# What people read of a sample in a spreadsheet; Parquet has all of it.
_SAMPLE_COLUMNS: Final = (
    *("cell", "family", "variant", "decoding", "arm", "dataset", "prompt"),
    *("problem_id", "rank", "text", "finish_reason", "stop_string", "truncated", "prompt_tokens"),
)


def write_dataset(run: Run, folder: Path) -> None:
    """A dataset as a hub takes it: a Parquet file for each table, and a card.

    Args:
        run: A scored run.
        folder: Where to.

    Raises:
        UserError: The run is not scored, or a file of it is damaged.
    """
    tables = dict(_tables(run))
    for name, reader in tables.items():
        schema = _without_labels(reader.schema)
        path = folder / f"{name}.parquet"
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch.cast(schema))
    with whole(folder / "README.md") as stream:
        stream.write(dataset_card(run, {n: reader.schema for n, reader in tables.items()}).encode())


def write_csv(run: Run, folder: Path) -> None:
    r"""A CSV file for each table.

    A cell that a spreadsheet would run as a formula gets an apostrophe in front, and characters
    that cannot be printed are written out ("\n"). Parquet holds texts as they are.

    Args:
        run: A scored run.
        folder: Where to.

    Raises:
        UserError: The run is not scored, or a file of it is damaged.
    """
    for name, reader in _tables(run, _SAMPLE_COLUMNS):
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow(reader.schema.names)
            for batch in reader:
                columns = (column.to_pylist() for column in batch.columns)
                writer.writerows(map(_cells, zip(*columns, strict=True)))


def _tables(
    run: Run, columns: tuple[str, ...] | None = None
) -> Iterator[tuple[str, pa.RecordBatchReader]]:
    # The scores first: they refuse a run that has none before anything is read.
    yield "scores", run.scores().to_reader()
    yield "gaps", run.gaps().to_reader()
    yield "problems", run.problems().reader()
    yield "verdicts", run.verdicts().reader()
    yield "samples", run.samples(columns=columns).reader()


def _without_labels(schema: pa.Schema) -> pa.Schema:
    """Readers elsewhere do not all take dictionaries."""
    plain = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in schema
    ]
    return pa.schema(plain)


def _cells(row: tuple[object, ...]) -> list[object]:
    shown = (str(value) if isinstance(value, list | dict) else value for value in row)
    return [spreadsheet(value) if isinstance(value, str) else value for value in shown]
