import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from distlab.store import claims
from distlab.store.claims import Driver, Witness, claiming, claims_on, driver_file
from distlab.store.store import Store, StoredCell
from tests.store.cells import make_cell


@pytest.fixture
def cell(tmp_path: Path) -> StoredCell:
    return make_cell(Store.open(str(tmp_path)))


def sign_on(cell: StoredCell, driver: Driver) -> None:
    """A driver as its own process would write it, with a claim on the cell."""
    file = Path(driver_file(cell.store, driver.id))
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(asdict(driver)))
    (Path(cell.path) / f".claim-{driver.id}.json").write_text("{}")


def elsewhere(**changed: object) -> Driver:
    """Of another machine: it has no lifeline here."""
    return replace(Driver.here("theirs"), **{"host": "far", "beat": 1, **changed})  # type: ignore[arg-type]


class Clock:
    """This process's monotonic clock, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(claims.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(claims.time, "sleep", self.wait)

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def look(self, witness: Witness, driver_id: str, seconds: float) -> Driver | None:
        """Look again and again for some seconds; what the last look said."""
        for _ in range(int(seconds / 5)):
            self.wait(5)
            said = witness.living(driver_id)
        return said


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


HOLDER = """
import sys, time
from distlab.store.claims import claiming
from distlab.store.store import Store
store = Store.open(sys.argv[1])
with claiming(store, "theirs") as theirs:
    assert theirs.take(store.cell(sys.argv[2])) is None
    print("held", flush=True)
    time.sleep(300)
"""


@contextmanager
def holder(cell: StoredCell) -> Iterator[subprocess.Popen[str]]:
    """Another process of this machine that holds the cell."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, cell.store.root, cell.name],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_free_cell_is_taken_and_given_back(cell: StoredCell) -> None:
    with claiming(cell.store, "ours") as ours:
        assert ours.take(cell) is None
        assert [driver for driver, _ in claims_on(cell)] == [ours.driver.id]
        ours.release(cell)
        assert claims_on(cell) == []
        ours.release(cell)
    assert list((Path(cell.store.root) / ".drivers").iterdir()) == []


def test_the_second_driver_is_told_who_holds_a_cell_and_gets_it_afterwards(
    cell: StoredCell,
) -> None:
    with claiming(cell.store, "second") as second:
        with claiming(cell.store, "first") as first:
            assert first.take(cell) is None
            holder = second.take(cell)
            assert holder is not None
            assert str(holder).startswith("run first (")
            assert [driver for driver, _ in claims_on(cell)] == [first.driver.id]
        assert second.take(cell) is None


