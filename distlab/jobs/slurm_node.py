"""``python -m distlab.jobs.slurm_node HEAD-IP PORT CLIENT-PORT``: Ray on one node, as a SLURM task.

Node 0 starts the head, the others join it. Not ``ray symmetric-run``: it ends with ``ray stop``,
which kills every Ray of the user on the machine, another job's too; it refuses a machine on which
a Ray runs; and it passes no signal on to the driver, which then cannot commit.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from distlab.engines.launchers import without_launcher
from distlab.jobs.ports import address_towards


def ray_start(
    environment: Mapping[str, str], head: str, port: int, client_port: int, temp: Path
) -> list[str]:
    """The command line that starts Ray on the node whose SLURM environment this is.

    Every other port is left to the kernel, so that two jobs on one machine never meet.
    """
    node = int(environment["SLURM_NODEID"])
    joining = [
        "--head",
        f"--port={port}",
        f"--ray-client-server-port={client_port}",
        "--include-dashboard=false",
    ]
    return [
        sys.executable,
        "-m",
        "ray.scripts.scripts",
        "start",
        *(joining if node == 0 else [f"--address={head}:{port}"]),
        f"--node-ip-address={head if node == 0 else address_towards(head)}",
        f"--num-cpus={environment['SLURM_CPUS_ON_NODE']}",
        f"--num-gpus={environment.get('SLURM_GPUS_ON_NODE', '0')}",
        *("--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0"),
        f"--temp-dir={temp}",
        "--disable-usage-stats",
        "--block",
    ]


def temp_folder(environment: Mapping[str, str]) -> Path:
    """Ray's folder on this node: one per job, restart and node; short, for its sockets."""
    restart = environment.get("SLURM_RESTART_COUNT", "0")
    name = f"dl-{environment['SLURM_JOB_ID']}.{restart}.{environment['SLURM_NODEID']}"
    return Path("/tmp") / name


def main(argv: Sequence[str] | None = None) -> int:
    """Run Ray on this node until it is told to end; returns its status if it ended by itself."""
    head, port, client_port = sys.argv[1:] if argv is None else argv
    temp = temp_folder(os.environ)
    command = ray_start(os.environ, head, int(port), int(client_port), temp)
    print(" ".join(command), flush=True)
    # The driver has ended by the time that a node is told to: there is nothing to drain.
    environment = without_launcher(os.environ) | {"RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0"}
    ray = subprocess.Popen(command, env=environment)

    told: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        told.append(number)
        ray.terminate()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        status = ray.wait()
    finally:
        shutil.rmtree(temp, ignore_errors=True)
    return 0 if told else status


if __name__ == "__main__":
    sys.exit(main())
