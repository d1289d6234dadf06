"""Problems as Parquet, and checks over all problems of a set."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from distlab.errors import UserError
from distlab.files import whole
from distlab.problems.content import duplicates
from distlab.problems.problem import Gold, GoldKind, Problem
from distlab.problems.rows import Row

SCHEMA_VERSION = 1
_BATCH_ROWS = 65_536

PROBLEMS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("question", pa.string(), nullable=False),
        pa.field("gold_kind", pa.string(), nullable=False),
        pa.field("gold_text", pa.string(), nullable=False),
        # LIST golds: each value. CHOICE: every choice. TEXT: what else is accepted.
        pa.field("gold_items", pa.list_(pa.string()), nullable=False),
        # INTERVAL golds only: the accepted values, both ends included.
        pa.field("gold_lower", pa.float64()),
        pa.field("gold_upper", pa.float64()),
        pa.field("cluster", pa.string(), nullable=False),
        pa.field("pair", pa.string()),
        pa.field("side", pa.string()),
        # JSON object of names to values.
        pa.field("strata", pa.string(), nullable=False),
    ],
    metadata={"distlab.schema": "problems", "distlab.schema_version": str(SCHEMA_VERSION)},
)


def write_problems(path: Path, problems: Sequence[Problem]) -> None:
    """Write problems as zstd Parquet, in one step: a reader sees the old file or the new one.

    Args:
        path: The file; parent folders are made.
        problems: Any number, in order.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as stream, pq.ParquetWriter(stream, PROBLEMS, compression="zstd") as writer:
        for begin in range(0, max(1, len(problems)), _BATCH_ROWS):
            records = [_record(problem) for problem in problems[begin : begin + _BATCH_ROWS]]
            writer.write_table(pa.Table.from_pylist(records, schema=PROBLEMS))


def read_problems(path: Path) -> tuple[Problem, ...]:
    """Read what ``write_problems`` wrote.

    Raises:
        UserError: The file is absent, or not one of ours.
    """
    batches = problem_batches(path, _BATCH_ROWS)
    return tuple(_parse(record) for batch in batches for record in batch.to_pylist())


def problem_batches(
    path: Path, rows: int, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """What ``write_problems`` wrote, in batches.

    Args:
        path: The file.
        rows: Most rows of a batch.
        columns: Of ``PROBLEMS``; None for all.

    Raises:
        UserError: The file is absent, or not one of ours.
    """
    try:
        file = pq.ParquetFile(path)
        metadata = file.schema_arrow.metadata or {}
        if metadata.get(b"distlab.schema_version") != str(SCHEMA_VERSION).encode():
            raise UserError(f"{path} is not a problem file of version {SCHEMA_VERSION}; run again")
        yield from file.iter_batches(rows, columns=None if columns is None else list(columns))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; run `distlab.run` to write it") from None
    except pa.ArrowInvalid as error:
        raise UserError(f"{path} is not a problem file: {error}") from None


def unique(problems: Sequence[Problem], rows: Sequence[Row]) -> None:
    """Check that no two problems share an id.

    Args:
        problems: All problems of a set.
        rows: The row of each.

    Raises:
        UserError: Two rows hold the same problem.
    """
    if repeat := duplicates([problem.id for problem in problems]):
        later, first = (rows[position].place for position in repeat)
        raise UserError(f"{later} repeats the problem of {first}; remove one of the two rows")


def _record(problem: Problem) -> dict[str, object]:
    return {
        "id": problem.id,
        "dataset": problem.dataset,
        "question": problem.question,
        "gold_kind": problem.gold.kind.value,
        "gold_text": problem.gold.text,
        "gold_items": list(problem.gold.items),
        "gold_lower": problem.gold.lower,
        "gold_upper": problem.gold.upper,
        "cluster": problem.cluster,
        "pair": problem.pair,
        "side": problem.side,
        "strata": json.dumps(dict(problem.strata), sort_keys=True, ensure_ascii=False),
    }


def _parse(record: Mapping[str, Any]) -> Problem:
    gold = Gold(
        kind=GoldKind(record["gold_kind"]),
        text=record["gold_text"],
        items=tuple(record["gold_items"]),
        lower=record["gold_lower"],
        upper=record["gold_upper"],
    )
    return Problem(
        id=record["id"],
        dataset=record["dataset"],
        question=record["question"],
        gold=gold,
        cluster=record["cluster"],
        pair=record["pair"],
        side=record["side"],
        strata=json.loads(record["strata"]),
    )
