import subprocess
import sys
import textwrap
import threading
from pathlib import Path

from distlab.files import alone

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
