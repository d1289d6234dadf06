"""Rows as flat records, and records as CSV."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Final

from distlab.analysis.contrasts import Contrast
from distlab.analysis.estimate import Estimate
from distlab.escape import spreadsheet
from distlab.store.cell import Cell

# Records whose fields need no prefix: their names say what they are.
_BARE: Final = frozenset(
    {"cell", "judge", "gap", "drop", "parts", "agreement", "sides", "sample", "trend"}
)
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
        for part in ("family", "variant", "decoding", "dataset", "prompt", "n"):
            yield f"{prefix}{part}", getattr(value, part)
    elif is_dataclass(value):
        yield from ((f"{prefix}{key}", item) for key, item in flatten(value).items())
    else:
        yield name, value


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
