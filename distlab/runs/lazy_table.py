"""LazyTable: a table that is read when somebody asks for its rows, and again each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd

# Rows that ``head`` gives (ours).
_HEAD = 10


@dataclass(frozen=True, slots=True)
class LazyTable:
    """A table on disk. Nothing is read before its rows are asked for, and nothing is kept.

    Whatever takes Arrow's C stream takes it as it is: ``duckdb.sql("FROM samples")`` of a variable
    ``samples``, ``polars.DataFrame(samples)``, ``pyarrow.table(samples)``. A stream is read batch
    by batch, so that a query over any number of rows takes the memory of some thousand of them.

    Attributes:
        schema: Names and types of the columns.
        batches: Reads the table anew: its rows, in batches of that schema.
    """

    schema: pa.Schema
    batches: Callable[[], Iterator[pa.RecordBatch]]

    def reader(self) -> pa.RecordBatchReader:
        """A stream of all rows, to be gone through once."""
        return pa.RecordBatchReader.from_batches(self.schema, self.batches())

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        capsule: object = self.reader().__arrow_c_stream__(requested_schema)  # type: ignore[no-untyped-call]
        return capsule

    def head(self, rows: int = _HEAD) -> pa.Table:
        """The first rows; no more is read than they take."""
        taken: list[pa.RecordBatch] = []
        left = rows
        batches = self.batches()
        while left > 0 and (batch := next(batches, None)) is not None:
            taken.append(batch.slice(0, left))
            left -= batch.num_rows
        return pa.Table.from_batches(taken, self.schema)

    def to_table(self) -> pa.Table:
        """All rows, in memory."""
        return pa.Table.from_batches(self.batches(), self.schema).unify_dictionaries()

    def to_pandas(self) -> pd.DataFrame:
        """All rows, in memory; labels become categories."""
        return self.to_table().to_pandas()

    def __repr__(self) -> str:
        columns = ", ".join(f"{field.name}: {field.type}" for field in self.schema)
        return f"LazyTable({columns})"
