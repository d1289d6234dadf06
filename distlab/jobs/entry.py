"""``python3 -m distlab.jobs.entry OVERRIDES``: a submitted study, where it runs.

Ray starts a job with whatever Python is first on the PATH of its node. That need not be the one
that Ray itself runs in, so this file can be read by any Python, without a package beside it.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

PINS = "DISTLAB_PINS"
_HANDED_OVER = "DISTLAB_INTERPRETER"
_WORKERS = b"--python_worker_command="


def main() -> None:
    """Hand over to Ray's Python, compare the versions with the submitter's, be ``distlab.run``."""
    interpreter = ray_interpreter(os.getppid())
    if interpreter is not None and _HANDED_OVER not in os.environ:
        os.environ[_HANDED_OVER] = interpreter
        os.execv(interpreter, [interpreter, "-m", "distlab.jobs.entry", *sys.argv[1:]])
    try:
        from distlab.console.main import complain
        from distlab.errors import UserError
        from distlab.run import main as run_main
        from distlab.versions import check_pins, pinned_versions
    except ImportError as error:
        print(
            f"distlab: the Python of this job, {sys.executable}, cannot run distlab ({error}): "
            "start Ray on its nodes from an environment that has distlab's packages",
            file=sys.stderr,
        )
        # Exit.BAD_INPUT, which cannot be imported here.
        sys.exit(2)
    try:
        if pinned := os.environ.get(PINS):
            check_pins(json.loads(pinned), pinned_versions())
    except UserError as error:
        sys.exit(complain(str(error)))
    run_main()


def ray_interpreter(process: int, proc: Path = Path("/proc")) -> str | None:
    """The Python that Ray starts its workers with, off the command line of the raylet.

    Args:
        process: Id of the parent of a job's first process; the raylet is one of its ancestors.
        proc: Where the kernel shows processes.

    Returns:
        None where no raylet is found.
    """
    while process > 0:
        try:
            arguments = (proc / str(process) / "cmdline").read_bytes().split(b"\0")
            status = (proc / str(process) / "status").read_text(errors="replace")
        except OSError:
            return None
        for argument in arguments:
            if argument.startswith(_WORKERS):
                return shlex.split(os.fsdecode(argument[len(_WORKERS) :]))[0]
        parents = [line for line in status.splitlines() if line.startswith("PPid:")]
        process = int(parents[0].split()[1]) if parents else 0
    return None


if __name__ == "__main__":
    main()
