"""Runs the jobs of a sweep: what a group of them misses is drawn together, each scores alone."""

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rich.console import Console

from distlab.config.complaints import explain
from distlab.config.compose import conf_folder
from distlab.console.exits import Exit, stopped_by
from distlab.console.quiet import quiet
from distlab.console.stopping import number_of
from distlab.errors import counted
from distlab.escape import plain
from distlab.sampling.outcome import Outcome
from distlab.sampling.session import Session
from distlab.store.repair import healed
from distlab.store.store import DamagedShard, Store
from distlab.study.stages import OngoingStudy, begin, check, draw, report, say_plan, score, showing
from distlab.sweep.groups import group_jobs
from distlab.sweep.record import JobRecord, JobState
from distlab.sweep.sweep_jobs import SweepJob
from distlab.sweep.sweep_table import SweepRow, lines_of


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a job.

    Attributes:
        record: For the sweep's record.
        lines: For the sweep's table.
        scored: Whether it has a report.
    """

    record: JobRecord
    lines: tuple[SweepRow, ...]
    scored: bool = False

    @classmethod
    def of(
        cls, job: SweepJob, state: JobState, status: int = 0, errors: tuple[str, ...] = ()
    ) -> "Result":
        """A job without a report."""
        record = JobRecord(job.number, job.folder.path.name, job.apart, state, status, errors)
        return cls(record, lines_of(record, None))


class Sweep:
    """The jobs of a sweep, or some of them, in this process."""

    def __init__(
        self, jobs: Sequence[SweepJob], folder: Path, command: str, console: Console, log: Path
    ) -> None:
        """Plan; nothing is started.

        Args:
            jobs: The jobs, by number.
            folder: The sweep's folder.
            command: The command line that resumes it.
            console: Where to say what happens.
            log: For what engines and Ray print.
        """
        self._jobs = {job.number: job for job in jobs}
        self._folder = folder
        self._log = log
        self._command = command
        self._console = console
        self._groups = group_jobs({job.number: job.study for job in jobs})
        self._works: dict[int, OngoingStudy] = {}
        self._errors: dict[int, tuple[int, str]] = {}
        self._begun: set[int] = set()
        self._session: Session | None = None
        self._signal: int | None = None
        self._warnings: list[str] = []
        self.engine_starts = 0
        self.samples = 0

    def run(self, number: int) -> Result:
        """Run a job; the first of a group draws for all of the group. Never raises."""
        job = self._jobs[number]
        if self._signal is not None:
            return Result.of(job, JobState.WAITING, stopped_by(self._signal))
        self._say(f"job {number} · {' '.join(job.apart)}")
        try:
            self._draw_group_of(number)
            finish = partial(self._finish, job)
            if result := healed(self._store(job), self._folder.name, self._warn, finish):
                return result
        except KeyboardInterrupt as stop:
            self._signal = number_of(stop)
        except Exception as error:
            self._errors[number] = self._complaint(error, job.folder.log)
        if self._signal is not None:
            return Result.of(job, JobState.STOPPED, stopped_by(self._signal))
        status, sentence = self._errors[number]
        self._say(f"failed: {sentence}")
        return Result.of(job, JobState.FAILED, status, (sentence,))

    def close(self) -> None:
        """Stop what is up."""
        if self._session is not None:
            with quiet(self._log):
                self._session.close()
            self._session = None

    def _finish(self, job: SweepJob) -> Result | None:
        """Score and report a job that was drawn; None where a signal or an error came before."""
        if self._signal is None and job.number not in {*self._works, *self._errors}:
            # Called again, since scoring found a shard damaged: what it held is drawn anew.
            self._prepare_and_draw([job])
        work = self._works.pop(job.number, None)
        if work is None or self._signal is not None:
            return None
        with showing(job.folder.log) as display:
            score(work, display)
        tables, path = report(work)
        self._say(f"report {path}")
        errors = tuple(work.outcome.errors)
        for error in errors:
            self._say(f"failed: {error}")
        state_now = JobState.FAILED if errors else JobState.DONE
        result = Result.of(job, state_now, Exit.FAILED if errors else Exit.DONE, errors)
        return replace(result, lines=lines_of(result.record, tables), scored=True)

    def _draw_group_of(self, number: int) -> None:
        if number in self._begun:
            return
        group = next(group for group in self._groups if number in group)
        self._begun.update(group)
        jobs = [self._jobs[member] for member in group]
        try:
            store = self._store(jobs[0])
            healed(store, self._folder.name, self._warn, lambda: self._prepare_and_draw(jobs))
        except Exception as error:
            complaint = self._complaint(error, self._log)
            for member in group:
                self._works.pop(member, None)
                self._errors.setdefault(member, complaint)

    def _prepare_and_draw(self, jobs: Sequence[SweepJob]) -> None:
        if works := self._prepare(jobs):
            say_plan(self._console, works, self._log)
            self._draw(works)

    def _prepare(self, jobs: Sequence[SweepJob]) -> list[OngoingStudy]:
        works = []
        for job in jobs:
            try:
                job.folder.path.mkdir(parents=True, exist_ok=True)
                check(job.study)
                store = self._store(job)
                name = f"{self._folder.name}/{job.folder.path.name}"
                work = begin(job.study, job.config, job.folder, name, self._command, store)
                work.write(replace(work.manifest, notes=(*work.manifest.notes, *self._noted(work))))
            except DamagedShard:
                raise
            except Exception as error:
                self._errors[job.number] = self._complaint(error, job.folder.log)
            else:
                self._works[job.number] = work
                works.append(work)
        return works

    def _store(self, job: SweepJob) -> Store:
        """One store for all jobs that name it, so that its shards' keys are read once."""
        if self._session is not None and self._session.store.uri == job.study.store:
            return self._session.store
        found = (w.store for w in self._works.values() if w.store.uri == job.study.store)
        return next(found, None) or Store.open(job.study.store)

    def _draw(self, works: Sequence[OngoingStudy]) -> None:
        with showing(self._log) as display, self._engines(works[0]) as session:
            outcome = draw(works, session, display)
        self._count(outcome)
        drawn, starts = counted(self.samples, "sample"), counted(self.engine_starts, "engine start")
        self._say(f"{drawn} drawn, {starts} so far")

    @contextmanager
    def _engines(self, work: OngoingStudy) -> Iterator[Session]:
        """The session of the last group, where it is on the same store and cluster."""
        if self._session is None or (self._session.store, self._session.cluster) != (
            work.store,
            work.study.cluster,
        ):
            self.close()
            self._session = Session(
                work.store,
                work.study.cluster,
                self._folder.name,
                self._folder / "events.jsonl",
            )
        yield self._session

    def _count(self, outcome: Outcome) -> None:
        self._signal = outcome.signal
        self.engine_starts += outcome.starts
        self.samples += outcome.samples

    def _complaint(self, error: Exception, log: Path) -> tuple[int, str]:
        """Status and sentence; a fault of ours leaves its traceback in the log."""
        sentence = explain(error, conf_folder())
        if sentence is not None:
            return Exit.BAD_INPUT, sentence
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8", errors="replace") as stream:
            traceback.print_exception(error, file=stream)
        return Exit.FAILED, f"{type(error).__name__}: {error} (traceback in {log})"

    def _warn(self, sentence: str) -> None:
        self._warnings.append(sentence)
        self._say(f"warning: {sentence}")

    def _noted(self, work: OngoingStudy) -> list[str]:
        """What was said of damaged shards of a job's cells."""
        paths = [planned.cell.path for planned in work.prepared.cells]
        return [said for said in self._warnings if any(f"/{path}/" in said for path in paths)]

    def _say(self, line: str) -> None:
        self._console.print(plain(line, None), highlight=False, markup=False, soft_wrap=True)
