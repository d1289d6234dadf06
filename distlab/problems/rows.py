"""Rows of a JSONL, JSON, CSV or Parquet file, with the place of each for error messages."""

import codecs
import csv
import datetime
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final, TextIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from distlab.errors import UserError

_FIELD_CHARACTERS: Final = 2**31 - 1
# The first bytes of a Parquet file.
_PARQUET: Final = b"PAR1"
_GZIP: Final = b"\x1f\x8b"
# Rows of Parquet that are Python objects at once (ours).
_BATCH_ROWS: Final = 1000
# What separates the values of a CSV file; spreadsheets write any of them.
_SEPARATORS: Final = (",", "\t", ";")


class AnyOf(tuple[object, ...]):
    """A value of a gold column: answers of which each is right. Of a list, all are asked for."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row and where it stands.

    Attributes:
        place: "FILE line 7" or "FILE row 7", from 1.
        fields: Column name to value, as the file has it.
    """

    place: str
    fields: Mapping[str, object]

    def fault(self, field: str, problem: str) -> UserError:
        """The error to raise for one field."""
        return UserError(f"{self.place}: field `{field}` {problem}; correct or remove that row")

    def text(self, field: str) -> str:
        """A string that is not empty; numbers as JSON writes them, decimals and days as digits.

        Raises:
            UserError: The field is absent, empty, of another type, or not valid Unicode.
        """
        value = _written(self.fields.get(field))
        if value is None:
            raise self.fault(field, "is missing")
        if not isinstance(value, str):
            raise self.fault(field, f"must be text, not {type(value).__name__}")
        if not value.strip():
            raise self.fault(field, "is empty")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise self.fault(field, "is not valid Unicode") from None
        # CSV keeps the line ends it was written with; the rows are the same.
        return value.replace("\r\n", "\n")

    def label(self, field: str) -> str | None:
        """What rows are told apart by: a text, number, true or false; None where there is none.

        Raises:
            UserError: The field is of another type, or not valid Unicode.
        """
        value = self.fields.get(field)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if isinstance(value, float) and math.isnan(value):
            return None
        if isinstance(value, float) and value.is_integer():
            # Where some rows have none, pandas makes floats of whole numbers.
            value = int(value)
        return json.dumps(value) if isinstance(value, bool | int) else self.text(field)

    def integer(self, field: str) -> int:
        """A whole number.

        Raises:
            UserError: The field is absent or no whole number.
        """
        number = self.number(field)
        if not number.is_integer():
            raise self.fault(field, f"must be a whole number, not {number}")
        return int(number)

    def number(self, field: str) -> float:
        """A finite number.

        Raises:
            UserError: The field is absent or no finite number.
        """
        text = self.text(field)
        try:
            number = float(text)
        except ValueError:
            raise self.fault(field, f"must be a number, not {text!r}") from None
        if number != number or number in (float("inf"), float("-inf")):
            raise self.fault(field, f"must be a finite number, not {text!r}")
        return number


