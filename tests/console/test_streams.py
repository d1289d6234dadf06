"""What is shown, where it cannot be shown."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from distlab.console.streams import ShownStream

FULL = Path("/dev/full")


def shown(text: str, encoding: str) -> str:
    reading, writing = os.pipe()
    with ShownStream(writing, encoding, closes=True, by_line=True) as stream:
        print(text, file=stream)
    with os.fdopen(reading, encoding=encoding) as read:
        return read.read()


@pytest.mark.parametrize(
    ("encoding", "spelled"),
    [
        ("utf-8", "gap −42.5 ± 1 · Δ café …\n"),
        ("latin-1", "gap -42.5 ± 1 · \\u0394 café ...\n"),
        ("ascii", "gap -42.5 +- 1 | \\u0394 caf\\xe9 ...\n"),
    ],
)
def test_what_an_encoding_lacks_is_spelled_and_a_minus_stays_one(
    encoding: str, spelled: str
) -> None:
    assert shown("gap −42.5 ± 1 · Δ café …", encoding) == spelled


def test_a_lone_surrogate_of_a_model_is_written_out() -> None:
    assert shown("a\ud800b", "utf-8") == "a\\ud800b\n"


def test_a_reader_that_went_away_is_no_loss() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with ShownStream(writing, "utf-8", closes=True, by_line=True) as stream:
        print("a" * io.DEFAULT_BUFFER_SIZE * 3, file=stream)
        print("b", file=stream)
        assert stream.lost is None


def test_a_full_device_is_a_loss_and_no_error() -> None:
    writing = os.open(FULL, os.O_WRONLY)
    with ShownStream(writing, "utf-8", closes=True, by_line=True) as stream:
        print("a", file=stream)
        assert stream.lost is not None
        assert stream.lost.strerror == "No space left on device"


def test_a_file_that_is_opened_later_does_not_take_the_place_of_a_closed_output(
    tmp_path: Path,
) -> None:
    code = (
        "import sys; from distlab.console.streams import show_all; show_all(); "
        f"file = open({str(tmp_path / 'f')!r}, 'w'); print('lost'); sys.stdout.flush(); "
        "sys.exit(file.fileno() < 3)"
    )
    done = subprocess.run(["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, code], check=False)
    assert done.returncode == 0
    assert (tmp_path / "f").read_text() == ""
