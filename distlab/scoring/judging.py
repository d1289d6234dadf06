"""Texts and golds in; verdict codes out: what scoring and sampling until solved share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np
import numpy.typing as npt

from distlab.problems.types import Gold, GoldKind
from distlab.scoring.cache import VerdictCache, cache_key
from distlab.scoring.pool import GraderPool, GradeTask, PoolSettings
from distlab.scoring.types import (
    ComponentSpec,
    Extraction,
    Extractor,
    Grader,
    Verdict,
    load_component,
)

CODES = tuple(Verdict)
CODE = {verdict: code for code, verdict in enumerate(CODES)}
# A grader that does not apply to a gold leaves no row.
NO_ROW = -1

Codes = npt.NDArray[np.int8]


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
            UserError: It cannot be made.
        """
        grader: Grader = load_component(spec)
        kinds = frozenset(kind for kind in GoldKind if grader.applies(kind))
        return cls(spec, grader.version, kinds, bool(getattr(grader, "cached", False)))


class AnswerJudge:
    """Judges distinct answers with every grader that applies, in a pool of its own.

    Not thread-safe: one caller at a time, and always from the thread that made it.

    Args:
        graders: What to judge with.
        settings: How grader workers are held.
        cache: Folder of the verdicts kept over runs, or None.
        workers: Grader processes.

    Raises:
        UserError: A grader cannot be made.
    """

    def __init__(
        self,
        graders: Sequence[GraderFacts],
        settings: PoolSettings,
        cache: Path | None,
        workers: int = 1,
    ) -> None:
        self._graders = tuple(graders)
        self._pool = GraderPool([g.spec for g in graders], workers=workers, settings=settings)
        self._caches = {
            index: VerdictCache.open(cache, g.spec, g.version, settings.deadline_s)
            for index, g in enumerate(graders)
            if g.cached and cache is not None
        }

    def close(self) -> None:
        """End the grader processes."""
        self._pool.close()

    def judge(
        self, golds: Mapping[str, Gold], answers: Sequence[tuple[str, str]]
    ) -> tuple[Codes, int, int]:
        """Judge distinct (problem, answer).

        Returns:
            Verdict codes [answer, grader], ``NO_ROW`` where the grader does not apply; verdicts
            made; verdicts recalled.
        """
        codes = np.full((len(answers), len(self._graders)), NO_ROW, np.int8)
        keys: dict[int, bytes] = {}
        if self._caches:
            keys = {i: cache_key(golds[p], answer) for i, (p, answer) in enumerate(answers)}
        tasks: list[tuple[int, int]] = []
        recalled = 0
        for index, grader in enumerate(self._graders):
            todo = [i for i, (p, _) in enumerate(answers) if golds[p].kind in grader.kinds]
            if index in self._caches:
                found = self._caches[index].find([keys[i] for i in todo])
                for i, verdict in zip(todo, found, strict=True):
                    if verdict:
                        codes[i, index] = CODE[verdict]
                recalled += sum(verdict is not None for verdict in found)
                todo = [i for i, verdict in zip(todo, found, strict=True) if not verdict]
            tasks += zip(todo, repeat(index))
        verdicts = self._pool.grade(
            GradeTask(index, golds[answers[i][0]], answers[i][1]) for i, index in tasks
        )
        for (i, index), verdict in zip(tasks, verdicts, strict=True):
            codes[i, index] = CODE[verdict]
        for index, cache in self._caches.items():
            mine = [(keys[i], v) for (i, g), v in zip(tasks, verdicts, strict=True) if g == index]
            cache.keep([key for key, _ in mine], [verdict for _, verdict in mine])
        return codes, len(tasks), recalled


def extract(extractor: Extractor, text: str, kind: GoldKind) -> tuple[Extraction, bool]:
    """An extraction, and whether the extractor tripped over the text."""
    try:
        return extractor.extract(text, kind), False
    except Exception:
        # One text must not end the scoring of all others; its verdicts will be ``error``.
        return Extraction(None, 0, 0, len(text)), True
