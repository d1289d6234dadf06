"""A study inside a SLURM allocation.

The batch script of ``jobs/study.sbatch`` becomes this process. It starts Ray on every node as one
job step, then the driver beside itself, and passes signals on to the driver:

    SIGUSR1   the time limit is near: the driver commits and ends, and the job is queued again
    SIGTERM   cancelled or preempted: the driver commits and ends; SLURM decides what follows
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from distlab.config.compose import compose_config
from distlab.config.quoting import quoted
from distlab.config.sweeps import sweep_jobs
from distlab.console.exits import stopped_by
from distlab.engines.launchers import without_launcher
from distlab.errors import UserError
from distlab.files import folder_name
from distlab.jobs.overrides import unflagged
from distlab.jobs.ports import address_towards, free_ports

_STOPPED = (stopped_by(signal.SIGTERM), stopped_by(signal.SIGINT), -signal.SIGTERM)
_START_S = 120.0
_END_S = 20.0
# SLURM counts a job's steps from 0, and Ray is the only one.
_RAY_STEP = 0
_POLL_S = 0.2
# Counts of a manifest that grow where a run gets on.
_DRAWN = ("samples_drawn", "_readings_drawn")


@dataclass(frozen=True, slots=True)
class Allocation:
    """What SLURM gave this job.

    Attributes:
        job: Job id.
        restart: How often the job was queued again before.
        hosts: Node names, this one first.
    """

    job: int
    restart: int
    hosts: tuple[str, ...]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Allocation":
        """Read SLURM's variables.

        Raises:
            UserError: This is no SLURM job.
        """
        if "SLURM_JOB_ID" not in environment:
            raise UserError(
                "this is no SLURM job (SLURM_JOB_ID is not set): submit jobs/study.sbatch with "
                "sbatch"
            )
        listed = _scontrol("show", "hostnames", environment["SLURM_JOB_NODELIST"])
        return cls(
            int(environment["SLURM_JOB_ID"]),
            int(environment.get("SLURM_RESTART_COUNT", "0")),
            tuple(listed.split()),
        )

    def head_ip(self) -> str:
        """This node's address as the other nodes see it."""
        return address_towards(_address(self.hosts[-1]))


