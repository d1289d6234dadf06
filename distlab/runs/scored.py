"""What is read of a run: facts of its samples, verdicts, answers without reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from distlab.analysis.answers import NONE
from distlab.analysis.arrays import BoolArray, CodeArray, IntArray
from distlab.problems.problem import Problem
from distlab.runs.manifest import Manifest
from distlab.store.cell import Cell


@dataclass(frozen=True, slots=True, eq=False)
class SampleFacts:
    """What a cell's samples are under one extractor, whatever the grader.

    Attributes:
        present: [problems, n], whether the sample is there.
        answers: [problems, n], the number of the class of equal answers, -1 for none; codes of the
            strings, where verdicts are of an earlier version.
        starts: [problems, n], offset of the answer in the sample's text, in characters.
        truncated: [problems, n], whether the sample was cut off at max_tokens.
        tokens: [problems, n], new tokens of the sample; 0 where nobody counted them.
        deltas: [problems, n], CoT-decoding's answer-span confidence, NaN where there is none.
        gold_in_text: [problems, n], whether the gold's text stands in the sample.
        continued: [problems, n], whether the sample goes on with what the prompt hid of the
            question, word for word.
        thinking: [problems, n], tokens of the sample's reasoning, NaN where nobody counted any.
    """

    present: BoolArray
    answers: IntArray
    starts: npt.NDArray[np.int32]
    truncated: BoolArray
    tokens: npt.NDArray[np.int32]
    deltas: npt.NDArray[np.float32]
    gold_in_text: BoolArray
    continued: BoolArray
    thinking: npt.NDArray[np.float32]

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> Self:
        """Of samples of which nothing is known, [problems, n]."""
        return cls(
            present=np.zeros(shape, dtype=np.bool_),
            answers=np.full(shape, NONE, dtype=np.int64),
            truncated=np.zeros(shape, dtype=np.bool_),
            tokens=np.zeros(shape, dtype=np.int32),
            starts=np.zeros(shape, dtype=np.int32),
            deltas=np.full(shape, np.nan, dtype=np.float32),
            gold_in_text=np.zeros(shape, dtype=np.bool_),
            continued=np.zeros(shape, dtype=np.bool_),
            thinking=np.full(shape, np.nan, dtype=np.float32),
        )


@dataclass(frozen=True, slots=True, eq=False)
class VerdictTable:
    """One cell under one extractor and one grader.

    Attributes:
        cell: The cell.
        extractor: Name of the extractor.
        grader: Name of the grader.
        problems: The dataset's problems; the rows of every matrix.
        sources: [problems], the number of the source of each, see ``source_numbers``.
        failed: [problems], problems that the manifest lists as failed in this cell.
        codes: [problems, n] verdict codes, ``NO_VERDICT`` where there is none.
        facts: The samples behind the codes.
    """

    cell: Cell
    extractor: str
    grader: str
    problems: tuple[Problem, ...]
    sources: IntArray
    failed: BoolArray
    codes: CodeArray
    facts: SampleFacts


def source_numbers(problems: Mapping[str, Sequence[Problem]]) -> dict[str, IntArray]:
    """Number the sources of problems, one number for a source in whichever dataset it is.

    Names of clusters are a dataset's own, except where they are those of pairs, which hold over
    datasets. Numbers, because names take ten times as long to sort.

    Args:
        problems: Dataset to its problems.

    Returns:
        Dataset to [problems], in the order of the sources' names.
    """
    names = {name: [_source(problem) for problem in rows] for name, rows in problems.items()}
    numbers = {name: at for at, name in enumerate(sorted(set(chain(*names.values()))))}
    return {
        name: np.array([numbers[source] for source in sources], dtype=np.int64)
        for name, sources in names.items()
    }


def _source(problem: Problem) -> str:
    if problem.cluster == problem.pair:
        return problem.cluster
    return f"{problem.dataset}/{problem.cluster}"


@dataclass(frozen=True, slots=True, eq=False)
class NullTable:
    """A dataset's null answers under one grader.

    Attributes:
        dataset: Name of the dataset.
        grader: Name of the grader.
        codes: [problems, answers] verdict codes of the answers 0, 1, 2, ..., rows as in
            ``VerdictTable``; ``NO_VERDICT`` where the grader does not judge the gold.
    """

    dataset: str
    grader: str
    codes: CodeArray


@dataclass(frozen=True, slots=True, eq=False)
class Rerun:
    """A run that drew cells of an earlier one again, under another seed or replicate.

    Attributes:
        manifest: What ran in it, all of it.
        tables: The verdicts of the cells that it drew again, as in ``JudgedRuns``.
    """

    manifest: Manifest
    tables: tuple[VerdictTable, ...]


@dataclass(frozen=True, slots=True, eq=False)
class JudgedRuns:
    """One or more run folders, read as one study.

    Attributes:
        runs: The run folders.
        manifest: What ran.
        parameters: Family to its number of parameters.
        tables: The verdicts, in the order of the manifest's cells, then extractors, then graders.
        nulls: The answers without reading, by dataset and grader.
        remarks: What was odd about the files, one sentence each.
        reruns: Runs that drew some of the cells again; in none of the above.
    """

    runs: tuple[Path, ...]
    manifest: Manifest
    parameters: Mapping[str, float]
    tables: tuple[VerdictTable, ...]
    nulls: tuple[NullTable, ...]
    remarks: tuple[str, ...]
    reruns: tuple[Rerun, ...] = ()


@dataclass(frozen=True, slots=True)
class Judge:
    """What turns a completion into a verdict."""

    extractor: str
    grader: str


@dataclass(frozen=True, slots=True)
class SampleKey:
    """One sample under one extractor."""

    cell: str
    extractor: str
    problem_id: str
    rank: int
