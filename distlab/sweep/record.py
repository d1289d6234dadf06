"""What a sweep leaves in its folder: ``sweep.json``, rewritten as its jobs end.

SWEEP/
sweep.json       the jobs, what sets each apart, what became of it
multirun.yaml    the config before it was swept (Hydra's)
log.txt          engine and Ray output while samples were drawn for all jobs
NUMBER-FAMILY/   a run folder per job
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from distlab.errors import UserError
from distlab.files import whole


class JobState(StrEnum):
    """How far a job came."""

    WAITING = "not run"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job of a sweep.

    Attributes:
        number: From 0, in the order of the sweep.
        name: Its run folder inside the sweep's.
        overrides: What sets it apart from the other jobs.
        state: How far it came.
        status: The exit status that it alone would have had.
        errors: What went wrong, one sentence each.
    """

    number: int
    name: str
    overrides: tuple[str, ...]
    state: JobState = JobState.WAITING
    status: int = 0
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """A sweep.

    Attributes:
        command: The command line that resumes it.
        jobs: Its jobs, by number.
        engine_starts: Engines started so far.
        samples: Samples drawn so far.
    """

    command: str
    jobs: tuple[JobRecord, ...]
    engine_starts: int = 0
    samples: int = 0

    @property
    def status(self) -> int:
        """The worst job's."""
        return max((job.status for job in self.jobs), default=0)


def record_file(sweep: Path) -> Path:
    """``sweep.json`` of a sweep's folder."""
    return sweep / "sweep.json"


def write_record(sweep: Path, record: SweepRecord) -> None:
    """Replace ``sweep.json`` in one step."""
    # ASCII, so that a lone surrogate in an error message cannot stop it.
    with whole(record_file(sweep)) as stream:
        stream.write(f"{json.dumps(asdict(record), indent=2)}\n".encode("ascii"))


def read_record(sweep: Path) -> SweepRecord:
    """Read ``sweep.json``.

    Raises:
        UserError: The folder has none, or it is not one of ours.
    """
    try:
        raw = json.loads(record_file(sweep).read_text(encoding="utf-8"))
        return SweepRecord(**{**raw, "jobs": tuple(_job(job) for job in raw["jobs"])})
    except FileNotFoundError:
        raise UserError(f"{sweep} is not the folder of a sweep: it has no sweep.json") from None
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{record_file(sweep)} cannot be read: {error}") from error


def _job(raw: Any) -> JobRecord:  # noqa: ANN401 (parsed JSON)
    lists = {name: tuple(raw[name]) for name in ("overrides", "errors")}
    return JobRecord(**{**raw, **lists, "state": JobState(raw["state"])})
