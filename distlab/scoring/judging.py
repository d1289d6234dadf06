"""Texts and golds in; verdict codes out: what scoring and sampling until solved share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from distlab.importing import as_sentence
from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.cache import VerdictCache, cache_key
from distlab.scoring.pool import GraderPool, GradeTask, PoolSettings
from distlab.scoring.sampled_text import SampledText
from distlab.scoring.types import (
    CODES,
    NO_VERDICT,
    ComponentSpec,
    Extraction,
    Extractor,
    TurnExtractor,
    Verdict,
    load_grader,
)

Codes = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Judging:
    """How samples are judged.

    Attributes:
        extractors: Run on every sample.
        graders: Run on every distinct answer of a problem whose gold they judge.
        settings: Deadline, memory and recycling of grader workers.
        cache: Folder of verdicts kept over runs; None keeps none.
    """

    extractors: Sequence[ComponentSpec]
    graders: Sequence[ComponentSpec]
    settings: PoolSettings = field(default_factory=PoolSettings)
    cache: Path | None = None


@dataclass(frozen=True, slots=True)
class GraderFacts:
    """What scoring must know of a grader without importing it where it is not run.

    Attributes:
        spec: What to make in the workers.
        version: The grader's version.
        kinds: Golds that it judges.
        cached: Whether its verdicts are kept over runs.
    """

    spec: ComponentSpec
    version: str
    kinds: frozenset[GoldKind]
    cached: bool

    @classmethod
    def of(cls, spec: ComponentSpec) -> "GraderFacts":
        """Ask the grader.

        Raises:
            UserError: It cannot be made, or does not say.
        """
        grader = load_grader(spec)
        named = f"`grader.use.{spec.name}.target` is {spec.target!r}"
        with as_sentence(f"{named}: asking which golds it judges fails"):
            kinds = frozenset(kind for kind in GoldKind if grader.applies(kind))
        return cls(spec, grader.version, kinds, bool(getattr(grader, "cached", False)))


@dataclass(frozen=True, slots=True)
class Graded:
    """What came of tasks.

    Attributes:
        verdicts: In the order of the tasks.
        recalled: How many of them were kept of an earlier run.
    """

    verdicts: list[Verdict]
    recalled: int


class RecallingPool:
    """A pool of graders that is asked only what is not kept over runs, and starts once needed.

    Not thread-safe: one caller at a time.

    Args:
        graders: What to grade with; tasks name them by position.
        settings: How grader workers are held.
        caches: What is kept, by the grader's position.
        workers: Grader processes.
    """

    def __init__(
        self,
        graders: Sequence[GraderFacts],
        settings: PoolSettings,
        caches: Mapping[int, VerdictCache],
        workers: int = 1,
    ) -> None:
        self._specs = [grader.spec for grader in graders]
        self._settings = settings
        self._caches = caches
        self._workers = workers
        self._pool: GraderPool | None = None

    def grade(self, tasks: Sequence[GradeTask]) -> Graded:
        """Judge every task.

        Raises:
            UserError: A grader cannot be made, or its processes die over and over.
        """
        keys = [cache_key(t.gold, t.answer) if t.grader in self._caches else b"" for t in tasks]
        found = self._recall(tasks, keys)
        new = [place for place, verdict in enumerate(found) if verdict is None]
        for place, verdict in zip(new, self._make([tasks[place] for place in new]), strict=True):
            found[place] = verdict
        self._keep(tasks, keys, found, new)
        return Graded([v for v in found if v is not None], len(tasks) - len(new))

    def close(self) -> None:
        """End the grader processes."""
        if self._pool is not None:
            self._pool.close()

    def _recall(self, tasks: Sequence[GradeTask], keys: Sequence[bytes]) -> list[Verdict | None]:
        found: list[Verdict | None] = [None] * len(tasks)
        for grader, cache in self._caches.items():
            mine = [place for place, task in enumerate(tasks) if task.grader == grader]
            held = cache.find([keys[place] for place in mine])
            for place, verdict in zip(mine, held, strict=True):
                found[place] = verdict
        return found

    def _make(self, tasks: Sequence[GradeTask]) -> list[Verdict]:
        if not tasks:
            return []
        if self._pool is None:
            self._pool = GraderPool(self._specs, workers=self._workers, settings=self._settings)
        return self._pool.grade(tasks)

    def _keep(
        self,
        tasks: Sequence[GradeTask],
        keys: Sequence[bytes],
        found: Sequence[Verdict | None],
        new: Sequence[int],
    ) -> None:
        """Keep new verdicts that the answers themselves have caused."""
        if self._pool is None:
            return
        sure = [place for at, place in enumerate(new) if at not in self._pool.disturbed]
        for grader, cache in self._caches.items():
            mine = [place for place in sure if tasks[place].grader == grader]
            cache.keep({keys[place]: v for place in mine if (v := found[place]) is not None})


class AnswerJudge:
    """Judges distinct answers with every grader that applies, in a pool of its own.

    Not thread-safe: one caller at a time, and always from the thread that made it.

    Args:
        graders: What to judge with.
        settings: How grader workers are held.
        cache: Folder of the verdicts kept over runs, or None.
        workers: Grader processes.
    """

    def __init__(
        self,
        graders: Sequence[GraderFacts],
        settings: PoolSettings,
        cache: Path | None,
        workers: int = 1,
    ) -> None:
        self._graders = tuple(graders)
        caches = {
            index: VerdictCache.open(cache, g.spec, g.version, settings.deadline_s)
            for index, g in enumerate(graders)
            if g.cached and cache is not None
        }
        self._pool = RecallingPool(graders, settings, caches, workers)

    def close(self) -> None:
        """End the grader processes."""
        self._pool.close()

    def grade(self, tasks: Sequence[GradeTask]) -> list[Verdict]:
        """Judge tasks, in their order.

        Raises:
            UserError: A grader cannot be made, or its processes die over and over.
        """
        return self._pool.grade(tasks).verdicts

    def judge(
        self, golds: Mapping[str, Gold], answers: Sequence[tuple[str, str]]
    ) -> tuple[Codes, int, int]:
        """Judge distinct (problem, answer).

        Returns:
            Verdict codes [answer, grader], ``NO_VERDICT`` where the grader does not apply;
            verdicts made; verdicts recalled.

        Raises:
            UserError: A grader cannot be made, or its processes die over and over.
        """
        places = [
            (row, index)
            for index, grader in enumerate(self._graders)
            for row, (problem, _) in enumerate(answers)
            if golds[problem].kind in grader.kinds
        ]
        tasks = [GradeTask(i, golds[answers[row][0]], answers[row][1]) for row, i in places]
        graded = self._pool.grade(tasks)
        codes = np.full((len(answers), len(self._graders)), NO_VERDICT, np.int8)
        for place, verdict in zip(places, graded.verdicts, strict=True):
            codes[place] = CODES[verdict]
        return codes, len(tasks) - graded.recalled, graded.recalled


def extract(extractor: Extractor, sampled: SampledText, kind: GoldKind) -> tuple[Extraction, bool]:
    """What counts as a sample's answer; of a truncated one, only what it states.

    Reasoning before an answer is not read. Offsets are of the whole text.

    Returns:
        The extraction, and whether the extractor tripped over the text, named a span outside it, or
        gave an answer that is no text.
    """
    text, before = sampled.answer, sampled.thinking_end or 0
    try:
        if sampled.turn_end is not None and isinstance(extractor, TurnExtractor):
            found = extractor.extract_turn(text, kind)
        else:
            found = extractor.extract(text, kind)
        is_text = found.answer is None or isinstance(found.answer, str)
        if is_text and 0 <= found.start <= found.end <= len(text):
            return found.of_sample(sampled.breaks_off).behind(before), False
    except (Exception, SystemExit):
        # One text must not end the scoring of all others; its verdicts will be ``error``.
        pass
    return unread(sampled), True


def unread(sampled: SampledText) -> Extraction:
    """No answer, of a sample at which the extractor tripped."""
    return Extraction(None, 0, 0, (sampled.thinking_end or 0) + len(sampled.answer))