def _written(value: object) -> object:
    """Numbers and days as text; all else as it is. Pandas keeps days as times at midnight."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    return value.isoformat() if isinstance(value, datetime.date) else value


@dataclass(frozen=True, slots=True)
class RowStream:
    """Rows that can be asked for again: none is kept, and a file is read anew each time.

    Attributes:
        begin: Gives the rows from the first on.
    """

    begin: Callable[[], Iterator[Row]]

    def __iter__(self) -> Iterator[Row]:
        return self.begin()


def read_rows(path: Path) -> tuple[Row, ...]:
    """Every row of a file, by its suffix: .jsonl, .json, .csv or .parquet.

    Where there is another suffix, or the content plainly is of another of these, by its content.

    Raises:
        UserError: The file is absent, empty, unreadable, or one of its rows is malformed.
    """
    return tuple(each_row(path))


def each_row(path: Path) -> Iterator[Row]:
    """The rows of ``read_rows``, one after another; of a .json alone, the whole file is held.

    Raises:
        UserError: As ``read_rows``, where the iteration comes to it.
    """
    if path.is_dir():
        raise UserError(f"dataset file {path} is a folder; give the path of a file in it")
    if not path.is_file():
        raise UserError(f"dataset file {path} does not exist; give the path of a file")
    try:
        reader = _READERS.get(path.suffix.lower())
        if reader is None or _belies(path, reader):
            reader = _sniffed(path)
        is_empty = True
        for row in reader(path):
            is_empty = False
            yield row
    except UnicodeDecodeError as error:
        raise UserError(f"dataset file {path} is not UTF-8 at byte {error.start}") from None
    except OSError as error:
        raise UserError(f"dataset file {path} cannot be read: {error.strerror}") from error
    if is_empty:
        raise UserError(f"dataset file {path} has no rows; give a file with at least one")


def _belies(path: Path, reader: Callable[[Path], Iterator[Row]]) -> bool:
    """Whether a file of text begins as Parquet, one of CSV as JSON, or one of JSONL as a list."""
    if reader not in (_csv, _jsonl):
        return False
    if _begins_as_parquet(path):
        return True
    first = _first_line(path)
    listed = first == "[" or first.startswith("[{")
    return listed or (reader is _csv and first.startswith("{") and _is_json(first))


def _begins_as_parquet(path: Path) -> bool:
    with path.open("rb") as handle:
        return handle.read(len(_PARQUET)) == _PARQUET


def _first_line(path: Path) -> str:
    with _opened(path) as lines:
        return next((line for line in lines if line.strip()), "").strip()


def _sniffed(path: Path) -> Callable[[Path], Iterator[Row]]:
    """The reader that fits what a file begins with.

    Raises:
        UserError: None does.
    """
    if _begins_as_parquet(path):
        return _parquet
    first = _first_line(path)
    if first.startswith("["):
        return _json
    if first.startswith("{"):
        return _jsonl if _is_json(first) else _json
    if any(separator in first for separator in _SEPARATORS):
        return _csv
    raise UserError(
        f"dataset file {path} has an unknown suffix and begins like none of "
        f"{', '.join(_READERS)}; write it as one of them"
    )


def _opened(path: Path, newline: str | None = "\n") -> TextIO:
    """A text file without its byte order mark; lines end where ``newline`` says, and only there.

    Raises:
        UserError: It is UTF-16, as spreadsheets export it, or compressed.
    """
    with path.open("rb") as handle:
        first = handle.read(2)
    if first in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\0" in first:
        raise UserError(f"dataset file {path} is UTF-16; save it as UTF-8")
    if first == _GZIP:
        raise UserError(f"dataset file {path} is compressed; unpack it with gunzip")
    return path.open(encoding="utf-8-sig", newline=newline)


def _jsonl(path: Path) -> Iterator[Row]:
    with _opened(path) as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                place = f"{path} line {number}"
                yield _object(place, _parse(place, line))


def _json(path: Path) -> Iterator[Row]:
    with _opened(path) as stream:
        text = stream.read()
    first, _, rest = text.strip().partition("\n")
    # Many a .json holds an object a line.
    if rest and first.startswith("{") and _is_json(first):
        yield from _jsonl(path)
        return
    value = _parse(str(path), text)
    if isinstance(value, dict):
        value = _rows_in(value)
    if not isinstance(value, list):
        raise UserError(f"{path} must hold a list of objects; write one object per row")
    for number, item in enumerate(value, start=1):
        yield _object(f"{path} row {number}", item)


def _rows_in(value: Mapping[str, object]) -> object:
    """The rows of an object of objects, each with its key; or its one list of objects."""
    if all(isinstance(item, dict) for item in value.values()):
        return [{"key": key, **item} for key, item in value.items() if isinstance(item, dict)]
    lists = [item for item in value.values() if isinstance(item, list) and item]
    found = [item for item in lists if all(isinstance(row, dict) for row in item)]
    return found[0] if len(found) == 1 else value


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _parse(place: str, text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{place} is not valid JSON ({error}); correct or remove it") from None


def _object(place: str, value: object) -> Row:
    if not isinstance(value, dict):
        raise UserError(f"{place} must be a JSON object, not {type(value).__name__}")
    return Row(place, value)


def _csv(path: Path) -> Iterator[Row]:
    # A field may hold a model's whole output; the limit of the library is 128 KiB.
    csv.field_size_limit(_FIELD_CHARACTERS)
    with _opened(path, newline="") as lines:
        reader = csv.DictReader(lines, strict=True, delimiter=_separator(path))
        line = 2
        try:
            _refuse_twice(path, reader.fieldnames or ())
            for fields in reader:
                place = f"{path} line {line}"
                if None in fields:
                    raise UserError(f"{place} has more values than the header has columns")
                yield Row(place, fields)
                line = reader.line_num + 1
        except csv.Error as error:
            raise UserError(f"{path} line {line} is not valid CSV ({error})") from None


def _refuse_twice(path: Path, header: Sequence[str]) -> None:
    """Refuse a header that names two columns alike: only one of them could be read.

    Raises:
        UserError: It does.
    """
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise UserError(f"{path} has two columns `{twice[0]}`; give one of them another name")


def _separator(path: Path) -> str:
    """What separates the names of a header; a comma where there is one name."""
    with _opened(path) as lines:
        header = lines.readline()
    return max(_SEPARATORS, key=header.count)


def _parquet(path: Path) -> Iterator[Row]:
    try:
        with pq.ParquetFile(path) as file:
            batches = file.iter_batches(_BATCH_ROWS)
            rows = (fields for batch in batches for fields in _shortest(batch).to_pylist())
            for number, fields in enumerate(rows, start=1):
                yield Row(f"{path} row {number}", fields)
    except pa.ArrowInvalid as error:
        raise UserError(f"dataset file {path} is not valid Parquet ({error})") from None


def _shortest(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Columns of float32 by their shortest digits: 0.1, not 0.10000000149011612."""
    for place, field in enumerate(batch.schema):
        if pa.types.is_float32(field.type):
            digits = pc.cast(pc.cast(batch.column(place), pa.string()), pa.float64())
            batch = batch.set_column(place, field.name, digits)
    return batch


_READERS: Mapping[str, Callable[[Path], Iterator[Row]]] = {
    ".jsonl": _jsonl,
    ".json": _json,
    ".csv": _csv,
    ".parquet": _parquet,
}
