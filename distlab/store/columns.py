"""Arrow columns of one type, and their values."""

from typing import TypeAlias

import pyarrow as pa

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
