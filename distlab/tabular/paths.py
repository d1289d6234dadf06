"""Dotted paths into nested columns, and lists that a file writes as text."""

import ast
import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from distlab.problems.rows import Row

# Names of nested columns that a message lists at most (ours).
_MOST_NESTED: Final = 50


def with_paths(rows: Sequence[Row], columns: Sequence[str]) -> list[Row]:
    """The rows, with what each dotted path leads to as a column of that name.

    A column that is there under the whole name comes first. A number is a place in a list;
    a name behind a list is taken of each item: ``outputs.text`` of ``[{"text": "a"}]`` is ["a"].

    Args:
        rows: The file.
        columns: Names of columns, dotted or not.
    """
    return list(each_with_paths(rows, columns))


def each_with_paths(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[Row]:
    """The rows of ``with_paths``, one after another."""
    dotted = [column for column in columns if "." in column]
    return (_with(row, dotted) for row in rows) if dotted else iter(rows)


def _with(row: Row, dotted: Sequence[str]) -> Row:
    found: dict[str, Any] = {}
    for column in dotted:
        if column not in row.fields:
            try:
                found[column] = _value(row.fields, column.split("."))
            except LookupError:
                continue
    return replace(row, fields={**row.fields, **found}) if found else row


def _value(value: Any, path: Sequence[str]) -> Any:  # noqa: ANN401 (JSON of any shape)
    for depth, name in enumerate(path):
        if isinstance(value, Mapping):
            value = value[name]
        elif isinstance(value, list) and name.isdecimal():
            value = value[int(name)]
        elif isinstance(value, list):
            return [_value(item, path[depth:]) for item in value]
        else:
            raise KeyError(name)
    return value


def names(row: Row) -> tuple[str, ...]:
    """What ``--map`` may name in a row: its columns, and nested ones by path."""
    found: list[str] = []
    for name in _nested("", row.fields):
        if len(found) == _MOST_NESTED:
            break
        found.append(name)
    return tuple(found)


def _nested(prefix: str, fields: Mapping[Any, Any]) -> Iterator[str]:
    for key, value in fields.items():
        yield f"{prefix}{key}"
        item = value[0] if isinstance(value, list) and value else value
        if isinstance(item, Mapping) and not prefix:
            yield from _nested(f"{key}.", item)


def unpacked(row: Row, samples: str, others: Sequence[str]) -> Row | None:
    """A row with lists, where its cell of samples is a list written as text, as in a CSV.

    Args:
        row: Of a file.
        samples: Column of the samples.
        others: Columns that hold a value of each sample.

    Returns:
        None where the cell of samples is something else.
    """
    values = listed(row.fields.get(samples))
    if not values or not all(isinstance(value, str) for value in values):
        return None
    beside = {name: listed(row.fields.get(name)) for name in others}
    lists = {name: found for name, found in beside.items() if found is not None}
    return replace(row, fields={**row.fields, **lists, samples: values})


def listed(value: object) -> list[Any] | None:
    """A list written as JSON, or as Python writes it."""
    if not isinstance(value, str) or not (value.startswith("[") and value.endswith("]")):
        return None
    for parse in (json.loads, _literal):
        try:
            found = parse(value)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return found if isinstance(found, list) else None
    return None


def _literal(text: str) -> object:
    with warnings.catch_warnings():
        # "\\(" in a model's text is no escape of Python's, which would say so.
        warnings.simplefilter("ignore")
        return ast.literal_eval(text)
