"""EvalLog: what a log of another tool says, in columns of ours."""

import json
import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
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


@dataclass(frozen=True, slots=True, eq=False)
class LogScore:
    """One score of a tool: entry by entry a sample's problem, its draw index and its score.

    Attributes:
        name: As the tool calls it.
        problem_ids: The problem.
        ranks: Draw index from 0.
        values: 1 where the sample is right, 0 where it is not; or something between.
        reported: The tool's own aggregate; None where the log does not have it.
        decimals: Those that the tool rounds its aggregates to; None where it does not round.
    """

    name: str
    problem_ids: Sequence[str]
    ranks: Sequence[int]
    values: Sequence[float]
    reported: float | None = None
    decimals: int | None = None

    @property
    def is_binary(self) -> bool:
        """Whether it says of each sample that it is right or that it is wrong."""
        return all(value in (0, 1) for value in self.values)

    @property
    def is_reproduced(self) -> bool:
        """Whether the tool's aggregate is that of its verdicts, to its last digit."""
        mean = self.mean if self.decimals is None else round(self.mean, self.decimals)
        return mean == self.reported

    @property
    def mean(self) -> float:
        """The mean over problems of the mean over their samples, as the tools take it."""
        by_problem: dict[str, array[float]] = {}
        for name, value in zip(self.problem_ids, self.values, strict=True):
            by_problem.setdefault(name, array("d")).append(value)
        return sum(sum(each) / len(each) for each in by_problem.values()) / len(by_problem)


class Scores:
    """Collects the scores of a log while its samples are read."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[list[str], array[int], array[float]]] = {}
        # An id stands once for all scores.
        self._ids: dict[str, str] = {}

    def add(self, name: str, problem_id: str, rank: int, value: object) -> None:
        """Take a sample's score of some name; what is no score is passed over."""
        if (score := as_score(value)) is not None:
            ids, ranks, values = self._found.setdefault(name, ([], array("i"), array("d")))
            ids.append(self._ids.setdefault(problem_id, problem_id))
            ranks.append(rank)
            values.append(score)

    def names(self) -> tuple[str, ...]:
        """Those that some sample has, in the order in which they came."""
        return tuple(self._found)

    def score(self, name: str, reported: float | None, decimals: int | None = None) -> LogScore:
        """One of them, with the aggregate that the tool gives."""
        return LogScore(name, *self._found[name], reported, decimals)


class FirstReading:
    """What the rows of a log are like, found while they are read for the first time."""

    def __init__(self) -> None:
        self._optional = [RANK, TRUNCATED, CHOICES]
        self._n = 0
        self.samples = 0
        """How many samples there are."""

    def of(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, looked at as they pass."""
        for row in rows:
            self.samples += 1
            self._n = max(self._n, 1 + int(str(row.fields.get(RANK) or 0)))
            self._optional = [name for name in self._optional if row.fields.get(name) is not None]
            yield row

    @property
    def n(self) -> int:
        """Most samples of a problem."""
        return self._n

    @property
    def held(self) -> frozenset[str]:
        """Columns of ours that every row has, of those that some logs lack."""
        return frozenset(self._optional if self.samples else ())


@dataclass(frozen=True, slots=True)
class EvalLog:
    """A task's samples as a tool logged them.

    Attributes:
        tool: Name of the tool, as ``--from`` takes it.
        task: Name of the task.
        model: Name of the model; None where the log does not say.
        rows: A row per sample with the columns above, and with the tool's own; they can be asked
            for again, and a file is read anew each time.
        held: Which of the columns above that some logs lack every row has.
        n: Most samples of a problem.
        scores: The tool's scores.
        settings: What the log says of prompt, sampling, seeds and versions, for the manifest.
        said: What the user must know of the reading.
    """

    tool: str
    task: str
    model: str | None
    rows: Iterable[Row]
    held: frozenset[str]
    n: int
    scores: tuple[LogScore, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    said: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, str]:
        """Which column holds what, as ``--map`` names it."""
        named = {"samples": SAMPLE, "gold": GOLD, "problem_id": ID, "question": QUESTION}
        optional = {"rank": RANK, "truncated": TRUNCATED, "choices": CHOICES}
        return named | {name: column for name, column in optional.items() if column in self.held}


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


def are_few(left_out: int, of: int) -> bool:
    """Whether so many samples may be left out of so many: one, or one in 20 (ours).

    Which samples have no verdict depends on how well the model did.
    """
    return left_out <= max(1, of // 20)


def as_score(value: object) -> float | None:
    """A score as a number; None where it is none.

    Words are those of Inspect's ``value_to_float``: C, I, P and N are right, wrong, partly and no
    answer. NaN is how it and lm-eval write that a sample has no score.
    """
    if isinstance(value, str):
        value = _WORDS.get(value, _WORDS.get(value.lower(), value))
    if not isinstance(value, bool | int | float | str):
        return None
    try:
        score = float(value)
    except (ValueError, OverflowError):
        return None
    return score if math.isfinite(score) else None


_WORDS: Final[Mapping[str, float]] = {
    "C": 1.0,
    "I": 0.0,
    "P": 0.5,
    "N": 0.0,
    "yes": 1.0,
    "true": 1.0,
    "no": 0.0,
    "false": 0.0,
}


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
