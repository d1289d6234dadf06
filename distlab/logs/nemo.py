"""NeMo Evaluator: ``results.jsonl``, with the bundle ``eval-DATE-BENCHMARK.json`` beside it.

Seen with 0.3.0, which rounds aggregates to four decimals and says of no completion why it ended.
"""

from collections.abc import Mapping
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
    content,
    item,
    needed,
    parsed_json,
    said_of,
)
from distlab.problems.rows import Row, RowStream, each_row

TOOL: Final = "nemo"
_REWARD: Final = "reward"
# The aggregate of rewards, the first where all of them are 0 or 1.
_AGGREGATES: Final = ("pass@1", "mean_reward")
_DECIMALS: Final = 4
_CONFIG: Final = ("base_url", "system_prompt", "repeats", "shuffle_seed", "max_problems")
_SAMPLING: Final = ("temperature", "top_p", "max_tokens", "seed")


def is_one(first: Mapping[str, object]) -> bool:
    """Whether a row is a result."""
    return {"problem_idx", "repeat", _REWARD, "model_response"} <= set(first)


def read(file: Path) -> EvalLog:
    """The results of one benchmark.

    Raises:
        UserError: A result has no completion.
    """
    bundle = _bundle(file)
    config, benchmark = item(bundle, "config"), item(bundle, "benchmark")
    rows = RowStream(lambda: map(_row, each_row(file)))
    reading, scores = FirstReading(), Scores()
    for row in reading.of(rows):
        scored = {_REWARD: row.fields[_REWARD], **(item(row.fields, "scorer_rewards") or {})}
        for name, value in scored.items():
            scores.add(name, str(row.fields[ID]), int(str(row.fields[RANK])), value)
    settings = {name: item(config, name) for name in _CONFIG}
    settings["sampling"] = {
        name: item(config, name) for name in _SAMPLING if item(config, name) is not None
    }
    settings["version"] = item(bundle, "sdk_version")
    return EvalLog(
        tool=TOOL,
        task=str(item(benchmark, "name") or file.absolute().parent.name),
        model=item(config, "model"),
        rows=rows,
        held=reading.held,
        n=reading.n,
        scores=tuple(
            scores.score(name, _reported(name, benchmark), _DECIMALS) for name in scores.names()
        ),
        settings=said_of(settings),
        said=() if bundle else (f"no bundle (eval-*.json) lies beside {file.name}",),
    )


def _bundle(file: Path) -> Mapping[str, Any] | None:
    """The bundle of a run; the latest, where one was resumed."""
    found = sorted(file.absolute().parent.glob("eval-*.json"))
    value = parsed_json(found[-1]) if found else None
    return value if isinstance(value, Mapping) else None


def _reported(name: str, benchmark: object) -> float | None:
    """The aggregate of a score; of further scorers there is none."""
    for aggregate in _AGGREGATES if name == _REWARD else ():
        if (value := as_score(item(benchmark, "scores", aggregate, "value"))) is not None:
            return value
    return None


def _row(row: Row) -> Row:
    prompt = row.fields.get("prompt")
    question = item(row.fields, "metadata", "question")
    repeat = row.fields.get("repeat")
    if not isinstance(repeat, int):
        raise UserError(f"{row.place} has no number as its repeat; correct or remove that row")
    fields = {
        **row.fields,
        ID: str(row.fields["problem_idx"]),
        RANK: repeat,
        QUESTION: question if isinstance(question, str) else content(prompt) or "",
        GOLD: row.fields.get("expected_answer"),
        SAMPLE: needed(row, row.fields.get("model_response"), "completion (model_response)"),
    }
    return Row(row.place, fields)
