"""Which Python a job runs in, wherever the head node's PATH leads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from distlab.jobs.entry import ray_interpreter

REPO = Path(__file__).parents[2]


def make(proc: Path, process: int, parent: int, *command: str) -> None:
    folder = proc / str(process)
    folder.mkdir()
    (folder / "cmdline").write_bytes("\0".join([*command, ""]).encode())
    (folder / "status").write_text(f"Name:\tx\nPid:\t{process}\nPPid:\t{parent}\n")


@pytest.mark.parametrize(
    ("worker", "python"),
    [
        ("/opt/env/bin/python /opt/env/lib/setup_worker.py --x=1", "/opt/env/bin/python"),
        ('"/opt/my env/bin/python" "/opt/my env/setup_worker.py"', "/opt/my env/bin/python"),
    ],
)
def test_rays_python_is_read_off_the_raylet(tmp_path: Path, worker: str, python: str) -> None:
    make(tmp_path, 1, 0, "/sbin/init")
    make(tmp_path, 7, 1, "/opt/raylet", "--store=x", f"--python_worker_command={worker}", "--y")
    make(tmp_path, 30, 7, "ray::JobSupervisor")
    assert ray_interpreter(30, tmp_path) == python


def test_without_a_raylet_there_is_none(tmp_path: Path) -> None:
    make(tmp_path, 1, 0, "/sbin/init")
    make(tmp_path, 30, 1, "bash")
    assert ray_interpreter(30, tmp_path) is None
    assert ray_interpreter(31, tmp_path) is None


def entry(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*command, "-m", "distlab.jobs.entry", "--help"],
        cwd=REPO,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_python_without_the_packages_says_so_in_a_sentence() -> None:
    bare = entry(str(Path(sys.executable).resolve()), "-S")
    assert bare.returncode == 2
    (line,) = bare.stderr.splitlines()
    assert line.startswith(f"distlab: the Python of this job, {Path(sys.executable).resolve()}, ")
    assert "cannot run distlab (No module named" in line


def test_other_versions_than_the_submitters_end_it_before_anything_runs() -> None:
    refused = entry(sys.executable, DISTLAB_PINS='{"vLLM": "0.0.1"}')
    assert refused.returncode == 2
    assert "0.0.1 where it was submitted" in refused.stderr
