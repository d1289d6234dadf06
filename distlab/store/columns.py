"""Arrow columns of one type, and their values; and what is computed of several."""

from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

TextArray: TypeAlias = "pa.Array[pa.Scalar[pa.lib.StringType]]"


def strings(column: "TextArray | pa.ChunkedArray[pa.StringScalar]") -> list[str]:
    """The values of a column of text, which has no nulls.

    Raises:
        ValueError: It has some.
    """
    values = [value for value in column.to_pylist() if value is not None]
    if len(values) < len(column):
        raise ValueError(f"{len(column) - len(values)} of {len(column)} values are null")
    return values


def token_counts(samples: pa.Table | pa.RecordBatch) -> "pa.ChunkedArray[pa.Int32Scalar]":
    """New tokens of each sample; where it holds none, as many as a server says it generated.

    Args:
        samples: With the columns ``token_ids`` and ``computed_tokens``.
    """
    table = samples if isinstance(samples, pa.Table) else pa.Table.from_batches([samples])
    lengths = pc.list_value_length(table.column("token_ids"))
    said = pc.coalesce(table.column("computed_tokens"), lengths)
    counts: pa.ChunkedArray[pa.Int32Scalar] = pc.if_else(
        pc.equal(lengths, pa.scalar(0)), said, lengths
    )
    return counts
