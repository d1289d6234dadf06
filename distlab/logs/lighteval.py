"""lighteval: ``details_TASK_DATE.parquet``, with the ``results_DATE.json`` of the same run.

Seen with 0.13.0. Files of older versions have other columns and are refused.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from distlab.errors import UserError
from distlab.logs.log import (
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
    parsed_json,
    said_of,
)
from distlab.problems.rows import Row, RowStream, each_row

TOOL: Final = "lighteval"
_NAME: Final = re.compile(r"details_(?P<task>.+)_(?P<date>\d{4}-\d{2}-\d{2}T[\d.:-]+)\.parquet")


def is_one(first: Mapping[str, object]) -> bool:
    """Whether a row is a detail."""
    return {"doc", "model_response", "metric"} <= set(first)


def read(file: Path) -> EvalLog:
    """The details of one task.

    Raises:
        UserError: It holds no completions.
    """
    named = _NAME.fullmatch(file.name)
    task = named["task"] if named else file.stem
    results = _results(file, named["date"]) if named else None
    rows = RowStream(
        lambda: (
            sample for number, row in enumerate(each_row(file)) for sample in _samples(row, number)
        )
    )
    reading, scores = FirstReading(), Scores()
    for row in reading.of(rows):
        if row.fields[RANK] == 0:
            for name, value in (item(row.fields, "metric") or {}).items():
                scores.add(name, str(row.fields[ID]), 0, value)
    config, own = item(results, "config_general"), item(results, "results", task)
    settings = {
        "model": item(config, "model_config") or item(config, "model_name"),
        "versions": item(config, "lighteval_sha"),
        "sampling": item(config, "model_config", "generation_parameters"),
        "instruction": item(next(each_row(file)).fields, "doc", "instruction"),
    }
    return EvalLog(
        tool=TOOL,
        task=task,
        model=item(config, "model_name") or item(config, "model_config", "model_name"),
        rows=rows,
        held=reading.held,
        n=reading.n,
        scores=tuple(scores.score(name, as_score(item(own, name))) for name in scores.names()),
        settings=said_of(settings),
        said=()
        if results
        else (f"no results file of the same date is to be found for {file.name}",),
    )


def _results(file: Path, date: str) -> Mapping[str, Any] | None:
    """Results of the same date: beside the file, or in ``results/`` beside ``details/``."""
    name = f"results_{date}.json"
    above = next((each for each in file.absolute().parents if each.name == "details"), None)
    found = [file.parent / name] if (file.parent / name).is_file() else []
    if above is not None:
        found += sorted((above.parent / "results").glob(f"**/{name}"))
    if not found:
        return None
    value = parsed_json(found[0])
    return value if isinstance(value, Mapping) else None


def _samples(row: Row, number: int) -> Iterator[Row]:
    texts = item(row.fields, "model_response", "text")
    if not isinstance(texts, list) or not texts:
        raise UserError(
            f"{row.place} holds no completion (model_response.text): tasks that compare log "
            "likelihoods cannot be ingested"
        )
    document = row.fields["doc"]
    ours = {
        ID: str(item(document, "id") or number),
        QUESTION: item(document, "original_query") or item(document, "query"),
        GOLD: _gold(row, document),
    }
    for rank, text in enumerate(texts):
        yield Row(row.place, {**row.fields, **ours, SAMPLE: text, RANK: rank})


def _gold(row: Row, document: object) -> object:
    """What ``Doc.get_golds`` gives: the choices at its gold index."""
    index = item(document, "gold_index")
    places = index if isinstance(index, list) else [index]
    golds = [item(document, "choices", place) for place in places if isinstance(place, int)]
    if not golds or any(gold is None for gold in golds):
        raise UserError(
            f"{row.place} has no gold at doc.gold_index; name a column with --map gold="
        )
    return gold_of_target(golds)
