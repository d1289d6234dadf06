import os
import subprocess
import sys
from pathlib import Path

import pytest

from distlab.console.quiet import quiet

REPO = Path(__file__).parents[2]


def test_noise_goes_to_the_log_and_words_to_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.txt"
    with quiet(log) as terminal:
        os.write(2, b"from C\n")
        subprocess.run(["echo", "from a child"], check=True)
        print("for people", file=terminal)
    print("afterwards")
    assert sorted(log.read_text().splitlines()) == ["from C", "from a child"]
    assert capfd.readouterr().out.splitlines() == ["for people", "afterwards"]


def test_an_error_restores_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="inside"), quiet(tmp_path / "log.txt"):
        raise ValueError("inside")
    print("afterwards")
    assert capfd.readouterr().out == "afterwards\n"


SHOWS = """
import sys
from pathlib import Path
from distlab.console.quiet import quiet
print("before")
with quiet(Path(sys.argv[1])) as terminal:
    for _ in range(1000):
        print("a line", file=terminal)
    terminal.flush()
    print("done", flush=True)
"""


@pytest.mark.parametrize("place", ["a full device", "a pipe that nobody reads"])
def test_what_nobody_can_see_ends_nothing(tmp_path: Path, place: str) -> None:
    log, (reader, writer) = tmp_path / "log.txt", os.pipe()
    os.close(reader)
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        process = subprocess.run(
            [sys.executable, "-c", SHOWS, str(log)],
            stdout=full if place == "a full device" else writer,
            stderr=subprocess.PIPE,
            check=False,
            # Buffered, so that something waits to be flushed.
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        )
    os.close(writer)
    assert log.read_text().splitlines()[-1] == "done"
    assert b"quiet" not in process.stderr


FULL = """
import errno, os, sys
from pathlib import Path
from distlab.console.main import guarded
from distlab.console.quiet import quiet
from distlab.console.streams import show_all

def work():
    with quiet(Path("/dev/full")):
        print("lost", flush=True)
        print("lost", file=sys.stderr, flush=True)
        raise OSError(errno.ENOSPC, "No space left on device")

out = show_all()
status = guarded(work)
print("afterwards", flush=True)
sys.exit(status if out.lost is None else 1)
"""


def test_a_full_log_silences_nothing_that_is_said_afterwards() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL],
        env={**os.environ, "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "afterwards\n")
    assert done.stderr.startswith("distlab: the disk is full (No space left on device)")
