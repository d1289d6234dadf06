"""When a run's manifest was written: the time that exports bear, the same each time."""

import datetime

from distlab.api.opened import Run
from distlab.runs.folder import RunFolder
from distlab.runs.joining import runs_in


def written_at(run: Run) -> datetime.datetime:
    """The time of its newest manifest, UTC."""
    files = [RunFolder(path).manifest_file for path in runs_in(run.path)]
    newest = max(file.stat().st_mtime for file in files)
    return datetime.datetime.fromtimestamp(newest, datetime.UTC)


def stamp(run: Run) -> str:
    """That as lm-eval writes it into names of files: "2026-11-27T01-28-58.321873"."""
    return written_at(run).strftime("%Y-%m-%dT%H-%M-%S.%f")
