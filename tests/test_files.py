import errno
import re
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from distlab.errors import file_fault
from distlab.files import alone, drop_dead_drafts, folder_name, held, whole

HOLDER = """
import sys
from pathlib import Path

from distlab.files import alone

with alone(Path(sys.argv[1]), lambda: None):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_is_held_by_one_process_and_ends_with_it(tmp_path: Path) -> None:
    lock = tmp_path / "folder" / ".lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER), str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == b"held\n"
    waited, held = threading.Event(), threading.Event()

    def take() -> None:
        with alone(lock, waited.set):
            held.set()

    taker = threading.Thread(target=take)
    taker.start()
    assert waited.wait(60)
    assert not held.is_set()
    holder.kill()
    taker.join(60)
    assert held.is_set()
    holder.communicate()


def test_a_free_lock_is_not_waited_for(tmp_path: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        with alone(tmp_path / ".lock", lambda: said.append("waiting")):
            pass
    assert not said


DRAFTER = """
import sys
from pathlib import Path

from distlab.files import whole

with whole(Path(sys.argv[1])) as stream:
    print("drafting", flush=True)
    sys.stdin.read()
"""


def start(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def test_a_dead_writers_draft_is_removed_and_a_living_ones_is_not(tmp_path: Path) -> None:
    file = tmp_path / "results" / "report.html"
    file.parent.mkdir()
    other = file.parent / ".notes.tmp"
    other.touch()
    writers = [start(DRAFTER, str(file)) for _ in range(2)]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"drafting\n"
    drafts = set(file.parent.glob(".report.html.*.tmp"))
    assert len(drafts) == 2
    writers[0].kill()
    writers[0].communicate()
    drop_dead_drafts(tmp_path)
    assert len(drafts & set(file.parent.iterdir())) == 1
    writers[1].communicate()
    assert writers[1].returncode == 0
    assert set(file.parent.iterdir()) == {file, other}


def test_a_lock_that_is_held_is_not_waited_for_and_leaves_no_file(tmp_path: Path) -> None:
    lock = tmp_path / "folder" / ".lock"
    holder = start(HOLDER, str(lock))
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with held(lock) as is_ours:
        assert not is_ours
    holder.kill()
    holder.communicate()
    with held(lock) as is_ours:
        assert is_ours
    assert list(lock.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("Qwen2.5-7B_v=1+x", "Qwen2.5-7B_v=1+x"),
        ("x" * 200, "x" * 200),
        ("../..", "_.."),
        ("/etc/passwd", "_etc_passwd"),
        ("..", "_"),
        ("", "_"),
        ("org/name 7B", "org_name_7B"),
        ("modèle\n", "mod_le_"),
        ("\ud800", "_"),
    ],
)
def test_a_name_becomes_one_folder(name: str, folder: str) -> None:
    assert folder_name(name) == folder


def test_long_names_stay_apart_in_short_folders(tmp_path: Path) -> None:
    folders = {folder_name("é" * 300 + end) for end in "ab"}
    assert len(folders) == 2
    for folder in folders:
        with whole(tmp_path / f"{folder}.parquet") as stream:
            stream.write(b"x")


def test_an_error_names_the_file_and_not_its_draft(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    for error, file in ((full, tmp_path / "file"), (None, tmp_path / "absent" / "file")):
        with pytest.raises(OSError, match=re.escape(f": '{file}'")) as raised, whole(file):
            assert error is not None
            raise error
        assert (raised.value.filename, raised.value.filename2) == (str(file), None)
        assert file_fault(raised.value) is not None
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_another_file_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised, whole(tmp_path / "file"):
        (tmp_path / "source").read_bytes()
    assert raised.value.filename == str(tmp_path / "source")
