"""The Ray Data stage: stored samples of any number of cells in, verdict files out.

Pieces of a cell (whole problems, about a shard) flow through actors, one to a core, each with a
grader worker of its own. An actor reads its piece's columns itself and commits its verdicts
itself, so that only descriptions and counts cross processes, and memory is bounded by the pieces
under way. A piece's file is named by everything that its verdicts depend on: scoring again, or
after a kill, does what is missing and nothing else. With a cache the files are kept over runs:
where another run has judged the same samples in the same way, nothing starts at all.
"""

import contextlib
import logging
import math
import os
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.fs as pafs
import ray

from distlab.errors import UserError, file_fault
from distlab.local_ray import local_ray
from distlab.problems.problem import GoldKind
from distlab.scoring.cache import VerdictCache
from distlab.scoring.judging import GraderFacts, Judging
from distlab.scoring.nodes import free_cores, sharing_nodes
from distlab.scoring.pieces import CellSource, Piece, divide
from distlab.scoring.score_piece import PieceSummary, Scorer, ScoringJob, verdict_file
from distlab.scoring.types import ComponentSpec, Extractor, load_extractor
from distlab.scoring.verdict_files import VerdictFiles, stands
from distlab.scoring.verdict_schema import SCHEMA_VERSION

# Object store of a Ray that scoring starts for itself (ours): it carries descriptions alone.
_OBJECT_STORE_BYTES = 200 << 20
# An actor and its worker cost some ten seconds of CPU to start, most of it imports: a small run is
# over sooner with fewer (ours).
_SAMPLES_WORTH_AN_ACTOR = 4000

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ScoreSummary:
    """What a scoring run did.

    Attributes:
        samples: Samples with verdicts now, over all cells.
        resumed: Of them, those whose verdicts stood already.
        missing: Samples that the cells should hold and the store does not.
        answers: Distinct (problem, answer) of this run, over all extractors.
        graded: Verdicts that graders made in this run.
        recalled: Verdicts taken from the cache.
        timeouts: Verdict rows of this run that are ``timeout``.
        errors: Verdict rows of this run that are ``error``.
        seconds: Wall time.
    """

    samples: int
    resumed: int
    missing: int
    answers: int
    graded: int
    recalled: int
    timeouts: int
    errors: int
    seconds: float