def test_a_store_that_cannot_be_written_leaves_no_lifeline(
    cell: StoredCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(claims, "publish", full)
    driver = Driver.here("ours")
    monkeypatch.setattr(Driver, "here", lambda _: driver)
    with pytest.raises(OSError, match="No space left"), claiming(cell.store, "ours"):
        pass
    assert not Path("/dev/shm", f"distlab-{driver.id}").exists()


def test_of_many_that_claim_at_once_one_has_it(cell: StoredCell) -> None:
    won: list[str] = []
    barrier = threading.Barrier(6)

    def claim(name: str) -> None:
        with claiming(cell.store, name) as mine:
            barrier.wait()
            if mine.take(cell) is None:
                won.append(name)
            barrier.wait()

    threads = [threading.Thread(target=claim, args=(f"run-{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Never two. That all step back is possible, and they would ask again.
    assert len(won) <= 1


def test_a_driver_of_this_machine_that_is_killed_holds_nothing_from_then_on(
    cell: StoredCell,
) -> None:
    with claiming(cell.store, "ours") as ours:
        with holder(cell) as process:
            assert str(ours.take(cell)).startswith("run theirs (")
            ((dead, _),) = claims_on(cell)
        assert process.returncode == -signal.SIGKILL
        assert ours.take(cell) is None
        assert [driver for driver, _ in claims_on(cell)] == [ours.driver.id]
        # Nothing is left of the dead one, in this machine's memory neither.
        assert not Path(driver_file(cell.store, dead)).exists()
        assert not Path("/dev/shm", f"distlab-{dead}").exists()
    assert not Path("/dev/shm", f"distlab-{ours.driver.id}").exists()


def test_a_driver_that_is_stopped_and_not_dead_keeps_what_it_holds(
    cell: StoredCell, clock: Clock
) -> None:
    with holder(cell) as process:
        process.send_signal(signal.SIGSTOP)
        ((driver_id, _),) = claims_on(cell)
        assert clock.look(Witness(cell.store), driver_id, 10 * claims.EXPIRY_S) is not None


def test_a_claim_whose_driver_never_signed_on_counts_for_nothing(cell: StoredCell) -> None:
    (Path(cell.path) / ".claim-0123.json").write_text("{}")
    with claiming(cell.store, "ours") as ours:
        assert ours.take(cell) is None


def test_a_driver_elsewhere_lives_as_long_as_it_is_seen_to_write(
    cell: StoredCell, clock: Clock
) -> None:
    driver, witness = elsewhere(), Witness(cell.store)
    for beat in (1, 2):
        sign_on(cell, replace(driver, beat=beat))
        assert clock.look(witness, driver.id, claims.EXPIRY_S) is not None
    assert clock.look(witness, driver.id, 10) is None


# Draws what is missing of a cell as a run does. Its machine has the boot id and the host name of
# this one, as clones have; a clock, a memory and processes of its own.
DRAWER = """
import contextlib, datetime, os, sys, time
from pathlib import Path
from distlab.store import claims, lifeline
from distlab.store.store import Store

root, cell_name, name, wrong_s = sys.argv[1:]
right = time.time
time.time = lambda: right() + float(wrong_s)

class Wrong(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)

datetime.datetime = Wrong
lifeline._SHARED_MEMORY = Path(root, f"memory-{name}")
lifeline._SHARED_MEMORY.mkdir()
publish = claims.publish

def stamped(fs, path, data):
    publish(fs, path, data.replace(b'"pid": %d' % os.getpid(), b'"pid": %d' % (1 << 30)))
    with contextlib.suppress(FileNotFoundError):
        os.utime(path, (time.time(), time.time()))

claims.publish = stamped
store = Store.open(root)
cell, drawn = store.cell(cell_name), Path(root, "drawn")
with claims.claiming(store, name) as mine:
    print("ready", flush=True)
    input()
    looked = Path(root, f"looked-{name}")
    while mine.take(cell) is not None:
        looked.touch()
        time.sleep(0.02)
    looked.touch()
    while len(list(Path(root).glob("looked-*"))) < 3:
        time.sleep(0.02)
    for sample in range(20):
        if f" {sample}\\n" not in drawn.read_text():
            time.sleep(0.02)
            with drawn.open("a") as log:
                log.write(f"{name} {sample}\\n")
"""


def test_drivers_draw_nothing_twice_whatever_their_clocks_and_boot_ids_say(
    cell: StoredCell,
) -> None:
    (drawn := Path(cell.store.root, "drawn")).touch()
    drivers = [
        subprocess.Popen(
            [sys.executable, "-c", DRAWER, cell.store.root, cell.name, name, str(60 * minutes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for name, minutes in {"right": 0, "behind": -16, "ahead": 60}.items()
    ]
    try:
        for driver in drivers:
            assert driver.stdout is not None
            assert driver.stdout.readline() == "ready\n"
        # All at once.
        for driver in drivers:
            assert driver.stdin is not None
            driver.stdin.write("\n")
            driver.stdin.flush()
        assert [driver.wait(60) for driver in drivers] == [0, 0, 0]
    finally:
        for driver in drivers:
            driver.kill()
            driver.communicate()
    lines = drawn.read_text().split("\n")[:-1]
    assert sorted(int(line.split()[1]) for line in lines) == list(range(20)), lines


def test_a_machine_that_is_a_clone_of_this_one_is_another_machine(cell: StoredCell) -> None:
    """It has this one's boot id and host name, and a memory and processes of its own."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    sign_on(cell, replace(Driver.here("theirs"), pid=gone.pid))
    with claiming(cell.store, "ours") as ours:
        assert str(ours.take(cell)).startswith("run theirs (")


def test_a_watcher_that_stood_still_itself_calls_nobody_silent(
    cell: StoredCell, clock: Clock
) -> None:
    driver, witness = elsewhere(), Witness(cell.store)
    sign_on(cell, driver)
    assert witness.living(driver.id) is not None
    clock.wait(3600)
    assert witness.living(driver.id) is not None
    assert clock.look(witness, driver.id, 2 * claims.EXPIRY_S) is None


DAMAGED = {
    "no JSON": b"{",
    "nothing": b"",
    "a list": b"[1, 2]",
    "a number": b"7",
    "no text": b"\xff\xfe\x00",
    "very deep": b"[" * 100_000,
    "other types": b'{"run": {"a": 1}, "host": [], "pid": "x", "since": null, "beat": "y"}',
    "an older version": b'{"id": "a", "run": "r", "host": "h", "pid": 1, "machine": "m", "at": 1}',
    "hostile": b'{"run": "\\u001b[2J\\n\\ud800", "host": "h"}',
}


@pytest.mark.parametrize("record", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_record_is_a_drivers_until_it_has_not_changed_for_long(
    cell: StoredCell, clock: Clock, record: bytes
) -> None:
    driver = elsewhere()
    sign_on(cell, driver)
    Path(driver_file(cell.store, driver.id)).write_bytes(record)
    witness = Witness(cell.store)
    said = str(witness.living(driver.id))
    assert said.startswith("run ")
    assert said.isprintable()
    assert len(said) < 400
    assert clock.look(witness, driver.id, 2 * claims.EXPIRY_S) is None
    with claiming(cell.store, "ours") as ours:
        ours._witness = witness
        assert ours.take(cell) is None


def test_what_cannot_be_read_or_deleted_is_no_reason_to_end(cell: StoredCell, clock: Clock) -> None:
    driver = elsewhere()
    Path(driver_file(cell.store, driver.id)).mkdir(parents=True)
    (Path(cell.path) / f".claim-{driver.id}.json" / "inside").mkdir(parents=True)
    with claiming(cell.store, "ours") as ours:
        assert ours.take(cell) is not None
        clock.look(ours._witness, driver.id, 2 * claims.EXPIRY_S)
        assert ours.take(cell) is None


def test_who_lives_elsewhere_is_known_after_watching(
    cell: StoredCell, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, living = elsewhere(), elsewhere()
    sign_on(cell, dead)

    def write_on(seconds: float) -> None:
        clock.now += seconds
        sign_on(cell, replace(living, beat=int(clock.now)))

    sign_on(cell, living)
    monkeypatch.setattr(claims.time, "sleep", write_on)
    with claiming(cell.store, "ours") as ours:
        said = Witness(cell.store).watch([dead.id, living.id, ours.driver.id, "gone"])
        assert said == {living.id, ours.driver.id}


def test_signs_of_life_go_on_while_cells_are_held(
    cell: StoredCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "BEAT_S", 0.01)
    with claiming(cell.store, "ours") as ours:
        witness = Witness(cell.store)
        deadline = time.monotonic() + 60
        while (seen := witness.living(ours.driver.id)) is None or seen.beat < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
