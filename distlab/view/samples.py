"""What the pages are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from distlab.problems.problem import Problem
from distlab.scoring.types import Verdict
from distlab.store.cell import Cell


@dataclass(frozen=True, slots=True)
class SampleId:
    """A sample by names that stay, whatever is scored again."""

    cell: str
    problem: str
    rank: int


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """What one extractor made of a sample, and what each grader says of it.

    Attributes:
        extractor: Name of the extractor.
        answer: The answer that it read; None where it found nothing.
        start: Offset of the answer in the text, in characters.
        end: Offset of the first character after the answer.
        cut: The text was read up to this offset.
        verdicts: Grader to verdict; graders that do not judge the gold are absent.
        delta: CoT-decoding's confidence in the answer, or None.
        delta_given: It came with the sample and is the same for every extractor.
    """

    extractor: str
    answer: str | None
    start: int
    end: int
    cut: int
    verdicts: Mapping[str, str]
    delta: float | None = None
    delta_given: bool = False


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A sample as lists show it.

    Attributes:
        number: Its place among all samples of the run, from 0.
        cell: The cell that it was drawn for.
        problem: The problem that it answers.
        rank: Draw index or branch rank.
        truncated: Whether it reached the most tokens allowed.
        tokens: Number of tokens in it.
        gold_in_text: Whether the gold's text stands in it.
        readings: One per extractor, in the config's order.
    """

    number: int
    cell: Cell
    problem: Problem
    rank: int
    truncated: bool
    tokens: int
    gold_in_text: bool
    readings: tuple[JudgedAnswer, ...]

    @property
    def missed(self) -> bool:
        """Whether the gold stands in the text and no judge calls the sample correct."""
        verdicts = {v for reading in self.readings for v in reading.verdicts.values()}
        return self.gold_in_text and Verdict.CORRECT not in verdicts

    @property
    def id(self) -> SampleId:
        """Its stable name."""
        return SampleId(self.cell.key, self.problem.id, self.rank)


@dataclass(frozen=True, slots=True)
class StoredSample:
    """What the store has of a sample beside its verdicts; see ``distlab.store.sample_schema``."""

    text: str
    first_token: int | None
    first_token_logprob: float | None
    seed: int | None
    stop_string: str | None
    prompt_tokens: int
    prompt_hash: str
    run: str
    thinking_end: int | None
    thinking_tokens: int | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which samples are wanted; an empty value takes all.

    Attributes:
        arm: Variant and decoding, as in "base/cot".
        family: Name of the family.
        dataset: Name of the dataset.
        prompt: Name of the prompt style.
        text: Text that stands in the problem's id, question or gold, without case.
        verdict: A verdict that some judge, or the one named, has given.
        extractor: Name of the judge's extractor.
        grader: Name of the judge's grader.
        disagree: "graders" or "extractors", which differ on whether the sample is correct.
        truncated: Whether the sample was cut off at max_tokens: "yes" or "no".
        completion: Text that stands in the completion, without case.
        strata: Names of strata of the problem, each with its value.
        order: In which order they are wanted: a key of ``distlab.view.index.ORDERS``.
    """

    arm: str = ""
    family: str = ""
    dataset: str = ""
    prompt: str = ""
    text: str = ""
    verdict: str = ""
    extractor: str = ""
    grader: str = ""
    disagree: str = ""
    truncated: str = ""
    completion: str = ""
    strata: tuple[tuple[str, str], ...] = ()
    order: str = ""


@dataclass(frozen=True, slots=True)
class CellCount:
    """Samples of a cell, and those that each judge calls correct.

    Attributes:
        cell: The cell.
        problems: Problems with samples.
        samples: Samples with verdicts.
        truncated: Samples cut off.
        correct: (extractor, grader) to (correct samples, judged samples).
    """

    cell: Cell
    problems: int
    samples: int
    truncated: int
    correct: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProblemCount:
    """A problem, and in how many of its samples each cell solves it: (correct, judged)."""

    problem: Problem
    counts: Mapping[str, tuple[int, int]]
