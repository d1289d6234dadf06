"""Extraction and Verdict, and what an extractor and a grader must be."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from distlab.problems.types import Gold, GoldKind


class Verdict(StrEnum):
    """What a grader says of one answer."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    NO_ANSWER = "no_answer"
    TIMEOUT = "timeout"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Extraction:
    """An answer read off a completion.

    Attributes:
        answer: The answer string, or None where none was found.
        start: Offset of the answer's first character in the text; 0 where none was found.
        end: Offset after its last character; 0 where none was found.
        cut: The text was read up to this offset: where the model ran on into a new question.
    """

    answer: str | None
    start: int
    end: int
    cut: int


class Extractor(Protocol):
    """Reads an answer off a completion. Never sees the gold."""

    name: str
    version: str

    def extract(self, text: str, kind: GoldKind) -> Extraction:
        """Read the answer; ``kind`` is the form that the question asks for, not the gold."""
        ...


class Grader(Protocol):
    """Judges one answer against one gold. Runs inside a killable worker."""

    name: str
    version: str

    def applies(self, kind: GoldKind) -> bool:
        """Whether golds of this kind can be judged at all."""
        ...

    def grade(self, gold: Gold, answer: str) -> bool:
        """Whether ``answer`` equals ``gold``.

        Raises:
            Exception: Anything the judgement trips on; the pool reports it as ``error``.
        """
        ...
