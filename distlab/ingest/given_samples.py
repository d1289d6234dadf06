"""The samples of a row in a user's file, checked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from distlab.ingest.columns import ColumnMap
from distlab.problems.rows import Row

# Finish reasons of common engines and APIs; what is neither is refused.
_FINISHED: Final = {
    "length": True,
    "max_tokens": True,
    "model_length": True,
    "stop": False,
    "stop_sequence": False,
    "eos": False,
    "eos_token": False,
    "end_turn": False,
}

_LABELS: Final = {
    "true": True,
    "1": True,
    "1.0": True,
    "correct": True,
    "false": False,
    "0": False,
    "0.0": False,
    "incorrect": False,
}
# Characters of a value that a message shows (ours).
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class GivenSample:
    """One completion of the file.

    Attributes:
        text: The completion.
        truncated: Whether it was cut off; False where the file does not say.
        delta: CoT-decoding's confidence; None where the file does not say.
        is_correct: What the file's label says; None where there is none.
    """

    text: str
    truncated: bool = False
    delta: float | None = None
    is_correct: bool | None = None


def samples_of(row: Row, columns: ColumnMap, of_each: Mapping[str, str]) -> Iterator[GivenSample]:
    """The samples of a row: those of its list, or one.

    Args:
        row: The row.
        columns: Which column holds what.
        of_each: Their ``of_each_sample``, which takes as long as reading a sample.

    Raises:
        UserError: They are not what they must be.
    """
    if isinstance(row.fields[columns.samples], list):
        yield from _listed(row, columns, of_each)
    else:
        values = {name: row.fields.get(column) for name, column in of_each.items()}
        yield _sample(row, columns, values)


def _listed(row: Row, columns: ColumnMap, of_each: Mapping[str, str]) -> Iterator[GivenSample]:
    if columns.rank is not None:
        raise row.fault(columns.rank, "is mapped to rank, but a list of samples has ranks already")
    given = row.fields[columns.samples]
    count = len(given) if isinstance(given, list) else 0
    if not count:
        raise row.fault(columns.samples, "is an empty list")
    lists = {}
    for name, column in of_each.items():
        values = row.fields[column]
        if count == 1 and not isinstance(values, list):
            values = [values]
        if not isinstance(values, list) or len(values) != count:
            raise row.fault(column, f"must be a list of {count}, as many as there are samples")
        lists[name] = values
    for rank in range(count):
        yield _sample(row, columns, {name: values[rank] for name, values in lists.items()})


def _sample(row: Row, columns: ColumnMap, values: Mapping[str, object]) -> GivenSample:
    text = _text(row, columns.samples, values["samples"])
    return GivenSample(
        text=text,
        truncated=_truncated(row, columns.truncated, values.get("truncated")),
        delta=_delta(row, columns.delta, values.get("delta")),
        is_correct=_label(row, columns.label, values.get("label")),
    )


def _text(row: Row, column: str, value: object) -> str:
    """A completion: a text, or an object with one under ``text``, as engines and APIs give it."""
    if isinstance(value, Mapping):
        if isinstance(text := value.get("text"), str):
            return text
        fields = ", ".join(map(str, value)) or "no fields"
        raise row.fault(
            column, f"holds objects with {fields}: name the field of the text, as in {column}.NAME"
        )
    if isinstance(value, list):
        raise row.fault(column, f"holds lists of texts: name one by its place, as in {column}.0")
    if not isinstance(value, str):
        raise row.fault(column, f"must hold texts, not {_kind(value)}")
    return value


def _truncated(row: Row, column: str | None, value: object) -> bool:
    if column is None:
        return False
    # A CSV writes true and false as text.
    known = _FINISHED | {"true": True, "false": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in known:
        return known[value.strip().lower()]
    raise row.fault(column, "must be true, false, or a finish reason such as length or stop")


def _delta(row: Row, column: str | None, value: object) -> float | None:
    if column is None or value is None or value == "":
        return None
    return Row(row.place, {column: value}).number(column)


def _label(row: Row, column: str | None, value: object) -> bool | None:
    if column is None:
        return None
    if (label := label_of(value)) is None:
        shown = repr(value)[:_SHOWN]
        raise row.fault(column, f"must be true, false, 1, 0, correct or incorrect, not {shown}")
    return label


def label_of(value: object) -> bool | None:
    """What a label says: whether a sample is correct; None where it is no label."""
    if isinstance(value, bool | int | float):
        return bool(value) if value in (0, 1) else None
    return _LABELS.get(value.strip().lower()) if isinstance(value, str) else None


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