def score_samples(
    sources: Sequence[CellSource],
    out: Path,
    judging: Judging,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> ScoreSummary:
    """Score every stored sample of the cells; ``out`` then holds their verdicts and no others.

    Uses the Ray that is up, or starts one on this machine for as long as it takes. Pieces are
    scored on every node that sees the same ``out``, cache and, on a disk, samples.

    Args:
        sources: The cells.
        out: Folder of the verdict files; made if missing.
        judging: How they are judged.
        workers: Actors; None takes one for each free core of Ray, fewer for few samples.
        progress: Called with samples done and samples in all.

    Raises:
        UserError: A component cannot be made, a shard is damaged, no grader judges a gold.
    """
    begin = time.monotonic()
    job = _job(out, judging)
    _check_golds(sources, job.graders)
    identity = _identity(job)
    pieces = [piece for source in sources for piece in divide(source, identity)]
    _prepare(job)
    kept = VerdictFiles(job.cache / "pieces") if job.cache else None
    todo = [piece for piece in pieces if not _stands(job, piece, kept)]
    total = sum(piece.samples for piece in pieces)
    resumed = total - sum(piece.samples for piece in todo)
    report = progress or (lambda done, of: None)
    report(resumed, total)
    done = PieceSummary()
    if todo:
        with _ray(), _quiet_ray_data():
            for piece, summary in _run(job, todo, workers):
                done += summary
                if kept:
                    kept.keep(verdict_file(job.out, piece), summary)
                report(resumed + done.samples, total)
    # Actors of a driver that was killed may have gone on for a while.
    _drop_others(job, pieces)
    asked = sum(source.n * len(source.problems) for source in sources)
    return ScoreSummary(
        samples=total,
        resumed=resumed,
        missing=asked - total,
        answers=done.answers,
        graded=done.graded,
        recalled=done.recalled,
        timeouts=done.timeouts,
        errors=done.errors,
        seconds=time.monotonic() - begin,
    )


def _job(out: Path, judging: Judging) -> ScoringJob:
    return ScoringJob(
        out=out.absolute(),
        extractors=tuple(judging.extractors),
        graders=tuple(GraderFacts.of(spec) for spec in judging.graders),
        settings=judging.settings,
        cache=judging.cache and judging.cache.absolute(),
    )


def _check_golds(sources: Sequence[CellSource], graders: Sequence[GraderFacts]) -> None:
    """Refuse golds that no grader judges."""
    judged = frozenset[GoldKind]().union(*(grader.kinds for grader in graders))
    for source in sources:
        for name, problem in source.problems.items():
            if problem.gold.kind not in judged:
                names = ", ".join(grader.spec.name for grader in graders) or "none"
                raise UserError(
                    f"no grader of this run ({names}) judges the {problem.gold.kind} gold of "
                    f"problem {name} in {source.cell}; add one that does to `grader`"
                )


def _identity(job: ScoringJob) -> str:
    """Everything beside samples and golds that verdicts depend on."""
    readers: list[Extractor] = [load_extractor(spec) for spec in job.extractors]
    return repr(
        (
            SCHEMA_VERSION,
            [_stamp(s, r.version) for s, r in zip(job.extractors, readers, strict=True)],
            [_stamp(grader.spec, grader.version) for grader in job.graders],
            (job.settings.deadline_s, job.settings.memory_mib),
        )
    )


def _stamp(spec: ComponentSpec, version: str) -> tuple[str, str, str, str]:
    return spec.name, spec.target, repr(sorted(spec.options.items())), version


def _prepare(job: ScoringJob) -> None:
    """Make the folder and merge the cache's files; earlier verdicts stay until there are others."""
    job.out.mkdir(parents=True, exist_ok=True)
    if job.cache:
        for grader in job.graders:
            if grader.cached:
                deadline = job.settings.deadline_s
                VerdictCache.open(job.cache, grader.spec, grader.version, deadline).merge()


def _drop_others(job: ScoringJob, pieces: Sequence[Piece]) -> None:
    """Remove verdict files that are no piece of this scoring, drafts included."""
    wanted = {verdict_file(job.out, piece) for piece in pieces}
    for pattern in ("verdicts-*.parquet", ".verdicts-*.tmp"):
        for file in set(job.out.glob(pattern)) - wanted:
            file.unlink(missing_ok=True)


def _stands(job: ScoringJob, piece: Piece, kept: VerdictFiles | None) -> bool:
    """Whether a piece's verdicts are there, now that another run's may have been taken over."""
    file = verdict_file(job.out, piece)
    return stands(file) or (kept is not None and kept.recall(file))


class _Actor:
    """A Scorer as Ray Data calls it: one piece in, its counts or what is wrong out."""

    def __init__(self, job: bytes) -> None:
        self._scorer = Scorer(pickle.loads(job))

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        outcomes = [self._score(pickle.loads(piece)) for piece in batch["piece"]]
        found = np.array([pickle.dumps(outcome) for outcome in outcomes], object)
        return {"number": batch["number"], "outcome": found}

    def _score(self, piece: Piece) -> PieceSummary | UserError:
        try:
            return self._scorer.score(piece)
        except UserError as error:
            # Raised here, it would reach the driver as an error of Ray's.
            return error
        except OSError as error:
            if (sentence := file_fault(error)) is None:
                raise
            return UserError(sentence)


def _nodes(job: ScoringJob, pieces: Sequence[Piece]) -> list[str]:
    """The nodes that share this one's verdicts, cache and, where they are on a disk, samples."""
    on_disk = (p for p in pieces if isinstance(p.filesystem, pafs.LocalFileSystem))
    # A shard's name is like no other's.
    samples = [Path(shard.path) for piece in on_disk for shard in piece.shards[:1]][:1]
    written = [job.out, *([job.cache] if job.cache and job.cache.is_dir() else [])]
    return sharing_nodes(written, samples)


def _run(
    job: ScoringJob, pieces: Sequence[Piece], workers: int | None
) -> Iterator[tuple[Piece, PieceSummary]]:
    """Send the pieces through the actors; yields as they are committed, in any order.

    Raises:
        UserError: A piece cannot be scored.
    """
    nodes = _nodes(job, pieces)
    free = free_cores(nodes)
    useful = math.ceil(sum(piece.samples for piece in pieces) / _SAMPLES_WORTH_AN_ACTOR)
    actors = max(1, min(workers or min(int(free), useful), len(pieces)))
    rows = [{"number": n, "piece": pickle.dumps(piece)} for n, piece in enumerate(pieces)]
    summaries = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        _Actor,
        fn_constructor_args=(pickle.dumps(job),),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=actors),
        # Where engines hold the cores, scoring shares them rather than waits for ever.
        num_cpus=min(1.0, free / actors),
        label_selector={"ray.io/node-id": f"in({','.join(nodes)})"},
    )
    for batch in summaries.iter_batches(batch_size=None, prefetch_batches=0):
        for number, pickled in zip(batch["number"], batch["outcome"], strict=True):
            outcome = pickle.loads(pickled)
            if isinstance(outcome, UserError):
                raise outcome
            yield pieces[number], outcome


@contextlib.contextmanager
def _ray() -> Iterator[None]:
    """The Ray that is up, or one of our own on this machine."""
    if ray.is_initialized():
        yield
    else:
        cores = len(os.sched_getaffinity(0))
        with local_ray(_OBJECT_STORE_BYTES, cpus=cores, quiet=True):
            yield


@contextlib.contextmanager
def _quiet_ray_data() -> Iterator[None]:
    """Ray Data without bars and log lines: progress is the caller's to show."""
    context = ray.data.DataContext.get_current()
    bars, context.enable_progress_bars = context.enable_progress_bars, False
    logger = logging.getLogger("ray.data")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        context.enable_progress_bars = bars
        logger.setLevel(level)
