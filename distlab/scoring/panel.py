"""Judges samples while others are being drawn: beside the event loop, in killable processes."""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from distlab.problems.problem import Gold
from distlab.scoring.judging import AnswerJudge, GraderFacts, Judging
from distlab.scoring.reader import Reader
from distlab.scoring.sampled_text import SampledText
from distlab.scoring.types import CORRECT

# Cores of the driver for one grader process (ours): the others are the engines'.
_CORES_A_GRADER = 8


class JudgeIndex(NamedTuple):
    """An extractor and a grader, by their positions."""

    extractor: int
    grader: int


class Candidate(NamedTuple):
    """A sample to judge.

    Attributes:
        problem: Cell path and problem id.
        gold: Its gold.
        sampled: The completion.
    """

    problem: tuple[str, str]
    gold: Gold
    sampled: SampledText


Found = dict[tuple[str, str], set[JudgeIndex]]
"""Problem to the judges that found one of its samples correct."""


class JudgePanel:
    """Every extractor with every grader, on a thread of its own.

    A pool of graders is not thread-safe, dies with the thread that made it, and waits: so it is
    made, used and closed on one thread, when the first sample comes.

    Args:
        judging: How samples are judged.

    Raises:
        UserError: An extractor or a grader cannot be made.
    """

    def __init__(self, judging: Judging) -> None:
        self._settings = judging.settings
        self._readers = [Reader(spec, self._settings) for spec in judging.extractors]
        self._graders = [GraderFacts.of(spec) for spec in judging.graders]
        self._cache = judging.cache
        self._judge: AnswerJudge | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="judges")

    def judges(self, gold: Gold) -> set[JudgeIndex]:
        """The judges whose grader judges ``gold``."""
        return {
            JudgeIndex(extractor, grader)
            for extractor in range(len(self._readers))
            for grader, facts in enumerate(self._graders)
            if gold.kind in facts.kinds
        }

    def judge(self, candidates: Sequence[Candidate]) -> Found:
        """Which judges find which problems solved by these samples.

        Raises:
            UserError: The grader processes die over and over.
        """
        return self._thread.submit(self._found, candidates).result()

    def judge_each(self, candidates: Sequence[Candidate]) -> list[set[JudgeIndex]]:
        """Which judges find each of these samples correct.

        Raises:
            UserError: The grader processes die over and over.
        """
        return self._thread.submit(self._correct, candidates).result()

    async def judge_beside(self, candidates: Sequence[Candidate]) -> Found:
        """As ``judge``, without blocking the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._found, candidates)

    def close(self) -> None:
        """End the grader processes, once they are through with what they have."""
        self._thread.submit(self._end)
        self._thread.shutdown()

    def _end(self) -> None:
        if self._judge is not None:
            self._judge.close()
        for reader in self._readers:
            reader.close()

    def _found(self, candidates: Sequence[Candidate]) -> Found:
        found: Found = {}
        for candidate, judges in zip(candidates, self._correct(candidates), strict=True):
            if judges:
                found.setdefault(candidate.problem, set()).update(judges)
        return found

    def _correct(self, candidates: Sequence[Candidate]) -> list[set[JudgeIndex]]:
        if self._judge is None:
            workers = max(1, len(os.sched_getaffinity(0)) // _CORES_A_GRADER)
            self._judge = AnswerJudge(self._graders, self._settings, self._cache, workers)
        # Distinct answers in order of appearance, and who read which.
        answers: dict[tuple[str, str], int] = {}
        reads: list[tuple[int, int, int]] = []
        golds: dict[str, Gold] = {}
        for sample, (problem, gold, sampled) in enumerate(candidates):
            name = "\0".join(problem)
            golds[name] = gold
            for index, reader in enumerate(self._readers):
                read, _ = reader.read(sampled, gold.kind)
                if read.answer is not None:
                    place = answers.setdefault((name, read.answer), len(answers))
                    reads.append((sample, index, place))
        correct = self._judge.judge(golds, list(answers))[0] == CORRECT
        found: list[set[JudgeIndex]] = [set() for _ in candidates]
        for sample, index, place in reads:
            graders = correct[place].nonzero()[0].tolist()
            found[sample].update(JudgeIndex(index, grader) for grader in graders)
        return found
