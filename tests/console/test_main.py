"""The frame that all commands stand in."""

import argparse
import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from distlab.console.exits import Exit
from distlab.console.main import Command, path
from distlab.errors import UserError

REPO = Path(__file__).parents[2]
# A command as a module of its own would be, whose work is the code in argv.
SCRIPT = """
import argparse, sys
from distlab.console.main import Command

def parser():
    made = argparse.ArgumentParser(prog="distlab test")
    made.add_argument("code")
    return made

def work(arguments):
    exec(arguments.code)
    return 0

sys.exit(Command(parser, work)())
"""


def process(code: str, shell: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code inside the frame, as a shell starts it."""
    return subprocess.run(
        ["bash", "-c", f'set -o pipefail; "$0" -c "$1" "$2" {shell}', sys.executable, SCRIPT, code],
        env={**os.environ, "PYTHONPATH": str(REPO), **environment},
        capture_output=True,
        text=True,
        check=False,
        encoding="latin-1",
    )


def command(work: Callable[[], object]) -> Command:
    def run(arguments: argparse.Namespace) -> int:
        work()
        return Exit.DONE

    return Command(lambda: argparse.ArgumentParser(prog="distlab test"), run, stopped="left")


def fail(error: BaseException) -> Callable[[], object]:
    def work() -> None:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (UserError("`n` is 0:\nset it\x1b[31m"), 2, "distlab: `n` is 0: set it\\x1b[31m\n"),
        (
            PermissionError(errno.EACCES, "Permission denied", "runs/x"),
            2,
            "distlab: runs/x cannot be used (Permission denied): name another place\n",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "runs/x"),
            2,
            "distlab: runs/x cannot be used (Read-only file system): make it writable, or name "
            "another place\n",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            2,
            "distlab: the disk is full (No space left on device): make room, and give the command "
            "again\n",
        ),
    ],
)
def test_bad_input_is_one_line(
    error: Exception, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(fail(error))([]) == status
    assert capsys.readouterr() == ("", said)


def test_a_fault_of_ours_has_its_traceback_and_not_the_status_of_a_failed_load(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for error in (KeyError("x"), OSError(errno.EBADF, "Bad file descriptor")):
        assert command(fail(error))([]) == Exit.FAULT
        assert f"{type(error).__name__}: " in capsys.readouterr().err.splitlines()[-1]


def test_an_exit_with_a_sentence_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(fail(SystemExit("bye")))([]) == 2
    assert capsys.readouterr().err == "distlab: bye\n"


def test_ctrl_c_says_how_things_stand(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(fail(KeyboardInterrupt()))([]) == 130
    assert capsys.readouterr().out == "left. Resume with:\n  python -m distlab.test\n"


def test_wrong_arguments_and_help_end_as_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(int)(["--nope"]) == 2
    assert command(int)(["--help"]) == 0
    assert "unrecognized arguments: --nope" in capsys.readouterr().err


def test_options_may_stand_between_arguments() -> None:
    def parser() -> argparse.ArgumentParser:
        made = argparse.ArgumentParser()
        made.add_argument("runs", nargs="+")
        made.add_argument("--into", type=path)
        return made

    seen: list[argparse.Namespace] = []
    typed = ["a", "--into", "~/x", "b"]
    Command(parser, lambda arguments: seen.append(arguments) or 0)(typed)
    assert (seen[0].runs, seen[0].words) == (["a", "b"], tuple(typed))
    assert seen[0].into == Path.home() / "x"


def test_a_reader_that_went_away_ends_nothing() -> None:
    code = "import os\nfor i in range(99999): print(i)\nos.write(2, b'through')"
    done = process(code, "| head -1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "through")


def test_a_full_device_is_said_once_the_work_is_done() -> None:
    done = process("print('a'); import os; os.write(2, b'through\\n')", ">/dev/full")
    said = "through\ndistlab: standard output cannot be written (No space left on device)\n"
    assert (done.returncode, done.stderr) == (Exit.FAILED, said)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_rich_tables_and_signs_reach_a_terminal_of_another_encoding(encoding: str) -> None:
    code = (
        "from rich.console import Console; from rich.table import Table; t = Table('Δ');"
        "t.add_row('−1.5'); Console().print(t); print('−2')"
    )
    done = process(code, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    assert "-1.5" in done.stdout
    assert "-2" in done.stdout


def test_credentials_are_refused_before_the_arguments_are_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(int)(["--nope=s3://KEY:SECRET@bucket"]) == Exit.BAD_INPUT
    said = capsys.readouterr().err
    assert said.startswith("distlab: `--nope` holds credentials")
    assert ":SECRET" not in said
