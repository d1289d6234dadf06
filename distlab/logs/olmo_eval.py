"""olmo-eval: ``predictions/MODEL/TASK-predictions.jsonl``, with requests and metrics of its run.

Written for what allenai/olmo-eval writes (``runners/io/builders.py``, ``runners/io/writers.py`` and
``runners/processing/metrics.py`` of October 2026), which is in no package index. Questions stand in
``requests/MODEL/TASK-requests.jsonl``, aggregates in ``metrics.json`` above both.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from distlab.errors import UserError
from distlab.files import folder_name
from distlab.logs.log import (
    CHOICES,
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
    item,
    needed,
    parsed_json,
    said_of,
)
from distlab.problems.rows import Row, RowStream, each_row

TOOL: Final = "olmo-eval"
_PREDICTIONS: Final = "-predictions.jsonl"
_REQUESTS: Final = "-requests.jsonl"
_METRICS: Final = "metrics.json"


def is_one(first: Mapping[str, object]) -> bool:
    """Whether a row is a prediction."""
    return {"doc_id", "native_id", "model_output", "instance_metrics"} <= set(first)


def read(file: Path) -> EvalLog:
    """The predictions of one task.

    Raises:
        UserError: It holds no completions, or the requests are missing.
    """
    requests = _requests(file)
    asked = {row.fields.get("doc_id"): _slim(row) for row in each_row(requests)}
    rows = RowStream(
        lambda: (sample for row in each_row(file) for sample in _samples(row, asked, requests))
    )
    reading, scores = FirstReading(), Scores()
    for row in reading.of(rows):
        for name, value in _scored(row):
            scores.add(name, str(row.fields[ID]), int(str(row.fields[RANK])), value)
    first = next(each_row(requests)).fields
    metrics = _metrics(file)
    entry = _entry(metrics, file, str(first.get("task_name")))
    config = item(metrics, "config")
    settings = {
        "sampling": item(first, "request", "generation_kwargs"),
        "stop": item(first, "request", "stop_sequences"),
        "system": item(first, "request", "system_prompt"),
        "task": item(entry, "config"),
        "model": config,
    }
    return EvalLog(
        tool=TOOL,
        task=str(first.get("task_name") or file.name.removesuffix(_PREDICTIONS)),
        model=item(entry, "model") or item(metrics, "model_name") or _model(config, file),
        rows=rows,
        held=reading.held,
        n=reading.n,
        scores=tuple(scores.score(name, _reported(name, entry)) for name in scores.names()),
        settings=said_of(settings),
        said=() if entry else (f"no {_METRICS} with this task lies above {file.name}",),
    )


def _model(config: object, file: Path) -> str:
    """The model as the run's config names it, else as the folder of its predictions is called."""
    for path in (("model",), ("provider", "model")):
        if isinstance(found := item(config, *path), str):
            return found
    return file.absolute().parent.name


def _requests(file: Path) -> Path:
    """The requests of the same task."""
    name = file.name.removesuffix(_PREDICTIONS) + _REQUESTS
    folder = file.absolute().parent
    beside = folder.parent.parent / "requests" / folder.name / name
    for path in (beside, folder / name):
        if path.is_file():
            return path
    raise UserError(f"{beside} does not exist, and questions stand there: copy it, too")


def _metrics(file: Path) -> Mapping[str, Any] | None:
    """The aggregates of the run."""
    folder = file.absolute().parent
    for path in (folder.parent.parent / _METRICS, folder / _METRICS):
        if path.is_file():
            found = parsed_json(path)
            return found if isinstance(found, Mapping) else None
    return None


def _entry(metrics: object, file: Path, task: str) -> Mapping[str, Any] | None:
    """What the aggregates say of the task, whose hash ends the name of its file."""
    model = file.absolute().parent.name
    for entry in item(metrics, "tasks") or ():
        named = item(entry, "model")
        digest = str(item(entry, "task_hash") or "")[-6:]
        stem = file.name.removesuffix(_PREDICTIONS)
        is_task = stem.endswith(f"_{digest}") if digest else item(entry, "task") == task
        if is_task and (named is None or folder_name(named) == folder_name(model)):
            return entry if isinstance(entry, Mapping) else None
    return None


def _slim(request: Row) -> Row:
    """What a request says beside its prediction: its kind, the question and the choices."""
    document, context = request.fields.get("doc"), item(request.fields, "request", "context")
    question = item(document, "query")
    if not isinstance(question, str) or not question.strip():
        question = context if isinstance(context, str) else asked_last(context)
    kind = str(request.fields.get("request_type"))
    choices = item(document, "choices") if kind == "generate_until" else None
    return Row(request.place, {"kind": kind, QUESTION: question, CHOICES: choices})


def _samples(row: Row, asked: Mapping[object, Row], requests: Path) -> Iterator[Row]:
    """A row per output."""
    request = asked.get(row.fields.get("doc_id"))
    if request is None:
        raise UserError(f"{row.place} has no request in {requests}: copy both of one run")
    outputs = row.fields.get("model_output")
    if request.fields["kind"] == "loglikelihood" or not isinstance(outputs, list) or not outputs:
        raise UserError(
            f"{row.place} holds no completion ({request.fields['kind']}): tasks that compare log "
            "likelihoods cannot be ingested"
        )
    label, choices = row.fields.get("label"), request.fields[CHOICES]
    chosen = item(choices, label) if isinstance(label, int) else None
    ours = {
        ID: str(row.fields["native_id"]),
        QUESTION: needed(request, request.fields[QUESTION], "question (doc.query)"),
        GOLD: label if chosen is None else chosen,
        CHOICES: None if chosen is None else choices,
    }
    for rank, output in enumerate(outputs):
        # Without its reasoning, where that was taken out before it was scored.
        text = item(output, "original_text") or item(output, "text")
        ended = item(output, "finish_reason")
        of_sample = {
            SAMPLE: needed(row, text, "completion (model_output.text)"),
            RANK: rank,
            TRUNCATED: None if ended is None else ended == "length",
        }
        yield Row(row.place, {**row.fields, **ours, **of_sample})


def _scored(row: Row) -> Iterator[tuple[str, object]]:
    """Scores of a sample: of a whole problem ("accuracy:exact_match") at its first one."""
    rank = int(str(row.fields[RANK]))
    if rank == 0:
        for metric, scorers in (item(row.fields, "instance_metrics") or {}).items():
            for scorer, value in (scorers if isinstance(scorers, Mapping) else {}).items():
                yield f"{metric}:{scorer}", value
    outputs = item(row.fields, "model_output")
    if len(outputs) > 1:
        for scorer, values in (item(outputs, rank, "sample_metrics") or {}).items():
            yield str(scorer), item(values, scorer)


def _reported(name: str, entry: object) -> float | None:
    metric, _, scorer = name.partition(":")
    return as_score(item(entry, "metrics", metric, scorer))
