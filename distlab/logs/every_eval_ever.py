"""every_eval_ever: instance-level JSONL, with the aggregate JSON that it names.

Seen with 0.3.0. What its converter of lm-eval's logs gives as a model's response is what lm-eval's
filter left of it, so that the responses of two evaluation results may differ.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
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
    FirstReading,
    Scores,
    as_score,
    gold_of_target,
    item,
    needed,
    said_of,
)
from distlab.problems.rows import Row, RowStream, each_row

TOOL: Final = "every-eval-ever"


def is_one(first: Mapping[str, object]) -> bool:
    """Whether a row is an instance-level record."""
    return {"evaluation_id", "sample_id", "interaction_type", "input"} <= set(first)


def read(file: Path) -> EvalLog:
    """The records of one evaluation.

    Raises:
        UserError: It holds conversations, which are no completions.
    """
    first = next(each_row(file))
    aggregate = _aggregate(file, str(first.fields["evaluation_id"]))
    of_first, scores = _result(first), Scores()
    drawn: defaultdict[str, Counter[str]] = defaultdict(Counter)
    texts: defaultdict[str, hashlib._Hash] = defaultdict(hashlib.sha256)
    for record in each_row(file):
        _refuse_another(file, first, record)
        result, name = _result(record), str(record.fields["sample_id"])
        value = item(record.fields, "evaluation", "score")
        scores.add(result, name, drawn[result][name], value)
        given = item(record.fields, "output", "raw")
        drawn[result][name] += len(given or [1])
        texts[result].update(json.dumps([name, given]).encode())
    same = {name for name in texts if texts[name].digest() == texts[of_first].digest()}
    rows = RowStream(lambda: _rows(row for row in each_row(file) if _result(row) == of_first))
    reading = FirstReading()
    for _ in reading.of(rows):
        pass
    settings = {
        "schema": first.fields.get("schema_version"),
        "evaluation": first.fields["evaluation_id"],
        "source": item(aggregate, "source_metadata"),
        "library": item(aggregate, "eval_library"),
        "sampling": item(
            aggregate, "evaluation_results", 0, "generation_config", "generation_args"
        ),
    }
    return EvalLog(
        tool=TOOL,
        task=str(first.fields.get("evaluation_name")),
        model=str(first.fields.get("model_id")),
        rows=rows,
        held=reading.held,
        n=reading.n,
        scores=tuple(
            scores.score(name, _reported(name, aggregate))
            for name in scores.names()
            if name in same
        ),
        settings=said_of(settings),
        said=(
            *([] if aggregate else [f"no aggregate of this evaluation lies beside {file.name}"]),
            *(
                f"samples are those of {of_first}; {name} is of other texts and left out"
                for name in texts
                if name not in same
            ),
        ),
    )


def _refuse_another(file: Path, first: Row, record: Row) -> None:
    """Refuse a record of another model or evaluation: it is no draw of the first one.

    Raises:
        UserError: It is.
    """
    for name in ("model_id", "evaluation_id"):
        one, other = (str(row.fields.get(name)) for row in (first, record))
        if one != other:
            raise UserError(
                f"{file} holds records with `{name}` {one!r} and {other!r}: write each into a "
                "file of its own"
            )


def _result(row: Row) -> str:
    """Which aggregate result a record is part of."""
    found = row.fields.get("evaluation_result_id") or row.fields.get("evaluation_name")
    return str(found)


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


def _rows(records: Iterable[Row]) -> Iterator[Row]:
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


def _reported(result: str, aggregate: object) -> float | None:
    for each in item(aggregate, "evaluation_results") or ():
        if result in (item(each, "evaluation_result_id"), item(each, "evaluation_name")):
            return as_score(item(each, "score_details", "score"))
    return None
