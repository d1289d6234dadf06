"""A SLURM of two nodes on the loopback, with a munge of its own, in one folder."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from distlab.jobs.ports import free_ports

_PROGRAMS = ("munged", "mungekey", "slurmctld", "slurmd", "sbatch")
# Both nodes are this machine, and a GPU is a device file that is always there.
_CONF = """
ClusterName=distlab
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock,cred_expire=5
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
SlurmUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
MpiDefault=none
GresTypes=gpu
KillWait=20
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=4 Gres=gpu:1
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=4 Gres=gpu:1
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE
"""
_GRES = "NodeName=n1 Name=gpu File=/dev/zero\nNodeName=n2 Name=gpu File=/dev/null\n"


def absent() -> str | None:
    """Why no SLURM can be started here, or None."""
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])
    missing = [name for name in _PROGRAMS if shutil.which(name, path=path) is None]
    if missing:
        return f"needs Debian's slurm-wlm and munge (make system): no {', '.join(missing)}"
    return None if os.geteuid() == 0 else "a SLURM of its own needs root"


@dataclass(frozen=True)
class Slurm:
    """A running SLURM."""

    folder: Path

    def call(
        self, *command: str, base: Mapping[str, str] = os.environ, cwd: Path | None = None
    ) -> str:
        path = os.pathsep.join([base["PATH"], "/usr/sbin"])
        environment = {**base, "PATH": path, "SLURM_CONF": str(self.folder / "slurm.conf")}
        answer = subprocess.run(
            command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=60
        )
        assert answer.returncode == 0, f"{command}: {answer.stderr}"
        return answer.stdout.strip()

    def job(self, number: str) -> dict[str, str]:
        """What SLURM says of a job."""
        words = self.call("scontrol", "show", "job", number).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def near_the_limit(self, number: str) -> None:
        """Bring a job's time limit so near that SLURM's next look, every 30 s, warns it."""
        days, _, clock = self.job(number)["RunTime"].rpartition("-")
        hours, minutes, seconds = map(int, clock.split(":"))
        elapsed = ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds
        self.call("scontrol", "update", f"JobId={number}", f"TimeLimit={(elapsed + 45) // 60 + 1}")


@contextmanager
def slurm_of_two_nodes() -> Iterator[Slurm]:
    """A SLURM for the block; its daemons end with it, by their process ids."""
    with TemporaryDirectory(prefix="dl-slurm-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # munge wants its socket to be in everyone's reach
        try:
            yield _started(folder)
        finally:
            _end(folder)


def _started(folder: Path) -> Slurm:
    slurm = Slurm(folder)
    host, ports = socket.gethostname(), free_ports(os.getpid(), 3)
    (folder / "slurm.conf").write_text(_CONF.format(host=host, folder=folder, ports=ports))
    (folder / "gres.conf").write_text(_GRES)
    for name in ("state", "spool-n1", "spool-n2"):
        (folder / name).mkdir()
    slurm.call("mungekey", "--create", f"--keyfile={folder}/munge.key")
    files = ("key-file=munge.key", "pid-file=munge.pid", "log-file=munge.log")
    own = [f"--{option}={folder}/{name}" for option, name in (file.split("=") for file in files)]
    slurm.call("munged", *own, f"--socket={folder}/munge.sock", f"--seed-file={folder}/munge.seed")
    slurm.call("slurmctld")
    for node in ("n1", "n2"):
        slurm.call("slurmd", "-N", node)
    deadline = time.monotonic() + 120
    while slurm.call("sinfo", "--noheader", "--format=%T").split() != ["idle"]:
        assert time.monotonic() < deadline, slurm.call("sinfo")
        time.sleep(0.2)
    return slurm


def _end(folder: Path) -> None:
    for name in ("slurmd-n1", "slurmd-n2", "slurmctld", "munge"):
        with suppress(OSError, ValueError):
            pid = int((folder / f"{name}.pid").read_text())
            os.kill(pid, signal.SIGTERM)
            for _ in range(100):
                os.kill(pid, 0)
                time.sleep(0.1)
            os.kill(pid, signal.SIGKILL)
