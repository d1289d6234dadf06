"""every_eval_ever: instance-level JSONL, with the aggregate JSON that it names.

Seen with 0.3.0. What its converter of lm-eval's logs gives as a model's response is what lm-eval's
filter left of it, so that the responses of two evaluation results may differ.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from distlab.errors import UserError
from distlab.logs.log import (
    CHOICES,
    GOLD,
    ID,
    QUESTION,
    RANK,
    SAMPLE,
    EvalLog,
    LogScore,
    ScoreOfSample,
    as_score,
    gold_of_target,
    item,
    needed,
    said_of,
)
from distlab.problems.rows import Row, read_rows

TOOL: Final = "every-eval-ever"


def is_one(first: Mapping[str, object]) -> bool:
    """Whether a row is an instance-level record."""
    return {"evaluation_id", "sample_id", "interaction_type", "input"} <= set(first)


def read(file: Path) -> EvalLog:
    """The records of one evaluation.

    Raises:
        UserError: It holds conversations, which are no completions.
    """
    records = read_rows(file)
    _refuse_several(file, records)
    aggregate = _aggregate(file, str(records[0].fields["evaluation_id"]))
    results = list(dict.fromkeys(_result(row) for row in records))
    of_first = [row for row in records if _result(row) == results[0]]
    same = [name for name in results if _texts(records, name) == _texts(records, results[0])]
    rows = tuple(_rows(of_first))
    settings = {
        "schema": records[0].fields.get("schema_version"),
        "evaluation": records[0].fields["evaluation_id"],
        "source": item(aggregate, "source_metadata"),
        "library": item(aggregate, "eval_library"),
        "sampling": item(
            aggregate, "evaluation_results", 0, "generation_config", "generation_args"
        ),
    }
    return EvalLog(
        tool=TOOL,
        task=str(records[0].fields.get("evaluation_name")),
        model=str(records[0].fields.get("model_id")),
        rows=rows,
        scores=tuple(_scores(records, same, aggregate)),
        settings=said_of(settings),
        said=(
            *([] if aggregate else [f"no aggregate of this evaluation lies beside {file.name}"]),
            *(
                f"samples are those of {results[0]}; {name} is of other texts and left out"
                for name in results
                if name not in same
            ),
        ),
    )


def _refuse_several(file: Path, records: Sequence[Row]) -> None:
    """Refuse records of several models or evaluations: they are no draws of one another.

    Raises:
        UserError: There are several.
    """
    for name in ("model_id", "evaluation_id"):
        found = {str(record.fields.get(name)) for record in records}
        if len(found) > 1:
            one, other = sorted(found)[:2]
            raise UserError(
                f"{file} holds records with `{name}` {one!r} and {other!r}: write each into a "
                "file of its own"
            )


def _result(row: Row) -> str:
    """Which aggregate result a record is part of."""
    found = row.fields.get("evaluation_result_id") or row.fields.get("evaluation_name")
    return str(found)


def _texts(records: Sequence[Row], result: str) -> list[tuple[object, object]]:
    """The responses that an evaluation result is of."""
    return [
        (record.fields["sample_id"], item(record.fields, "output", "raw"))
        for record in records
        if _result(record) == result
    ]


def _aggregate(file: Path, evaluation: str) -> Mapping[str, Any] | None:
    """The JSON beside the file that has its evaluation's id."""
    for path in sorted(file.parent.glob("*.json")):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError):
            continue
        if item(found, "evaluation_id") == evaluation:
            return found if isinstance(found, Mapping) else None
    return None


def _rows(records: Sequence[Row]) -> Iterator[Row]:
    """A row per response; records of one problem go on with its ranks."""
    drawn: dict[str, int] = {}
    for record in records:
        texts = item(record.fields, "output", "raw")
        if not isinstance(texts, list):
            raise UserError(
                f"{record.place} is a conversation ({record.fields.get('interaction_type')}), "
                "which is no completion: only single_turn can be ingested"
            )
        name = str(record.fields["sample_id"])
        ours = {
            ID: name,
            QUESTION: needed(record, item(record.fields, "input", "raw"), "input.raw"),
            GOLD: gold_of_target(item(record.fields, "input", "reference")),
            CHOICES: item(record.fields, "input", "choices"),
        }
        for text in texts:
            rank = drawn.get(name, 0)
            drawn[name] = rank + 1
            yield Row(record.place, {**record.fields, **ours, SAMPLE: text, RANK: rank})


def _scores(
    records: Sequence[Row], results: Sequence[str], aggregate: object
) -> Iterator[LogScore]:
    for result in results:
        drawn: dict[str, int] = {}
        samples = []
        for record in records:
            value = as_score(item(record.fields, "evaluation", "score"))
            if _result(record) == result and value is not None:
                name = str(record.fields["sample_id"])
                samples.append(ScoreOfSample(name, drawn.get(name, 0), value))
                drawn[name] = drawn.get(name, 0) + len(item(record.fields, "output", "raw") or [1])
        if samples:
            yield LogScore(result, tuple(samples), _reported(result, aggregate))


def _reported(result: str, aggregate: object) -> float | None:
    for each in item(aggregate, "evaluation_results") or ():
        if result in (item(each, "evaluation_result_id"), item(each, "evaluation_name")):
            return as_score(item(each, "score_details", "score"))
    return None
