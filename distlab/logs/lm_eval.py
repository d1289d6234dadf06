"""lm-evaluation-harness: ``samples_TASK_DATE.jsonl``, with the ``results_DATE.json`` beside it.

Seen with 0.4.13, whose ``--log_samples`` writes a line per problem and filter.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
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
    LogScore,
    Scores,
    as_score,
    gold_of_target,
    item,
    needed,
    parsed_json,
    said_of,
)
from distlab.problems.rows import Row, RowStream, each_row
from distlab.scoring.types import Verdict

TOOL: Final = "lm-eval"
_NAME: Final = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d{2}-\d{2}T[\d.:-]+)\.jsonl")
# Columns of a document that hold what was asked, the likeliest first (ours).
_QUESTIONS: Final = ("question", "problem", "query", "input")
_CONFIG: Final = ("model", "model_args", "gen_kwargs", "random_seed", "fewshot_seed")
_RESULTS: Final = ("lm_eval_version", "chat_template_sha", "system_instruction", "git_hash")
_TASK: Final = ("num_fewshot", "doc_to_text", "generation_kwargs", "dataset_path", "dataset_name")


def is_one(first: Mapping[str, object]) -> bool:
    """Whether a row is one of a samples file."""
    return {"doc_id", "resps", "filtered_resps"} <= set(first)


def read(file: Path) -> EvalLog:
    """The samples of one task.

    Raises:
        UserError: It holds no completions.
    """
    named = _NAME.fullmatch(file.name)
    task = named["task"] if named else file.stem.removeprefix("samples_")
    results = _results(file, named["date"] if named else None)
    first = next(each_row(file))
    rows = RowStream(lambda: _first_filters(file))
    seen, n = _Seen(), 0
    for row in each_row(file):
        seen.see(row)
        if _filter(row) == _filter(first):
            n = max(n, len(_responses(row)))
    own = item(results, "configs", task)
    settings = {name: item(results, "config", name) for name in _CONFIG}
    settings |= {name: item(results, name) for name in _RESULTS}
    settings |= {name: item(own, name) for name in _TASK}
    settings["sampling"] = item(first.fields, "arguments", "gen_args_0", "arg_1")
    return EvalLog(
        tool=TOOL,
        task=task,
        model=_model(results),
        rows=rows,
        held=frozenset((RANK,)),
        n=n,
        scores=tuple(seen.scores(item(results, "results", task))),
        settings=said_of(settings),
        said=() if results else (f"no results file lies beside {file.name}",),
    )


def _filter(row: Row) -> str:
    return str(row.fields.get("filter", "none"))


def _first_filters(file: Path) -> Iterator[Row]:
    """The samples, which stand once under each filter."""
    name = None
    for row in each_row(file):
        name = name or _filter(row)
        if _filter(row) == name:
            yield from _samples(row)


def _results(file: Path, date: str | None) -> Mapping[str, Any] | None:
    """The results that were written with a file of samples."""
    path = file.parent / f"results_{date}.json"
    if date is None or not path.is_file():
        return None
    found = parsed_json(path)
    return found if isinstance(found, Mapping) else None


def _model(results: Mapping[str, Any] | None) -> str | None:
    arguments = item(results, "config", "model_args")
    if isinstance(arguments, str):
        arguments = dict(pair.partition("=")[::2] for pair in arguments.split(","))
    for found in (item(arguments, "pretrained"), item(results, "model_name")):
        if isinstance(found, str) and found:
            return found
    return None


def _responses(row: Row) -> Sequence[object]:
    responses = item(row.fields, "resps", 0)
    if not isinstance(responses, list) or not responses or isinstance(responses[0], list):
        raise UserError(
            f"{row.place} holds log likelihoods, and no completions: only tasks of type "
            "generate_until can be ingested"
        )
    return responses


def _samples(row: Row) -> Iterator[Row]:
    """A row per response to a document."""
    prompt = needed(row, item(row.fields, "arguments", "gen_args_0", "arg_0"), "prompt (arg_0)")
    ours = {
        ID: str(row.fields["doc_id"]),
        QUESTION: _question(row.fields.get("doc")) or prompt,
        GOLD: _gold(row.fields.get("target")),
    }
    for rank, response in enumerate(_responses(row)):
        # An API that refuses to answer gives null.
        text = "" if response is None else needed(row, response, "text of a response (resps)")
        yield replace(row, fields={**row.fields, **ours, SAMPLE: text, RANK: rank})


def _gold(target: object) -> object:
    """A target; lm-eval writes a list of them as Python does."""
    # A list of texts alone: "[0, 1]" may be an interval, which is a gold of MATH.
    if not isinstance(target, str) or not target.startswith(("['", '["')):
        return gold_of_target(target)
    try:
        return gold_of_target(ast.literal_eval(target))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return target


def _question(document: object) -> str | None:
    found = (item(document, name) for name in _QUESTIONS)
    return next((text for text in found if isinstance(text, str) and text.strip()), None)


def _values(row: Row, metric: str) -> Sequence[object]:
    """The score of a problem; of each of its samples, where distlab wrote the file."""
    verdicts = row.fields.get("verdicts")
    if isinstance(verdicts, list) and len(verdicts) == len(_responses(row)):
        return [verdict == Verdict.CORRECT for verdict in verdicts]
    return [row.fields.get(metric)]


class _Seen:
    """Each metric under each filter: "exact_match,strict-match". They are of a whole problem."""

    def __init__(self) -> None:
        self._metrics: dict[str, list[str]] = {}
        self._scores = Scores()

    def see(self, row: Row) -> None:
        name = _filter(row)
        if name not in self._metrics:
            metrics = row.fields.get("metrics")
            self._metrics[name] = list(map(str, metrics)) if isinstance(metrics, list) else []
        for metric in self._metrics[name]:
            for rank, value in enumerate(_values(row, metric)):
                self._scores.add(f"{metric},{name}", str(row.fields["doc_id"]), rank, value)

    def scores(self, reported: object) -> Iterator[LogScore]:
        """Those that some row of their filter has."""
        for name, metrics in self._metrics.items():
            for key in (f"{metric},{name}" for metric in metrics):
                if key in self._scores.names():
                    yield self._scores.score(key, as_score(item(reported, key)))
