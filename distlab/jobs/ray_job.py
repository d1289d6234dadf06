"""A study as a job of a running Ray cluster, over its Job API.

The job belongs to the cluster, not to whoever submitted it. Its id is made of the study's
arguments, so that submitting the same again finds it.
"""

import asyncio
import json
import logging
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TextIO, TypeVar

from aiohttp import ClientError
from ray.exceptions import AuthenticationError
from ray.job_submission import JobDetails, JobStatus, JobSubmissionClient

from distlab.config.compose import own_folders, searched
from distlab.errors import UserError
from distlab.escape import plain
from distlab.jobs.entry import PINS
from distlab.jobs.overrides import anchored, composed, own_files, study_name
from distlab.jobs.shipping import pack
from distlab.versions import pinned_versions

# Seconds between SIGTERM and SIGKILL of a job that is stopped; a driver commits in less.
_STOP_S = 60
_AWAY_S = 60.0
_POLL_S = 1.0
# These override an address that is given to the client.
_ADDRESSES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")
_STOPPED_STATUS = 143
# In what the dashboard says while its agents are not up.
_TRY_AGAIN = "try again"

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Submission:
    """A study to submit.

    Attributes:
        name: What the ids of its jobs start with.
        overrides: Of ``distlab.run``, paths absolute.
        extras: Files and folders of the user's that go along.
        pin: Whether the cluster must run the versions that are installed here.
    """

    name: str
    overrides: tuple[str, ...]
    extras: tuple[Path, ...]
    pin: bool

    @classmethod
    def of(
        cls,
        overrides: Sequence[str],
        extras: Sequence[Path],
        *,
        pin: bool,
        config_dirs: Sequence[Path] = (),
    ) -> "Submission":
        """Check the overrides and make them fit for another folder.

        Args:
            overrides: As typed.
            extras: Files and folders that go along, beside ``./conf`` and modules that are named.
            pin: As the attribute.
            config_dirs: Config folders that go along.

        Raises:
            UserError: A run would refuse them.
        """
        configs = composed([*own_folders(config_dirs), *overrides])
        there = (
            *searched([Path(folder.name) for folder in config_dirs]),
            *anchored(overrides, configs[0], along={extra.name for extra in extras}),
            "cluster.address=auto",
        )
        given = {extra.resolve() for extra in (*extras, *config_dirs)}
        own = [file for file in own_files(configs) if file.resolve() not in given]
        return cls(study_name(there, configs[0]), there, (*extras, *config_dirs, *own), pin)

    @property
    def entrypoint(self) -> str:
        """The shell command of the job; exec, so that a signal reaches the driver once."""
        return f"exec python3 -m distlab.jobs.entry {shlex.join(self.overrides)}"

    def environment(self) -> dict[str, str]:
        """The job's environment variables."""
        stop = {"RAY_JOB_STOP_WAIT_TIME_S": str(_STOP_S)}
        return stop | ({PINS: json.dumps(pinned_versions())} if self.pin else {})


def connect(address: str) -> JobSubmissionClient:
    """A client of the cluster whose dashboard is at ``address`` ("http://HOST:8265").

    Raises:
        UserError: None answers there, or it wants another token.
    """
    for name in _ADDRESSES:
        os.environ.pop(name, None)
    # "WebSocket closed" and the like, between the job's own lines.
    logging.getLogger(JobSubmissionClient.__module__).setLevel(logging.WARNING)
    try:
        return _client(address)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UserError(
            f"no Ray cluster takes jobs at --address {address}: start one with `ray start --head`, "
            "or give the address of its dashboard (http://HOST:8265)"
        ) from error
    except AuthenticationError as error:
        raise UserError(
            f"the cluster at --address {address} wants a token: put its own into ~/.ray/auth_token "
            "or RAY_AUTH_TOKEN"
        ) from error


def _client(address: str) -> JobSubmissionClient:
    try:
        return JobSubmissionClient(address)
    except AuthenticationError:
        # Ray's clients send a token only in a process that RAY_AUTH_MODE tells to.
        if (token := _token()) is None:
            raise
        return JobSubmissionClient(address, headers={"Authorization": f"Bearer {token}"})


def _token() -> str | None:
    """The user's token, from where Ray looks for it."""
    if token := os.environ.get("RAY_AUTH_TOKEN"):
        return token
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    return file.read_text().strip() if file.is_file() else None


