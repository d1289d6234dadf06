"""Extraction and Verdict, and what an extractor and a grader must be."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Protocol, runtime_checkable

from distlab.importing import make_named
from distlab.problems.problem import Gold, GoldKind


class Verdict(StrEnum):
    """What a grader says of one answer."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    NO_ANSWER = "no_answer"
    TIMEOUT = "timeout"
    ERROR = "error"


# The number of a verdict wherever it is held as one: arrays, the boards of workers, the verdict
# cache, the view's database. The cache stores them: a change needs a new version of its format.
CORRECT: Final = 0
INCORRECT: Final = 1
NO_ANSWER: Final = 2
TIMEOUT: Final = 3
ERROR: Final = 4
CODES: Final[Mapping[Verdict, int]] = {
    Verdict.CORRECT: CORRECT,
    Verdict.INCORRECT: INCORRECT,
    Verdict.NO_ANSWER: NO_ANSWER,
    Verdict.TIMEOUT: TIMEOUT,
    Verdict.ERROR: ERROR,
}
# The verdicts by their codes.
BY_CODE: Final = tuple(sorted(CODES, key=CODES.__getitem__))
# Where there is no verdict: not judged yet, never drawn, or the grader does not apply.
NO_VERDICT: Final = -1


@dataclass(frozen=True, slots=True)
class Extraction:
    """An answer read off a completion.

    Attributes:
        answer: The answer string, or None where none was found.
        start: Offset of the answer's first character in the text; 0 where none was found.
        end: Offset after its last character; 0 where none was found.
        cut: The text was read up to this offset: where the model ran on into a new question.
        stated: Whether the text states this as its answer, to the statement's end. False where it
            is the last value of a text that was read to its end, or a statement that may go on
            there ("The answer is 1"): where that end is a truncation, there is no answer.
    """

    answer: str | None
    start: int
    end: int
    cut: int
    stated: bool = True

    def of_sample(self, truncated: bool) -> "Extraction":
        """The extraction from a sample that is truncated or not: what counts as its answer."""
        return Extraction(None, 0, 0, self.cut) if truncated and not self.stated else self

    def behind(self, characters: int) -> "Extraction":
        """The extraction from a text that has so many characters before what was read."""
        if not characters:
            return self
        shift = 0 if self.answer is None else characters
        return replace(
            self, start=self.start + shift, end=self.end + shift, cut=self.cut + characters
        )


@dataclass(frozen=True, slots=True)
class ComponentSpec:
    """An extractor or a grader as the config asks for it.

    Attributes:
        name: Its name in tables and verdict columns.
        target: Import path ``module:Class``.
        options: Keyword arguments of the class.
    """

    name: str
    target: str
    options: Mapping[str, object] = field(default_factory=dict)


class Extractor(Protocol):
    """Reads an answer off a completion. Never sees the gold."""

    name: str
    version: str

    def extract(self, text: str, kind: GoldKind) -> Extraction:
        """Read the answer; ``kind`` is the form that the question asks for, not the gold."""
        ...


@runtime_checkable
class TurnExtractor(Extractor, Protocol):
    """An extractor that looks in the text for where the model's turn ends."""

    def extract_turn(self, text: str, kind: GoldKind) -> Extraction:
        """As ``extract``, of a text that is one turn, as its tokens show: nothing opens another."""
        ...


class Grader(Protocol):
    """Judges one answer against one gold. Runs inside a killable worker.

    A grader that costs more than about a millisecond per answer sets a class attribute
    ``cached = True``: its verdicts are then kept over runs, by gold, answer, name and version.
    """

    name: str
    version: str

    def applies(self, kind: GoldKind) -> bool:
        """Whether golds of this kind can be judged at all."""
        ...

    def grade(self, gold: Gold, answer: str) -> bool:
        """Whether ``answer`` equals ``gold``.

        Returns:
            True or False; anything else, as a reward of 0.5, is reported as ``error``.

        Raises:
            Exception: Anything the judgement trips on; the pool reports it as ``error``.
        """
        ...


def load_extractor(spec: ComponentSpec) -> Extractor:
    """Make the extractor that ``spec`` names.

    Raises:
        UserError: It cannot be imported, does not take the options, or is no extractor.
    """
    made: Extractor = _made("extractor", spec, Extractor)
    return made


def load_grader(spec: ComponentSpec) -> Grader:
    """Make the grader that ``spec`` names.

    Raises:
        UserError: It cannot be imported, does not take the options, or is no grader.
    """
    made: Grader = _made("grader", spec, Grader)
    return made


def _made(group: str, spec: ComponentSpec, protocol: type) -> Any:  # noqa: ANN401
    return make_named(f"{group}.use.{spec.name}.target", spec.target, protocol, **spec.options)
