"""A study from Python, in a process of its own."""

import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Final

from distlab.api.opened import Run
from distlab.config.compose import run_folder
from distlab.config.quoting import quoted
from distlab.console.exits import Exit
from distlab.credentials import refuse_typed
from distlab.errors import UserError

_DIR: Final = "hydra.run.dir="
# What a command's sentence on bad input begins with.
_PREFIX: Final = "distlab: "


def run_study(overrides: Sequence[str]) -> Run:
    """Run a study as ``distlab run`` does, and open what it leaves.

    Engines, Ray and what they print stay out of this process; what the command says is printed
    here. An interrupt is passed on: what was sampled is committed, and the same call goes on.

    Args:
        overrides: As for ``distlab run``, without options: ``["model=pair", "decoding.n=20"]``.
            ``hydra.run.dir=FOLDER`` says where the run goes.

    Raises:
        UserError: Bad input, in one sentence; or the study failed.
        KeyboardInterrupt: It was interrupted, and has stopped in order.
    """
    if isinstance(overrides, str):
        raise UserError(f"{overrides!r} is a text: give a list, as [{overrides!r}]")
    words = [str(word) for word in overrides]
    refuse_typed(words)
    if option := next((word for word in words if word.startswith("-")), None):
        raise UserError(
            f"'{option}' is an option of `distlab run`, not an override: a config folder of your "
            "own is 'hydra.searchpath=[FOLDER]'; run a sweep from the command line, and open its "
            "folder"
        )
    folder = run_folder(words)
    if not any(word.startswith(_DIR) for word in words):
        folder = _made_new(folder)
        words.append(f"{_DIR}{quoted(str(folder))}")
    status, complaint = _printed([sys.executable, "-m", "distlab.run", *words])
    if status not in (Exit.DONE, Exit.FAILED):
        raise UserError(complaint or f"the study ended with status {status}; see what it printed")
    if status == Exit.FAILED:
        warnings.warn("samples are missing: see what the study printed", stacklevel=3)
    return Run(folder)


def _made_new(wanted: Path) -> Path:
    """A folder that nobody else has: ``wanted``, or that with a number."""
    for number in count(1):
        path = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        return path
    raise AssertionError("numbers do not end")


def _printed(command: Sequence[str]) -> tuple[int, str]:
    """Run a command and print what it says; returns its status and what it complains of."""
    complaint = ""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for line in _lines(process):
            print(line, end="")
            if line.startswith(_PREFIX):
                complaint = line.removeprefix(_PREFIX).strip()
    return process.returncode, complaint


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """What a process prints; an interrupt is passed on to it and waited out."""
    assert process.stdout is not None
    try:
        yield from process.stdout
    except KeyboardInterrupt:
        # A terminal interrupts it, too; only the first counts there.
        process.send_signal(signal.SIGINT)
        for line in process.stdout:
            print(line, end="")
        process.wait()
        raise