def ensure_submitted(client: JobSubmissionClient, study: Submission, out: TextIO) -> str:
    """The id of the study's job: the one that runs, or a new one.

    Raises:
        UserError: The cluster refuses the job.
    """
    attempts = _attempts(client, study.name)
    if going := [job for job in attempts if not job.status.is_terminal()]:
        identity = str(going[-1].submission_id)
        print(f"the study runs already, as job {identity}", file=out)
        return identity
    identity = f"{study.name}-{len(attempts) + 1}"
    with tempfile.TemporaryDirectory() as folder:
        pack(Path(folder), study.extras)
        try:
            _patiently(
                lambda: client.submit_job(
                    submission_id=identity,
                    entrypoint=study.entrypoint,
                    runtime_env={"working_dir": folder, "env_vars": study.environment()},
                    metadata={"study": study.name},
                )
            )
        except RuntimeError as error:
            # Somebody submitted the same since we looked, or it is our own whose answer was lost.
            if "already" not in str(error):
                last = str(error).strip().splitlines()[-1]
                raise UserError(f"the cluster refuses the job: {last}") from error
    print(f"submitted as job {identity}", file=out)
    return identity


def follow(client: JobSubmissionClient, identity: str, out: TextIO) -> int:
    """Print the job's log until the job ends; returns the exit status of its driver.

    Raises:
        UserError: The cluster is gone for a minute.
    """
    log = _Log(out)
    while not (job := _info(client, identity)).status.is_terminal():
        with suppress(RuntimeError, ClientError, OSError):  # the dashboard went away: look again
            asyncio.run(log.follow(client, identity))
        time.sleep(_POLL_S)
    with suppress(RuntimeError, OSError):
        log.take(client.get_job_logs(identity))
    print(f"job {identity}: {job.status.value.lower()}", file=out)
    return _exit_status(job, out)


def stop(client: JobSubmissionClient, study: Submission, out: TextIO) -> None:
    """Stop the study's job; its driver commits what is finished.

    Raises:
        UserError: No job of the study runs there.
    """
    going = [job for job in _attempts(client, study.name) if not job.status.is_terminal()]
    if not going:
        raise UserError(f"no job of this study runs there (their ids start with {study.name})")
    for job in going:
        _patiently(partial(client.stop_job, str(job.submission_id)))
        print(f"stopping job {job.submission_id}", file=out)


@dataclass(slots=True)
class _Log:
    """Prints a log that is read from its start again and again, each part once.

    Attributes:
        out: Where the log is printed.
        read: Characters of this reading so far.
        printed: Characters that are printed.
    """

    out: TextIO
    read: int = 0
    printed: int = 0

    async def follow(self, client: JobSubmissionClient, identity: str) -> None:
        self.read = 0
        async for text in client.tail_job_logs(identity):
            self._add(text)

    def take(self, whole: str) -> None:
        self.read = 0
        self._add(whole)

    def _add(self, text: str) -> None:
        new = text[max(0, self.printed - self.read) :]
        self.read += len(text)
        self.printed = max(self.printed, self.read)
        for line in new.splitlines(keepends=True):
            kept = line.rstrip("\r\n")
            self.out.write(plain(kept.expandtabs(), None) + ("\n" if kept != line else ""))
        self.out.flush()


def _attempts(client: JobSubmissionClient, name: str) -> list[JobDetails]:
    """The study's jobs on this cluster, the oldest first."""
    jobs = [
        job for job in _patiently(client.list_jobs) if (job.metadata or {}).get("study") == name
    ]
    return sorted(jobs, key=lambda job: int(str(job.submission_id).rpartition("-")[2]))


def _info(client: JobSubmissionClient, identity: str) -> JobDetails:
    try:
        return _patiently(lambda: client.get_job_info(identity))
    except RuntimeError as error:
        raise UserError(
            f"the cluster does not know job {identity} any more: it was started anew; submit the "
            "same again, what was committed to the store is safe"
        ) from error


def _patiently(ask: Callable[[], _Answer]) -> _Answer:
    """Ask again while the dashboard is away or not ready.

    Raises:
        RuntimeError: The dashboard refuses what is asked.
        UserError: The dashboard is away for a minute.
    """
    deadline = time.monotonic() + _AWAY_S
    while True:
        try:
            return ask()
        except (OSError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and _TRY_AGAIN not in str(error):
                raise
            if time.monotonic() > deadline:
                raise UserError(
                    "the cluster does not answer any more: once it is back, submit the same "
                    "again; what was committed to the store is safe"
                ) from error
        time.sleep(_POLL_S)


def _exit_status(job: JobDetails, out: TextIO) -> int:
    if job.status == JobStatus.SUCCEEDED:
        return 0
    if job.status == JobStatus.STOPPED:
        return _STOPPED_STATUS
    if job.driver_exit_code is None:
        print(plain(str(job.message), None), file=out)
    return int(job.driver_exit_code or 1)


def submit(
    address: str, study: Submission, *, detach: bool = False, out: TextIO = sys.stdout
) -> int:
    """Submit the study, or find its job, and print its log; returns the exit status.

    Args:
        address: Of the dashboard.
        study: What to run.
        detach: Return at once instead.
        out: Where the log goes.

    Raises:
        UserError: No cluster answers, or it refuses the job.
    """
    client = connect(address)
    identity = ensure_submitted(client, study, out)
    return 0 if detach else follow(client, identity, out)
