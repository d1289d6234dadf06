"""The null model's answers, graded by the real graders: what Pass@k costs without reading.

It answers 0, 1, 2, ... to every problem. Verdicts depend on the golds and the graders alone, so a
dataset is graded once for them. Those of cheap graders are kept over runs as well: it is not the
grading that takes long here but the start of the workers.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from distlab.problems.problem import Problem
from distlab.scoring.cache import VerdictCache, commit
from distlab.scoring.judging import GraderFacts, RecallingPool
from distlab.scoring.pool import GradeTask, PoolSettings
from distlab.scoring.types import ComponentSpec, Verdict
from distlab.scoring.verdict_schema import NULLS

# Answers per problem: as many as the study draws samples.
ANSWERS: Final = tuple(map(str, range(20)))
_IDENTITY: Final = b"distlab.identity"


def grade_nulls(
    problems: Mapping[str, Sequence[Problem]],
    files: Mapping[str, Path],
    graders: Sequence[ComponentSpec],
    settings: PoolSettings,
    *,
    cache: Path | None = None,
) -> None:
    """Grade the null answers of every dataset whose file does not hold them yet.

    Args:
        problems: Problems by dataset.
        files: Where each dataset's verdicts go (``schema.NULLS``).
        graders: What to grade with.
        settings: Deadline, memory and recycling of the workers.
        cache: Folder of verdicts kept over runs; None keeps none.

    Raises:
        UserError: A grader cannot be made.
    """
    facts = tuple(GraderFacts.of(spec) for spec in graders)
    stamps = {name: _identity(rows, facts, settings) for name, rows in problems.items()}
    todo = [name for name in problems if _stored_identity(files[name]) != stamps[name]]
    if not todo:
        return
    caches = {
        place: VerdictCache.open(cache, grader.spec, grader.version, settings.deadline_s)
        for place, grader in enumerate(facts)
        if cache is not None
    }
    pool = RecallingPool(facts, settings, caches, workers=len(os.sched_getaffinity(0)))
    with closing(pool):
        for name in todo:
            table = _table(problems[name], facts, pool)
            metadata = {**(NULLS.metadata or {}), _IDENTITY: stamps[name]}
            files[name].parent.mkdir(parents=True, exist_ok=True)
            commit(table.replace_schema_metadata(metadata), files[name])


def _table(
    problems: Sequence[Problem], graders: Sequence[GraderFacts], pool: RecallingPool
) -> pa.Table:
    """Every problem, grader that applies to it, and answer; equal golds are graded once."""
    golds = {repr(problem.gold): problem.gold for problem in problems}
    tasks = [
        GradeTask(place, gold, answer)
        for gold in golds.values()
        for place, grader in enumerate(graders)
        if gold.kind in grader.kinds
        for answer in ANSWERS
    ]
    verdicts: dict[tuple[str, int], list[Verdict]] = {}
    for task, verdict in zip(tasks, pool.grade(tasks).verdicts, strict=True):
        verdicts.setdefault((repr(task.gold), task.grader), []).append(verdict)
    rows = [
        {"problem_id": problem.id, "answer": int(answer), "grader": grader.spec.name, "verdict": v}
        for problem in problems
        for place, grader in enumerate(graders)
        for answer, v in zip(ANSWERS, verdicts.get((repr(problem.gold), place), ()), strict=False)
    ]
    return pa.Table.from_pylist(rows, schema=NULLS)


def _identity(
    problems: Sequence[Problem], graders: Sequence[GraderFacts], settings: PoolSettings
) -> bytes:
    """Everything that the verdicts depend on."""
    made = [
        (g.spec.name, g.spec.target, sorted(g.spec.options.items()), g.version) for g in graders
    ]
    parts = repr((made, settings.deadline_s, [(p.id, p.gold) for p in problems], ANSWERS))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest().encode()


def _stored_identity(file: Path) -> bytes | None:
    try:
        return (pq.read_schema(file).metadata or {}).get(_IDENTITY)
    except (FileNotFoundError, pa.ArrowException):
        return None
