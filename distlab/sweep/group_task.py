"""A group of jobs in a process of its own: what a Ray task of a sweep does."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from distlab.console.printing import printer
from distlab.console.quiet import quiet
from distlab.sweep.sweep import Result, Sweep
from distlab.sweep.sweep_jobs import SweepJob


@dataclass(frozen=True, slots=True)
class JobGroup:
    """Jobs that need the same engines.

    Attributes:
        jobs: The jobs, by number.
        folder: The sweep's folder.
        command: The command line that resumes the sweep.
        cwd: What relative paths are relative to.
    """

    jobs: tuple[SweepJob, ...]
    folder: Path
    command: str
    cwd: Path

    @property
    def said(self) -> Path:
        """What the group's process would say on a terminal."""
        return self.folder / f"jobs-{self.jobs[0].number}.txt"

    @property
    def log(self) -> Path:
        """What its engines print."""
        return self.folder / f"log-{self.jobs[0].number}.txt"


@dataclass(frozen=True, slots=True)
class GroupResult:
    """What became of a group.

    Attributes:
        results: What became of each job.
        engine_starts: Engines started.
        samples: Samples drawn.
    """

    results: tuple[Result, ...]
    engine_starts: int
    samples: int


def run_group(group: JobGroup) -> GroupResult:
    """Run the jobs of a group, one after the other."""
    os.chdir(group.cwd)
    with quiet(group.said):
        sweep = Sweep(group.jobs, group.folder, group.command, printer(), group.log)
        try:
            results = tuple(sweep.run(job.number) for job in group.jobs)
        finally:
            sweep.close()
    return GroupResult(results, sweep.engine_starts, sweep.samples)


class Said:
    """Passes on what the processes of groups say."""

    def __init__(self, groups: Sequence[JobGroup], terminal: TextIO) -> None:
        self._files = {group.said: 0 for group in groups}
        self._terminal = terminal

    def pass_on(self) -> None:
        """Print the whole lines that came since the last call, under the number of their group."""
        for file, position in self._files.items():
            if not file.exists():
                continue
            with file.open("rb") as stream:
                stream.seek(position)
                lines = stream.read().rpartition(b"\n")
            self._files[file] = position + len(lines[0]) + len(lines[1])
            for line in lines[0].decode("utf-8", "replace").splitlines():
                print(f"[{file.stem}] {line}", file=self._terminal)