@dataclass(slots=True)
class _JobProcesses:
    """The processes of the job, and the signal that came."""

    ray: "subprocess.Popen[bytes] | None" = None
    driver: "subprocess.Popen[bytes] | None" = None
    came: int | None = None

    def listen(self) -> None:
        for number in (signal.SIGUSR1, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.came = self.came or number
        if self.driver is not None:
            self.driver.terminate()

    def run_driver(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        if self.came is not None:
            return stopped_by(signal.SIGTERM)
        self.driver = subprocess.Popen(command, env=environment)
        if self.came is not None:  # between the two lines above
            self.driver.terminate()
        return self.driver.wait()

    def end(self, number: int) -> None:
        """End Ray's step; srun itself would kill it without a chance to clean up."""
        if self.ray is None:
            return
        subprocess.run(["scancel", "--signal=TERM", f"{number}.{_RAY_STEP}"], check=False)
        with suppress(subprocess.TimeoutExpired):
            self.ray.wait(_END_S)
        self.ray.terminate()
        self.ray.wait()


def run_study(overrides: Sequence[str]) -> int:
    """Run the study on the allocation of this process; returns the driver's exit status.

    Args:
        overrides: Of ``distlab.run``, as typed.

    Raises:
        UserError: This is no SLURM job, Ray does not start, or the time limit is too short.
    """
    job = _JobProcesses()
    job.listen()
    return _run(job, Allocation.from_environment(os.environ), overrides)


def _run(job: _JobProcesses, allocation: Allocation, overrides: Sequence[str]) -> int:
    folder = run_folder(overrides, allocation)
    head, (port, client_port) = allocation.head_ip(), free_ports(allocation.job, 2)
    # Else whoever reaches the port runs code as the user; srun hands it to the other nodes.
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    try:
        job.ray = _start_ray(allocation, folder, head, port, client_port)
        _await_head(job, job.ray, head, port, folder)
        command = driver_command(overrides, allocation, folder, f"{head}:{port}")
        status = job.run_driver(command, without_launcher(os.environ))
    finally:
        job.end(allocation.job)
    if job.came == signal.SIGUSR1 and status in _STOPPED:
        requeue(allocation, folder)
    return status


def run_folder(overrides: Sequence[str], allocation: Allocation) -> Path:
    """The run folder of this restart, below the config's ``runs``."""
    config = compose_config(sweep_jobs(unflagged(overrides))[0])
    name = f"slurm-{allocation.job}.{allocation.restart}-{folder_name(config.model.name)}"
    return Path(str(config.runs), name).absolute()


def driver_command(
    overrides: Sequence[str], allocation: Allocation, folder: Path, address: str
) -> list[str]:
    """The command line of the driver."""
    return [
        *(sys.executable, "-m", "distlab.run", *overrides),
        f"cluster.address={address}",
        f"cluster.min_nodes={len(allocation.hosts)}",
        *(f"hydra.{kind}.dir={quoted(str(folder))}" for kind in ("run", "sweep")),
    ]


def requeue(allocation: Allocation, folder: Path) -> None:
    """Put the job back into the queue, unless this restart got nothing done.

    Raises:
        UserError: It sampled nothing, and would do so for ever; or SLURM refuses.
    """
    if not drawn(folder):
        raise UserError(
            f"the time limit of job {allocation.job} is shorter than loading an engine and one "
            "lease: nothing was committed, and the job is not queued again; raise --time"
        )
    print(f"the time limit is near: job {allocation.job} goes back into the queue", flush=True)
    _scontrol("requeue", str(allocation.job))


def drawn(folder: Path) -> int:
    """Samples and readings that the runs below ``folder`` committed."""
    found = 0
    for manifest in folder.rglob("manifest.json"):
        with suppress(OSError, ValueError, KeyError):
            counts = json.loads(manifest.read_text())["counts"]
            found += sum(count for name, count in counts.items() if name.endswith(_DRAWN))
    return found


def _start_ray(
    allocation: Allocation, folder: Path, head: str, port: int, client_port: int
) -> "subprocess.Popen[bytes]":
    """Ray on every node, as a job step; each node writes a log of its own."""
    logs = folder / "ray"
    logs.mkdir(parents=True, exist_ok=True)
    nodes = len(allocation.hosts)
    return subprocess.Popen(
        [
            "srun",
            *(f"--nodes={nodes}", f"--ntasks={nodes}", "--ntasks-per-node=1"),
            # The driver shares the first node, and Ray has what the job has.
            *("--overlap", "--mem=0", "--cpu-bind=none", "--mpi=none"),
            # One node's end must not end the others: the dispatcher goes on without it.
            *("--kill-on-bad-exit=0", "--wait=0"),
            f"--output={logs}/%N.txt",
            *(sys.executable, "-m", "distlab.jobs.slurm_node", head, str(port), str(client_port)),
        ]
    )


def _await_head(
    job: _JobProcesses, ray: "subprocess.Popen[bytes]", head: str, port: int, folder: Path
) -> None:
    deadline = time.monotonic() + _START_S
    while job.came is None:
        with suppress(OSError), socket.create_connection((head, port), timeout=1):
            return
        if ray.poll() is not None or time.monotonic() > deadline:
            raise UserError(f"Ray did not start on this node: see {folder / 'ray'}")
        time.sleep(_POLL_S)


def _address(node: str) -> str:
    """The address at which SLURM itself reaches a node."""
    for word in _scontrol("show", "node", node).split():
        if word.startswith("NodeAddr="):
            return word.removeprefix("NodeAddr=")
    return node


def _scontrol(*arguments: str) -> str:
    try:
        answer = subprocess.run(
            ["scontrol", *arguments], capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise UserError(f"scontrol does not run ({error.strerror}): put SLURM on PATH") from error
    if answer.returncode != 0:
        raise UserError(f"scontrol {' '.join(arguments)} failed: {answer.stderr.strip()}")
    return answer.stdout
