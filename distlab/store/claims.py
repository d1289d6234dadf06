"""Who draws a cell at this moment, so that two drivers on one store do not draw the same samples.

    STORE/.drivers/ID.json      a driver that lives, rewritten every few seconds
    CELL/.claim-ID.json         it draws this cell

A driver writes its claim, then looks: whoever sees another's takes its own back and waits. Since
each looks after it wrote, two can never both go on. That needs no lock of a file system, only that
what was written is seen, which disks and object stores alike promise.

Claims are a courtesy. A driver that was stopped for longer than ``EXPIRY_S`` and goes on draws
what another draws by then; the store counts such samples once.
"""

import contextlib
import datetime
import json
import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import pyarrow.fs as pafs

from distlab.store.filesystem import patiently, publish, read
from distlab.store.store import Store, StoredCell

BEAT_S = 10.0
# A driver of another machine that has not been seen to write for so long is taken for dead (ours:
# an outage of the store of some seconds must not count).
EXPIRY_S = 60.0
# So old a sign of life needs no watching, whatever the two clocks say.
_LONG_DEAD_S = 900.0
_TRIES = 4
# A sign of life that an outage holds up must not hold up the end of the run.
_JOIN_S = 5.0

DRIVERS = ".drivers"
CLAIM = ".claim-"


@dataclass(frozen=True, slots=True)
class Driver:
    """A process that draws into a store.

    Attributes:
        id: Hex, unique.
        run: Name of its run.
        host: Host name.
        pid: Process id there.
        machine: Identity of that machine's boot and of the process namespace.
        started: When the process started, in the kernel's ticks.
        since: When it began, UTC, ISO 8601.
        at: When it last gave a sign of life, seconds since the epoch by its clock.
        beat: Signs of life so far.
    """

    id: str
    run: str
    host: str
    pid: int
    machine: str
    started: int
    since: str
    at: float = 0.0
    beat: int = 0

    @classmethod
    def here(cls, run: str) -> "Driver":
        """This process."""
        now = datetime.datetime.now(datetime.UTC)
        return cls(
            id=uuid.uuid4().hex,
            run=run,
            host=socket.gethostname(),
            pid=os.getpid(),
            machine=_machine(),
            started=_started(os.getpid()),
            since=now.isoformat(timespec="seconds"),
        )

    def __str__(self) -> str:
        return f"run {self.run} ({self.host}, process {self.pid}, since {self.since})"


@dataclass(slots=True)
class Witness:
    """Tells whether drivers of a store live.

    Attributes:
        store: The store.
    """

    store: Store
    _seen: dict[str, tuple[int, float]] = field(default_factory=dict)

    def living(self, driver_id: str) -> Driver | None:
        """The driver, or None where it is gone or dead.

        Of another machine's driver that has fallen silent it is known after ``EXPIRY_S`` of
        asking again.
        """
        try:
            raw = json.loads(read(self.store.fs, driver_file(self.store, driver_id)))
            driver = Driver(**raw)
        except (FileNotFoundError, ValueError, TypeError):
            return None
        if driver.machine == _machine():
            return driver if _started(driver.pid) == driver.started else None
        beat, since = self._seen.get(driver_id, (-1, 0.0))
        if driver.beat != beat:
            since = time.monotonic()
            self._seen[driver_id] = driver.beat, since
        silent = time.monotonic() - since > EXPIRY_S or time.time() - driver.at > _LONG_DEAD_S
        return None if silent else driver


