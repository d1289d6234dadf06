"""EvalScope: ``predictions/MODEL/TASK_SUBSET.jsonl`` with the file of ``reviews`` beside it.

Golds and scores stand in the reviews, so either file of the two finds the other. Aggregates are
those of ``reports/MODEL/TASK.json``, which rounds them to four decimals; settings are those of
``configs/task_config.yaml``. Seen with 1.14.1.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from distlab.errors import UserError
from distlab.logs.log import (
    GOLD,
    ID,
    QUESTION,
    RANK,
    SAMPLE,
    TRUNCATED,
    EvalLog,
    FirstReading,
    Scores,
    as_score,
    asked_last,
    content,
    gold_of_target,
    item,
    needed,
    parsed_json,
    said_of,
)
from distlab.problems.rows import Row, RowStream, each_row

TOOL: Final = "evalscope"
_CONFIG: Final = ("evalscope_version", "dataset_args", "seed", "repeats", "eval_type")
# Of the means in a report.
_DECIMALS: Final = 4
# Where a prediction has its completion; one that ended with an error has none.
_CHOICE: Final = ("model_output", "choices", 0)
_FOLDERS: Final = ("predictions", "reviews")
_SCORE: Final = "sample_score"


def is_one(first: Mapping[str, object]) -> bool:
    """Whether a row is a prediction or a review."""
    return "index" in first and ("model_output" in first or _SCORE in first)


def read(file: Path) -> EvalLog:
    """The predictions of one task and subset, with their reviews.

    Raises:
        UserError: One of the two files is missing, or they do not hold the same samples.
    """
    predictions, reviews = _both(file)
    reviewed = {row.fields.get("index"): _slim(row) for row in each_row(reviews)}
    predicted = RowStream(
        lambda: (row for row in each_row(predictions) if item(row.fields, *_CHOICE) is not None)
    )
    rows = RowStream(lambda: (_row(row, _review(row, reviewed, reviews)) for row in predicted))
    reading, scores = FirstReading(), Scores()
    for row in reading.of(rows):
        values = item(reviewed[row.fields.get("index")].fields, _SCORE, "score", "value") or {}
        for name, value in values.items():
            scores.add(name, str(row.fields[ID]), int(str(row.fields[RANK])), value)
    if not reading.samples:
        raise UserError(f"{predictions} holds no completion; give a run that drew some")
    drawn = sum(1 for _ in each_row(predictions))
    root = _root(predictions)
    settings = _settings(root / "configs" / "task_config.yaml")
    reported = _reported(root, file)
    return EvalLog(
        tool=TOOL,
        task=file.stem,
        model=str(next(iter(predicted)).fields.get("model") or file.parent.name),
        rows=rows,
        held=reading.held,
        n=reading.n,
        scores=tuple(scores.score(name, reported.get(name), _DECIMALS) for name in scores.names()),
        settings=settings,
        said=(
            *([] if settings else [f"{root} has no configs/task_config.yaml"]),
            *_said_of_errors(drawn, reading.samples),
        ),
    )


def _said_of_errors(drawn: int, predicted: int) -> Iterator[str]:
    if predicted < drawn:
        yield f"{drawn - predicted} of {drawn} samples ended with an error and are missing"


def _slim(review: Row) -> Row:
    """A review without the completion, which its prediction has."""
    return Row(review.place, {name: review.fields.get(name) for name in (_SCORE, "target")})


def _review(row: Row, reviewed: Mapping[object, Row], reviews: Path) -> Row:
    index = row.fields.get("index")
    if index not in reviewed:
        raise UserError(f"{row.place} has no review in {reviews}; end the run's reviews first")
    return reviewed[index]


def _root(predictions: Path) -> Path:
    """The folder of the whole run."""
    return next(each.parent for each in predictions.parents if each.name == _FOLDERS[0])


def _settings(file: Path) -> dict[str, Any]:
    """What the run's config says of model, dataset, sampling and seed."""
    if not file.is_file():
        return {}
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError:
        raise UserError(f"{file} is no valid YAML; correct or remove it") from None
    settings = {name: item(found, name) for name in _CONFIG}
    settings["sampling"] = item(found, "generation_config")
    return said_of(settings)


def _reported(root: Path, file: Path) -> dict[str, float]:
    """The run's mean of each metric on the subset of a file."""
    found: dict[str, float] = {}
    for path in sorted((root / "reports" / file.parent.name).glob("*.json")):
        report = parsed_json(path)
        subset = file.stem.removeprefix(f"{item(report, 'dataset_name')}_")
        for metric in item(report, "metrics") or ():
            for category in item(metric, "categories") or ():
                for each in item(category, "subsets") or ():
                    score = as_score(item(each, "score"))
                    if item(each, "name") == subset and score is not None:
                        found[str(item(metric, "identity", "name"))] = score
    return found


def _both(file: Path) -> tuple[Path, Path]:
    """The predictions and the reviews that one of them is beside."""
    parts = list(file.absolute().parts)
    place = next((n for n in reversed(range(len(parts))) if parts[n] in _FOLDERS), None)
    if place is None:
        raise UserError(
            f"{file} lies in no folder named predictions or reviews: give it where EvalScope "
            "wrote it"
        )
    found = [Path(*parts[:place], folder, *parts[place + 1 :]) for folder in _FOLDERS]
    for path in found:
        if not path.is_file():
            raise UserError(
                f"{path} does not exist, and golds or samples stand there: copy it, too"
            )
    return found[0], found[1]


def _row(prediction: Row, review: Row) -> Row:
    score = review.fields.get(_SCORE)
    choice = item(prediction.fields, *_CHOICE)
    text = needed(prediction, content(item(choice, "message", "content")), "completion")
    group = item(score, "group_id")
    fields = {
        **prediction.fields,
        ID: str(prediction.fields["index"] if group is None else group),
        RANK: item(score, "generation_index") or 0,
        QUESTION: asked_last(prediction.fields.get("messages")) or "",
        GOLD: gold_of_target(review.fields.get("target")),
        SAMPLE: text,
        TRUNCATED: item(choice, "stop_reason") in ("max_tokens", "length", "model_length"),
    }
    return Row(prediction.place, fields)
