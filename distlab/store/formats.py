"""Formats of shards: what earlier versions wrote, and how it becomes today's while it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from distlab.store.sample_schema import FORMAT, FORMAT_KEY, SAMPLES


@dataclass(frozen=True, slots=True)
class Format:
    """How shards of one format hold a sample.

    Attributes:
        schema: Of its shards.
        names: Today's name of a column to its name there, of columns that were renamed.
    """

    schema: pa.Schema
    names: Mapping[str, str]

    def stored(self, columns: Sequence[str]) -> list[str]:
        """The columns of the shard that some of today's columns are made of."""
        found = [self.names.get(column, column) for column in columns]
        return [name for name in found if name in self.schema.names]

    def upgrade(self, table: pa.Table, columns: Sequence[str]) -> pa.Table:
        """Rows of a shard as today's columns; a column that the format lacks is null."""
        arrays = [self._column(table, column) for column in columns]
        fields = [SAMPLES.field(column) for column in columns]
        return pa.table(arrays, schema=pa.schema(fields).with_metadata(SAMPLES.metadata or {}))

    def _column(self, table: pa.Table, column: str) -> "pa.ChunkedArray[pa.Scalar[pa.DataType]]":
        name = self.names.get(column, column)
        if name in self.schema.names:
            return table.column(name)
        return pa.chunked_array([pa.nulls(table.num_rows, SAMPLES.field(column).type)])


def _format_1() -> Format:
    """Until November 2026: Delta was computed in the replica, from the span of ``rules``."""
    delta = pa.field("delta", pa.float32())
    later = ("token_lengths", "computed_tokens", "turn_end")
    fields = [
        delta if field.name == "given_delta" else field
        for field in SAMPLES
        if field.name not in later
    ]
    return Format(pa.schema(fields), {"given_delta": "delta"})


def _format_2() -> Format:
    """Until siblings were drawn together: a sample's tokens were all generated for it."""
    later = ("computed_tokens", "turn_end")
    return Format(pa.schema([field for field in SAMPLES if field.name not in later]), {})


FORMATS: Mapping[int, Format] = {1: _format_1(), 2: _format_2(), FORMAT: Format(SAMPLES, {})}


def format_of(schema: pa.Schema) -> int | None:
    """The format that a shard's schema names; None where it names none."""
    named = (schema.metadata or {}).get(FORMAT_KEY, b"")
    return int(named) if named.isdigit() else None
