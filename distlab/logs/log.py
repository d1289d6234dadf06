"""EvalLog: what a log of another tool says, in columns of ours."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from distlab.errors import UserError
from distlab.problems.rows import AnyOf, Row

# Columns that readers add to a row beside the tool's own; none of a tool has a blank in its name.
ID: Final = "log id"
QUESTION: Final = "log question"
GOLD: Final = "log gold"
SAMPLE: Final = "log sample"
RANK: Final = "log rank"
TRUNCATED: Final = "log truncated"
CHOICES: Final = "log choices"


@dataclass(frozen=True, slots=True)
class ScoreOfSample:
    """What a tool says of one sample.

    Attributes:
        problem_id: The problem.
        rank: Draw index from 0.
        value: Its score: 1 where the sample is right, 0 where it is not.
    """

    problem_id: str
    rank: int
    value: float


@dataclass(frozen=True, slots=True)
class LogScore:
    """One score of a tool.

    Attributes:
        name: As the tool calls it.
        samples: Of each sample that has one.
        reported: The tool's own aggregate; None where the log does not have it.
        decimals: Those that the tool rounds its aggregates to; None where it does not round.
    """

    name: str
    samples: tuple[ScoreOfSample, ...]
    reported: float | None = None
    decimals: int | None = None

    @property
    def is_reproduced(self) -> bool:
        """Whether the tool's aggregate is that of its verdicts, to its last digit."""
        mean = self.mean if self.decimals is None else round(self.mean, self.decimals)
        return mean == self.reported

    @property
    def mean(self) -> float:
        """The mean over problems of the mean over their samples, as the tools take it."""
        by_problem: dict[str, list[float]] = {}
        for sample in self.samples:
            by_problem.setdefault(sample.problem_id, []).append(sample.value)
        means = [sum(values) / len(values) for values in by_problem.values()]
        return sum(means) / len(means)


@dataclass(frozen=True, slots=True)
class EvalLog:
    """A task's samples as a tool logged them.

    Attributes:
        tool: Name of the tool, as ``--from`` takes it.
        task: Name of the task.
        model: Name of the model; None where the log does not say.
        rows: A row per sample with the columns above, and with the tool's own.
        scores: The tool's scores.
        settings: What the log says of prompt, sampling, seeds and versions, for the manifest.
        said: What the user must know of the reading.
    """

    tool: str
    task: str
    model: str | None
    rows: tuple[Row, ...]
    scores: tuple[LogScore, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    said: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, str]:
        """Which column holds what, as ``--map`` names it."""
        named = {"samples": SAMPLE, "gold": GOLD, "problem_id": ID, "question": QUESTION}
        optional = {"rank": RANK, "truncated": TRUNCATED, "choices": CHOICES}
        held = {
            name: column
            for name, column in optional.items()
            if all(row.fields.get(column) is not None for row in self.rows)
        }
        return named | held


def parsed_json(file: Path) -> Any:  # noqa: ANN401 (JSON of any shape)
    """What a file beside the samples holds.

    Raises:
        UserError: It is no JSON.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file} is not valid JSON ({error}); correct or remove it") from None


def said_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that the log says."""
    return {name: value for name, value in settings.items() if value is not None}


def scores_of(rows: Sequence[Row], values: Iterable[object]) -> tuple[ScoreOfSample, ...]:
    """Scores beside rows of ours; those that are no score are left out."""
    return tuple(
        ScoreOfSample(str(row.fields[ID]), int(str(row.fields[RANK])), score)
        for row, value in zip(rows, values, strict=True)
        if (score := as_score(value)) is not None
    )


def as_score(value: object) -> float | None:
    """A score as a number: Inspect writes C, I, P and N for right, wrong, partly and no answer."""
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, str):
        return _LETTERS.get(value.upper())
    return None


_LETTERS: Final = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}


def item(value: object, *path: str | int) -> Any:  # noqa: ANN401 (JSON of any shape)
    """What a path leads to in parsed JSON; None where it leads nowhere."""
    for name in path:
        if isinstance(value, Mapping) and isinstance(name, str):
            value = value.get(name)
        elif isinstance(value, list) and isinstance(name, int) and name < len(value):
            value = value[name]
        else:
            return None
    return value


def content(value: object) -> str | None:
    """The text of a chat message's content: a string, or parts of which some are texts."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return None
    parts = [item(part, "text") for part in value if item(part, "type") == "text"]
    return "\n".join(part for part in parts if isinstance(part, str))


def gold_of_target(target: object) -> object:
    """A target as a value of the gold column: each of a list of several is right."""
    if not isinstance(target, list) or not target:
        return target
    return target[0] if len(target) == 1 else AnyOf(target)


def asked_last(messages: object) -> str | None:
    """What the last user turn of a conversation says."""
    turns = messages if isinstance(messages, Sequence) and not isinstance(messages, str) else ()
    users = [item(turn, "content") for turn in turns if item(turn, "role") == "user"]
    return content(users[-1]) if users else None


def needed(row: Row, value: object, what: str) -> str:
    """A text that a log must have.

    Raises:
        UserError: It has none.
    """
    if not isinstance(value, str):
        raise UserError(
            f"{row.place} has no {what}: it is no log of this tool, or one without samples; name "
            "its columns with --map"
        )
    return value
