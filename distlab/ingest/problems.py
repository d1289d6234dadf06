"""Rows of a user's file in; problems with their samples out, everything checked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from distlab.errors import UserError
from distlab.ingest.columns import ColumnMap
from distlab.ingest.golds import read_golds
from distlab.problems.content import text_hash
from distlab.problems.problem import SIDES, Gold, Problem, Side
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


@dataclass(frozen=True, slots=True)
class GivenSample:
    """One completion of the file.

    Attributes:
        text: The completion.
        truncated: Whether it was cut off; False where the file does not say.
        delta: CoT-decoding's confidence; None where the file does not say.
    """

    text: str
    truncated: bool = False
    delta: float | None = None


@dataclass(frozen=True, slots=True)
class GivenProblem:
    """A problem and its samples by rank."""

    problem: Problem
    samples: tuple[GivenSample, ...]


def read_given(
    rows: Sequence[Row], columns: ColumnMap, dataset: str, gold_kind: str, n: int | None
) -> tuple[GivenProblem, ...]:
    """Problems in the file's order, each with n samples.

    Rows whose samples are a list hold a problem each; rows with one text hold a sample each, and
    those of one problem are put together.

    Args:
        rows: The file, one row at least.
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
    given = [
        GivenProblem(_problem(mine[0], columns, name, dataset, gold), _samples(mine, columns))
        for (name, mine), gold in zip(groups.items(), golds, strict=True)
    ]
    return _even(given, firsts, columns.samples, n)


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
        if mine and listed:
            raise UserError(
                f"{row.place} repeats the problem {name!r} of {mine[0].place}; "
                "remove one of the two rows, or map problem_id to a column of ids"
            )
        if mine:
            _same(mine[0], row, columns)
        mine.append(row)
    return groups


def _same(first: Row, row: Row, columns: ColumnMap) -> None:
    for column in (columns.gold, columns.question):
        if column is not None and row.fields[column] != first.fields[column]:
            raise row.fault(column, f"is not that of {first.place}, the same problem")


def _problem(row: Row, columns: ColumnMap, name: str, dataset: str, gold: Gold) -> Problem:
    def optional(column: str | None) -> str | None:
        return None if column is None else row.text(column)

    return Problem(
        id=name,
        dataset=dataset,
        question=optional(columns.question) or "",
        gold=gold,
        cluster=optional(columns.cluster) or optional(columns.pair) or name,
        pair=optional(columns.pair),
        side=_side(row, columns.side),
        strata={stratum: row.text(column) for stratum, column in columns.strata.items()},
    )


def _side(row: Row, column: str | None) -> Side | None:
    if column is None:
        return None
    text = row.text(column)
    for side in SIDES:
        if side == text:
            return side
    raise row.fault(column, f"must be {', '.join(SIDES[:-1])} or {SIDES[-1]}, not {text!r}")


def _samples(rows: Sequence[Row], columns: ColumnMap) -> tuple[GivenSample, ...]:
    listed = rows[0].fields[columns.samples]
    if isinstance(listed, list):
        return _listed(rows[0], columns, len(listed))
    return tuple(
        _sample(row, columns, {name: row.fields.get(column) for name, column in _of(columns)})
        for row in _by_rank(rows, columns.rank)
    )


def _of(columns: ColumnMap) -> list[tuple[str, str]]:
    """The mapped columns that hold something of each sample."""
    names = ("samples", "truncated", "delta")
    return [(name, column) for name in names if (column := getattr(columns, name)) is not None]


def _listed(row: Row, columns: ColumnMap, count: int) -> tuple[GivenSample, ...]:
    if columns.rank is not None:
        raise row.fault(columns.rank, "is mapped to rank, but a list of samples has ranks already")
    if not count:
        raise row.fault(columns.samples, "is an empty list")
    lists = {}
    for name, column in _of(columns):
        values = row.fields[column]
        if not isinstance(values, list) or len(values) != count:
            raise row.fault(column, f"must be a list of {count}, as many as there are samples")
        lists[name] = values
    return tuple(
        _sample(row, columns, {name: values[rank] for name, values in lists.items()})
        for rank in range(count)
    )


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
    text = values["samples"]
    if not isinstance(text, str):
        raise row.fault(columns.samples, f"must hold texts, not {_kind(text)}")
    return GivenSample(
        text=text,
        truncated=_truncated(row, columns.truncated, values.get("truncated")),
        delta=_delta(row, columns.delta, values.get("delta")),
    )


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
