"""EvalScope: ``predictions/MODEL/TASK_SUBSET.jsonl`` with the file of ``reviews`` beside it.

Golds and scores stand in the reviews, so either file of the two finds the other. Written for the
schema of 1.14.1 (``ModelResult`` and ``ReviewResult`` in evalscope/api/evaluator/cache.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from distlab.errors import UserError
from distlab.ingest.logs.log import (
    GOLD,
    ID,
    QUESTION,
    RANK,
    SAMPLE,
    TRUNCATED,
    EvalLog,
    LogScore,
    ScoreOfSample,
    as_score,
    asked_last,
    content,
    item,
    needed,
)
from distlab.problems.rows import Row, read_rows

TOOL: Final = "evalscope"
_FOLDERS: Final = ("predictions", "reviews")


def is_one(first: Mapping[str, object]) -> bool:
    """Whether a row is a prediction or a review."""
    return "index" in first and ("model_output" in first or "sample_score" in first)


def read(file: Path) -> EvalLog:
    """The predictions of one task and subset, with their reviews.

    Raises:
        UserError: One of the two files is missing, or they do not hold the same samples.
    """
    predictions, reviews = _both(file)
    reviewed = {row.fields.get("index"): row for row in read_rows(reviews)}
    predicted = read_rows(predictions)
    for row in predicted:
        if row.fields.get("index") not in reviewed:
            raise UserError(f"{row.place} has no review in {reviews}; end the run's reviews first")
    pairs = [(row, reviewed[row.fields.get("index")]) for row in predicted]
    rows = tuple(_row(prediction, review) for prediction, review in pairs)
    return EvalLog(
        tool=TOOL,
        task=file.stem,
        model=str(predicted[0].fields.get("model") or file.parent.name),
        rows=rows,
        scores=tuple(_scores(rows, [review for _, review in pairs])),
        said=("EvalScope's predictions do not say how they were sampled",),
    )


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
    score = review.fields.get("sample_score")
    choice = item(prediction.fields, "model_output", "choices", 0)
    text = needed(prediction, content(item(choice, "message", "content")), "completion")
    target = review.fields.get("target")
    group = item(score, "group_id")
    fields = {
        **prediction.fields,
        ID: str(prediction.fields["index"] if group is None else group),
        RANK: item(score, "generation_index") or 0,
        QUESTION: asked_last(prediction.fields.get("messages")) or "",
        GOLD: target[0] if isinstance(target, list) and len(target) == 1 else target,
        SAMPLE: text,
        TRUNCATED: item(choice, "stop_reason") in ("max_tokens", "length", "model_length"),
    }
    return Row(prediction.place, fields)


def _scores(rows: Sequence[Row], reviews: Sequence[Row]) -> Iterator[LogScore]:
    values = [item(review.fields, "sample_score", "score", "value") or {} for review in reviews]
    for name in dict.fromkeys(name for value in values for name in value):
        samples = tuple(
            ScoreOfSample(str(row.fields[ID]), int(str(row.fields[RANK])), found)
            for row, value in zip(rows, values, strict=True)
            if (found := as_score(value.get(name))) is not None
        )
        if samples:
            yield LogScore(name, samples)
