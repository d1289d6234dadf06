"""Rows of a user's file in; problems with their samples out, everything checked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from distlab.errors import UserError
from distlab.ingest.columns import LABEL_COLUMNS, ColumnMap
from distlab.problems.content import same_question, text_hash
from distlab.problems.problem import Problem
from distlab.problems.rows import Row
from distlab.tabular.columns import row_file
from distlab.tabular.golds import ReadGold, equal, gold_of, read_golds
from distlab.tabular.problem_rows import problem_of

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


@dataclass(frozen=True, slots=True)
class GivenProblem:
    """A problem and its samples by rank."""

    problem: Problem
    samples: tuple[GivenSample, ...]


@dataclass(frozen=True, slots=True)
class GivenFile:
    """What one or more files hold.

    Attributes:
        problems: In the order of the files, each with as many samples.
        golds: How the gold of each problem was read.
    """

    problems: tuple[GivenProblem, ...]
    golds: tuple[ReadGold, ...]


def read_given(
    rows: Sequence[Row], columns: ColumnMap, dataset: str, gold_kind: str, n: int | None
) -> GivenFile:
    """Problems in the file's order, each with n samples.

    Rows whose samples are a list hold a problem each, or several of another file; rows with one
    text hold a sample each, and those of one problem are put together.

    Args:
        rows: The rows of one file or of several, one at least, as ``ColumnMap.laid_out`` gives
            them.
        columns: Which column holds what.
        dataset: Name that the problems get.
        gold_kind: As ``read_golds`` takes it.
        n: Samples to keep of each problem; None keeps all, which must then be equally many.

    Raises:
        UserError: A row or the whole is not what it must be; the sentence names row and field.
    """
    columns.check(rows)
    ids = [_id(row, columns, dataset) for row in rows]
    groups = _grouped(rows, columns, ids)
    firsts = [mine[0] for mine in groups.values()]
    golds = read_golds(firsts, columns, gold_kind)
    _refuse_other_golds(groups.values(), golds, columns, gold_kind)
    given = [
        GivenProblem(
            problem_of(mine[0], columns, name, dataset, read.gold), _samples(mine, columns)
        )
        for (name, mine), read in zip(groups.items(), golds, strict=True)
    ]
    return GivenFile(_even(given, firsts, columns.samples, n), golds)


def with_labels(columns: ColumnMap, rows: Sequence[Row]) -> ColumnMap:
    """The columns with that of the labels, where none is mapped and one alone looks like it.

    That is a column of a name that tools use, with a list of labels beside each list of samples.
    """
    if columns.label is not None:
        return columns
    found = [name for name in LABEL_COLUMNS if all(_beside(row, columns, name) for row in rows)]
    taken = len(found) == 1 and found[0] not in columns.named()
    return replace(columns, label=found[0]) if taken else columns


def _beside(row: Row, columns: ColumnMap, name: str) -> bool:
    """Whether a row has a label for each of its samples in a list."""
    samples, labels = row.fields.get(columns.samples), row.fields.get(name)
    return (
        isinstance(samples, list)
        and isinstance(labels, list)
        and len(samples) == len(labels)
        and all(label_of(label) is not None for label in labels)
    )


def _id(row: Row, columns: ColumnMap, dataset: str) -> str:
    if columns.problem_id is not None:
        return row.text(columns.problem_id).strip()
    assert columns.question is not None
    # As the loaders name problems of GSM8K, so that ingested ones pair with theirs.
    return f"{dataset}-{text_hash(row.text(columns.question))}"


def _grouped(rows: Sequence[Row], columns: ColumnMap, ids: Sequence[str]) -> dict[str, list[Row]]:
    """The rows of each problem: one with a list of samples, or any number with a sample each."""
    listed = isinstance(rows[0].fields[columns.samples], list)
    groups: dict[str, list[Row]] = {}
    for row, name in zip(rows, ids, strict=True):
        if isinstance(row.fields[columns.samples], list) != listed:
            first = "a list" if listed else "one text"
            raise row.fault(columns.samples, f"must be {first}, as in {rows[0].place}")
        mine = groups.setdefault(name, [])
        if listed and mine and row_file(mine[-1]) == row_file(row):
            raise UserError(
                f"{row.place} repeats the problem {name!r} of {mine[-1].place}; "
                "remove one of the two rows, or map problem_id to a column of ids"
            )
        if mine:
            _refuse_other_question(mine[0], row, columns.question)
        mine.append(row)
    return groups


def _refuse_other_question(first: Row, row: Row, column: str | None) -> None:
    if column is not None and not same_question(first.text(column), row.text(column)):
        raise row.fault(column, f"is not that of {first.place}, the same problem")


def _refuse_other_golds(
    groups: Iterable[Sequence[Row]],
    golds: Sequence[ReadGold],
    columns: ColumnMap,
    gold_kind: str,
) -> None:
    """Refuse rows of one problem with golds that are not equal."""
    others = [
        (row, mine[0], read.gold)
        for mine, read in zip(groups, golds, strict=True)
        for row in mine[1:]
        if row.fields[columns.gold] != mine[0].fields[columns.gold]
    ]
    same = equal([(gold, gold_of(row, columns, gold_kind)) for row, _, gold in others])
    for (row, first, _), is_same in zip(others, same, strict=True):
        if not is_same:
            raise row.fault(columns.gold, f"is not that of {first.place}, the same problem")


def _samples(rows: Sequence[Row], columns: ColumnMap) -> tuple[GivenSample, ...]:
    if isinstance(rows[0].fields[columns.samples], list):
        return tuple(sample for row in rows for sample in _listed(row, columns))
    of_each = columns.of_each_sample()
    return tuple(
        _sample(row, columns, {name: row.fields.get(column) for name, column in of_each.items()})
        for row in _by_rank(rows, columns.rank)
    )


def _listed(row: Row, columns: ColumnMap) -> Iterator[GivenSample]:
    if columns.rank is not None:
        raise row.fault(columns.rank, "is mapped to rank, but a list of samples has ranks already")
    given = row.fields[columns.samples]
    count = len(given) if isinstance(given, list) else 0
    if not count:
        raise row.fault(columns.samples, "is an empty list")
    lists = {}
    for name, column in columns.of_each_sample().items():
        values = row.fields[column]
        if count == 1 and not isinstance(values, list):
            values = [values]
        if not isinstance(values, list) or len(values) != count:
            raise row.fault(column, f"must be a list of {count}, as many as there are samples")
        lists[name] = values
    for rank in range(count):
        yield _sample(row, columns, {name: values[rank] for name, values in lists.items()})


def _by_rank(rows: Sequence[Row], column: str | None) -> Sequence[Row]:
    if column is None:
        return rows
    ranked: dict[int, Row] = {}
    for row in rows:
        rank = row.integer(column)
        if rank in ranked:
            raise row.fault(column, f"repeats rank {rank} of {ranked[rank].place}, same problem")
        ranked[rank] = row
    if absent := set(range(len(rows))) - set(ranked):
        raise rows[0].fault(column, f"leaves out rank {min(absent)} of this problem")
    return [ranked[rank] for rank in sorted(ranked)]


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


def _even(
    given: Iterable[GivenProblem], rows: Sequence[Row], column: str, n: int | None
) -> tuple[GivenProblem, ...]:
    """Every problem with n samples, or all with equally many."""
    made = tuple(given)
    wanted = len(made[0].samples) if n is None else n
    for item, row in zip(made, rows, strict=True):
        count = len(item.samples)
        if n is not None and count < n:
            raise row.fault(column, f"gives problem {item.problem.id!r} {count} samples, not {n}")
        if n is None and count != wanted:
            least = min(len(other.samples) for other in made)
            raise UserError(
                f"{row.place}: field `{column}` gives problem {item.problem.id!r} {count} samples "
                f"where {rows[0].place} has {wanted}; --n {least} keeps the first {least} of each"
            )
    return tuple(GivenProblem(item.problem, item.samples[:wanted]) for item in made)


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
