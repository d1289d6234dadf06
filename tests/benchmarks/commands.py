"""Rows of whole commands: what a user waits for before and beside the sampling."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.harness import Goal, Measured, Row, RowFailed
from tests.benchmarks.made_runs import big_run, fill_store

_ROOT = Path(__file__).parents[2]
# What a run that draws nothing imports, first to last.
_IMPORTS = "import distlab.config.door, distlab.study.stages, distlab.report.page.writer"


def run_command(arguments: Sequence[str], limit_s: float = 300) -> tuple[float, str]:
    """Wall seconds of ``python -m ARGUMENTS`` and what it printed."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise RowFailed(f"{' '.join(arguments)} ended with {done.returncode}: {' '.join(last)}")
    return seconds, done.stdout


def measure_help(pairs: int) -> Measured:
    return Measured([run_command(["distlab.run", "--help"])[0] for _ in range(pairs)])


def measure_plan(pairs: int) -> Measured:
    with _folder() as folder:
        # The first plan of a checkpoint converts it and keeps its tokenizer.
        plan = ["distlab.plan", f"store={folder}"]
        run_command(plan)
        return Measured([run_command(plan)[0] for _ in range(pairs)])


def measure_nothing(pairs: int) -> Measured:
    """The embedded study with everything in the store and every verdict judged once."""
    with _folder() as folder:
        command = ["distlab.run", f"store={folder}/store", f"runs={folder}/runs"]
        fill_store(command[1:])
        run_command(command)
        ray = _ray_sessions()
        times = [run_command(command)[0] for _ in range(pairs)]
        started = len(_ray_sessions() - ray)
        last = sorted((folder / "runs").iterdir())[-1]
        manifest = json.loads((last / "manifest.json").read_text())
        assert not manifest["counts"].get("samples_drawn"), manifest["counts"]
        stages = ", ".join(f"{k} {v:.1f} s" for k, v in manifest["timings_s"].items() if v >= 0.05)
        ray_note = f"Ray started {started} times in {pairs} runs"
        return Measured(times, notes=[f"imports {_import_s():.1f} s, {stages}; {ray_note}"])


def _import_s() -> float:
    """Wall seconds of the imports, the interpreter's own start included."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", _IMPORTS], cwd=_ROOT, check=True)
    return time.perf_counter() - began


def _ray_sessions() -> set[Path]:
    """Folders of Ray's sessions on this machine, one for each time that it started."""
    return set(Path(tempfile.gettempdir()).glob("ray/session_2*"))


def measure_report(pairs: int) -> Measured:
    with _folder() as folder:
        samples = big_run(folder / "big", problems=12_500, cells=4)
        times, peaks = zip(*(_report(folder / "big") for _ in range(pairs)), strict=True)
    peak = max(peaks)
    if peak > 2:
        raise RowFailed(f"the report took {peak:.1f} GiB, and the goal is 2")
    return Measured(times, notes=[f"{samples:,} samples, two graders; peak {peak:.2f} GiB of 2"])


def _report(run: Path) -> tuple[float, float]:
    """Seconds and peak GiB of a report in a process of its own."""
    began = time.perf_counter()
    with (run / "log.txt").open("w") as log:
        command = [sys.executable, "-m", "distlab.report", str(run)]
        process = subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RowFailed(f"the report failed: {(run / 'log.txt').read_text()[-300:]}")
    return time.perf_counter() - began, used.ru_maxrss / 2**20


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp())
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


HELP = Row("help", "`--help`, s", "-", Goal(1.5, at_least=False), measure_help)
PLAN = Row("plan", "`plan`, s", "-", Goal(1.5, at_least=False), measure_plan)
NOTHING = Row(
    "nothing", "`run` with all in store, s", "-", Goal(6, at_least=False), measure_nothing
)
REPORT = Row(
    "report",
    "report over 1 000 000 samples, s",
    "-",
    Goal(30, at_least=False),
    measure_report,
)
