"""Rows as flat records, and records as CSV."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Final, get_type_hints

import pyarrow as pa

from distlab.analysis.contrasts import Contrast
from distlab.analysis.estimate import Estimate
from distlab.escape import spreadsheet
from distlab.store.cell import Cell

# Records whose fields need no prefix: their names say what they are.
_BARE: Final = frozenset(
    {"cell", "judge", "gap", "drop", "parts", "agreement", "sides", "sample", "trend"}
)
_CELL_PARTS: Final = ("family", "variant", "decoding", "dataset", "prompt", "n")
Record = dict[str, str | int | float | bool]


def flatten(row: Any) -> Record:  # noqa: ANN401 (any record of the tables)
    """A record's fields as columns; a nested record's get the name of the field in front."""
    return {
        name: value
        for field in fields(row)
        for name, value in flat(field.name, getattr(row, field.name))
    }


def flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """A value under its name, or its parts under theirs."""
    prefix = "" if name in _BARE else f"{name}_"
    if isinstance(value, Estimate):
        yield from ((name, value.value), (f"{name}_low", value.low), (f"{name}_high", value.high))
    elif isinstance(value, Contrast):
        yield from flat(name, value.estimate)
        yield from ((f"{name}_p", value.p), (f"{name}_error", value.error))
        apart = value.independent
        yield from ((f"{name}_independent_{end}", getattr(apart, end)) for end in ("low", "high"))
    elif isinstance(value, Cell):
        for part in _CELL_PARTS:
            yield f"{prefix}{part}", getattr(value, part)
    elif is_dataclass(value):
        yield from ((f"{prefix}{key}", item) for key, item in flatten(value).items())
    else:
        yield name, value


_ARROW: Final[Mapping[type, pa.DataType]] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
}


def record_schema(row: type[Any]) -> pa.Schema:
    """Names and types of a record's columns, as ``flatten`` names them, of any number of rows."""
    return pa.schema(
        [
            column
            for field, hint in get_type_hints(row).items()
            for column in _columns_of(field, hint)
        ]
    )


def _columns_of(name: str, hint: type[Any]) -> Iterator["pa.Field[pa.DataType]"]:
    if hint is Estimate:
        yield from (pa.field(f"{name}{end}", pa.float64()) for end in ("", "_low", "_high"))
    elif hint is Contrast:
        yield from _columns_of(name, Estimate)
        ends = ("_p", "_error", "_independent_low", "_independent_high")
        yield from (pa.field(f"{name}{end}", pa.float64()) for end in ends)
    elif is_dataclass(hint):
        prefix = "" if name in _BARE else f"{name}_"
        parts = _cell_columns() if hint is Cell else record_schema(hint)
        yield from (part.with_name(f"{prefix}{part.name}") for part in parts)
    else:
        yield pa.field(name, _ARROW.get(hint, pa.string()))


def _cell_columns() -> pa.Schema:
    hints = get_type_hints(Cell)
    return pa.schema([(part, _ARROW.get(hints[part], pa.string())) for part in _CELL_PARTS])


def csv_text(rows: Sequence[Record]) -> str:
    """Records as CSV that no spreadsheet runs."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow(
            spreadsheet(value) if isinstance(value, str) else value for value in row.values()
        )
    return text.getvalue()
