"""Which of several equal samples counts: the first, and shards come in the order of their names."""

from collections.abc import Sequence

import pyarrow as pa


def first_of_each(table: pa.Table, key: Sequence[str]) -> "pa.Array[pa.Int64Scalar]":
    """Numbers of the rows that count, ascending: of each key its first row.

    Args:
        table: Rows of shards, in the shards' order.
        key: The columns that tell samples apart.
    """
    numbers = pa.array(range(table.num_rows), pa.int64())
    indexed = table.select(list(key)).append_column("_row", numbers)
    firsts = indexed.group_by(list(key)).aggregate([("_row", "min")]).column("_row_min")
    return firsts.combine_chunks().sort()
