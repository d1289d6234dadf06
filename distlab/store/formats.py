"""Formats of shards: what earlier versions wrote, and how it becomes today's while it is read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from distlab.store.sample_schema import FORMAT_KEY, SAMPLES

# Ours are whole numbers so far; a later distlab may count otherwise.
_VERSION: Final = re.compile(rb"[1-9][0-9]*(?:\.[0-9]+)*")


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


# The columns that each format brought, by today's names; it has those of earlier ones, too.
_BROUGHT: Final[Mapping[int, tuple[str, ...]]] = {
    1: (
        *("problem_id", "rank", "prompt_hash", "prompt_tokens", "seed", "token_ids", "text"),
        *("finish_reason", "stop_string", "truncated", "first_token_logprob", "margins"),
        *("given_delta", "run"),
    ),
    2: ("token_lengths",),
    3: ("computed_tokens", "turn_end"),
    4: ("thinking_end", "thinking_tokens"),
}
# Format 1 had the Delta that the replica computed, from the span of ``rules``.
_RENAMED: Final[Mapping[int, Mapping[str, str]]] = {1: {"given_delta": "delta"}}


def _format(number: int) -> Format:
    names = _RENAMED.get(number, {})
    columns = [column for since in _BROUGHT if since <= number for column in _BROUGHT[since]]
    fields = [SAMPLES.field(column).with_name(names.get(column, column)) for column in columns]
    return Format(pa.schema(fields), names)


FORMATS: Final[Mapping[int, Format]] = {number: _format(number) for number in _BROUGHT}


def format_of(schema: pa.Schema) -> str | None:
    """The format that a shard's schema names, as "4" or "5.1"; None where it names none."""
    named = (schema.metadata or {}).get(FORMAT_KEY, b"")
    return named.decode() if _VERSION.fullmatch(named) else None