@dataclass(slots=True)
class Claims:
    """The claims of this process on a store; see ``claiming``."""

    store: Store
    driver: Driver
    _witness: Witness
    _held: dict[str, StoredCell] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread = field(init=False)

    def start(self) -> None:
        """Give the first sign of life, and more in the background until ``close``.

        Raises:
            OSError: The store cannot be written.
        """
        self._beat()
        self._thread = threading.Thread(target=self._keep_beating, name="claims", daemon=True)
        self._thread.start()

    def take(self, cell: StoredCell) -> Driver | None:
        """Claim a cell.

        Returns:
            None: it is ours to draw; else the living driver that draws it.

        Raises:
            OSError: The store cannot be written.
        """
        other = self._other(cell)
        for _ in range(_TRIES if other is None else 0):
            patiently(self.store.fs, lambda: publish(self.store.fs, self._file(cell), b"{}"))
            other = self._other(cell)
            if other is None:
                self._held[cell.path] = cell
                return None
            _remove(self.store.fs, self._file(cell))
            # Two that claim at the same moment both step back; chance parts them.
            time.sleep(random.uniform(0.05, 0.3))
        return other

    def release(self, cell: StoredCell) -> None:
        """Give a cell back. One that was not claimed stays as it is."""
        if self._held.pop(cell.path, None) is not None:
            _remove(self.store.fs, self._file(cell))

    def _file(self, cell: StoredCell) -> str:
        return f"{cell.path}/{CLAIM}{self.driver.id}.json"

    def _other(self, cell: StoredCell) -> Driver | None:
        for driver_id, file in claims_on(cell):
            if driver_id == self.driver.id:
                continue
            if (driver := self._witness.living(driver_id)) is not None:
                return driver
            _remove(self.store.fs, file)
        return None

    def _beat(self) -> None:
        self.driver = replace(self.driver, at=time.time(), beat=self.driver.beat + 1)
        file = driver_file(self.store, self.driver.id)
        publish(self.store.fs, file, json.dumps(asdict(self.driver)).encode())

    def _keep_beating(self) -> None:
        while not self._over.wait(BEAT_S):
            with contextlib.suppress(OSError):
                self._beat()

    def close(self) -> None:
        """Give every cell back and sign off."""
        self._over.set()
        self._thread.join(timeout=_JOIN_S)
        with contextlib.suppress(OSError):
            for cell in list(self._held.values()):
                self.release(cell)
            _remove(self.store.fs, driver_file(self.store, self.driver.id))


@contextlib.contextmanager
def claiming(store: Store, run: str) -> Iterator[Claims]:
    """Claims for the block; what is still held at its end is given back.

    Args:
        store: The store.
        run: Name of the run, for others to read.

    Raises:
        OSError: The store cannot be written.
    """
    folder = f"{store.root}/{DRIVERS}"
    patiently(store.fs, lambda: store.fs.create_dir(folder, recursive=True))
    claims = Claims(store, Driver.here(run), Witness(store))
    claims.start()
    try:
        yield claims
    finally:
        claims.close()


def claims_on(cell: StoredCell) -> list[tuple[str, str]]:
    """Id of the driver and path of every claim on a cell, of the dead too."""
    fs = cell.store.fs
    inside = pafs.FileSelector(cell.path, allow_not_found=True)
    infos = patiently(fs, lambda: fs.get_file_info(inside))
    return [
        (info.base_name.removeprefix(CLAIM).removesuffix(".json"), info.path)
        for info in infos
        if info.base_name.startswith(CLAIM) and info.base_name.endswith(".json")
    ]


def driver_file(store: Store, driver_id: str) -> str:
    """Where a driver gives its signs of life."""
    return f"{store.root}/{DRIVERS}/{driver_id}.json"


def _remove(fs: pafs.FileSystem, path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        patiently(fs, lambda: fs.delete_file(path))


def _machine() -> str:
    """Names the machine's boot and the process namespace: within it a process id says it all."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return uuid.uuid4().hex


def _started(pid: int) -> int:
    """When a process started, in the kernel's ticks since boot; -1 where none runs."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return -1
    # The second field is a name in parentheses that may hold spaces; the third is the state, the
    # 22nd the start.
    state, *fields = stat.rpartition(")")[2].split()
    return -1 if state in "ZX" else int(fields[18])
