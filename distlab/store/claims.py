"""Who draws a cell at this moment, so that two drivers on one store do not draw the same samples.

    STORE/.drivers/ID.json      a driver that lives, rewritten every few seconds
    CELL/.claim-ID.json         it draws this cell: on disks
    CELL/.claimed.json          who draws this cell: on object stores

On a disk a driver writes its claim, then looks: whoever sees another's takes its own back and
waits. Since each looks after it wrote, two can never both go on. That needs no lock of a file
system, only that what was written is seen. On an object store a claim is one object, written on the
condition that nobody else has written it. Where the store or its credentials do not allow that, it
is as on a disk. Drivers of both kinds may share a store, since both look after they wrote.

A driver of this machine lives while it holds its lifeline (see ``lifeline``). Of any other it
counts whether its record is seen to change, by the watcher's own clock: two machines' clocks, boot
ids and process ids are never compared.

A driver that stood still for longer than ``EXPIRY_S`` may find that another draws its cells. It
asks before every commit, and once it goes on, and then ends: what it had not committed the other
draws.
"""

import contextlib
import datetime
import json
import logging
import os
import random
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs

from distlab.escape import plain
from distlab.store import lifeline
from distlab.store.conditional import ConditionalObjects, Unconditional, Version
from distlab.store.filesystem import is_local, patiently, publish, read
from distlab.store.lifeline import Lifeline
from distlab.store.store import Store, StoredCell

BEAT_S = 10.0
# A driver of another machine that has not been seen to write for so long is taken for dead (ours:
# an outage of the store of some seconds must not count).
EXPIRY_S = 60.0
_TRIES = 4
# A sign of life that an outage holds up must not hold up the end of the run.
_JOIN_S = 5.0

DRIVERS = ".drivers"
CLAIM = ".claim-"
CLAIMED = ".claimed.json"

_log = logging.getLogger(__name__)


class ClaimLost(Exception):
    """Another driver draws a cell that was ours."""


@dataclass(frozen=True, slots=True)
class Driver:
    """A process that draws into a store.

    Attributes:
        id: Hex, unique.
        run: Name of its run.
        host: Host name.
        pid: Process id there.
        since: When it began, UTC, ISO 8601.
        beat: Signs of life so far.
    """

    id: str
    run: str
    host: str
    pid: int
    since: str
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
            since=now.isoformat(timespec="seconds"),
        )

    @classmethod
    def read(cls, driver_id: str, record: bytes) -> "Driver":
        """What a record says. A damaged one is a driver's too: "?" stands for what it lacks."""
        try:
            raw = json.loads(record)
        except (ValueError, RecursionError):
            raw = None
        said: dict[str, Any] = raw if isinstance(raw, dict) else {}
        run, host, since = (plain(str(said.get(name, "?"))) for name in ("run", "host", "since"))
        pid, beat = (
            value if isinstance(value := said.get(name), int) else -1 for name in ("pid", "beat")
        )
        return cls(driver_id, run, host, pid, since, beat)

    def __str__(self) -> str:
        return f"run {self.run} ({self.host}, process {self.pid}, since {self.since})"


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen of a driver of another machine.

    Attributes:
        record: Its record.
        at: When, by this process's monotonic clock, in seconds.
        silent_s: Seconds without a change until then.
    """

    record: bytes
    at: float
    silent_s: float = 0.0


@dataclass(slots=True)
class Witness:
    """Tells whether drivers of a store live.

    Attributes:
        store: The store.
    """

    store: Store
    _seen: dict[str, _Seen] = field(default_factory=dict)

    def living(self, driver_id: str) -> Driver | None:
        """The driver, or None where it is gone or dead.

        That another machine's driver has died is known after ``EXPIRY_S`` of asking again.

        Raises:
            OSError: A remote store does not answer.
        """
        try:
            record = self._record(driver_id)
        except FileNotFoundError:
            return None
        here = lifeline.is_alive(driver_id)
        is_dead = self._is_silent(driver_id, record) if here is None else not here
        return None if is_dead else Driver.read(driver_id, record)

    def watch(self, driver_ids: Iterable[str]) -> set[str]:
        """Those that live, known for sure: waits for signs of life of other machines' drivers.

        Raises:
            OSError: A remote store does not answer.
        """
        living: set[str] = set()
        unsure = set(driver_ids)
        while unsure:
            for driver_id in sorted(unsure):
                before = self._seen.get(driver_id)
                if self.living(driver_id) is None:
                    unsure.remove(driver_id)
                elif lifeline.is_alive(driver_id) or self._has_changed(driver_id, before):
                    unsure.remove(driver_id)
                    living.add(driver_id)
            if unsure:
                time.sleep(BEAT_S / 2)
        return living

    def _record(self, driver_id: str) -> bytes:
        try:
            return read(self.store.fs, driver_file(self.store, driver_id))
        except FileNotFoundError:
            raise
        except OSError:
            # On a disk: not ours to read, or no file. Whoever left it may live all the same.
            if not is_local(self.store.fs):
                raise
            return b""

    def _has_changed(self, driver_id: str, before: _Seen | None) -> bool:
        return before is not None and self._seen[driver_id].record != before.record

    def _is_silent(self, driver_id: str, record: bytes) -> bool:
        """Whether the record has not changed for too long.

        Between two looks at most a beat counts: where this process or the store stood still, the
        other's signs of life may have been held up too.
        """
        now, silent = time.monotonic(), 0.0
        before = self._seen.get(driver_id)
        if before is not None and before.record == record:
            silent = before.silent_s + min(now - before.at, BEAT_S)
        self._seen[driver_id] = _Seen(record, now, silent)
        return silent > EXPIRY_S


@dataclass(slots=True)
class Claims:
    """The claims of this process on a store; see ``claiming``."""

    store: Store
    driver: Driver
    _witness: Witness
    _held: dict[str, StoredCell] = field(default_factory=dict)
    _objects: ConditionalObjects | None = None
    _lost: set[str] = field(default_factory=set)
    _beaten: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread = field(init=False)
    _lifeline: Lifeline = field(init=False)

    def start(self) -> None:
        """Give the first sign of life, and more in the background until ``close``.

        Raises:
            OSError: The store cannot be written.
        """
        self._lifeline = Lifeline(self.driver.id)
        try:
            self._beat()
            self._objects = _conditional(self.store, self.driver)
        except BaseException:
            self._lifeline.release()
            raise
        self._thread = threading.Thread(target=self._keep_beating, name="claims", daemon=True)
        self._thread.start()

    def take(self, cell: StoredCell) -> Driver | None:
        """Claim a cell.

        Returns:
            None: it is ours to draw; else the living driver that draws it.

        Raises:
            OSError: The store cannot be written.
        """
        if self._objects is not None:
            return self._take_object(cell, self._objects)
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

    def _take_object(self, cell: StoredCell, objects: ConditionalObjects) -> Driver | None:
        """Until a write succeeds or a living driver has it: one that fails is another's success.

        A driver whose writes have no condition claims as on a disk, and looks after it wrote. So
        does this one.
        """
        if (other := self._other(cell)) is not None:
            return other
        path = f"{cell.name}/{CLAIMED}"
        while True:
            seen = patiently(self.store.fs, lambda: objects.read(path))
            holder = None if seen is None else _holder(seen.data)
            if holder is not None and holder != self.driver.id:
                if (driver := self._witness.living(holder)) is not None:
                    return driver
                lifeline.forget(holder)
            mine = _claim(self.driver.id)

            def write(seen: Version | None = seen, mine: bytes = mine) -> bool:
                if seen is None:
                    return objects.create(path, mine)
                return objects.replace(path, mine, seen)

            if patiently(self.store.fs, write):
                self._held[cell.path] = cell
                if (other := self._other(cell)) is not None:
                    self.release(cell)
                return other

    def release(self, cell: StoredCell) -> None:
        """Give a cell back. One that was not claimed stays as it is."""
        if self._held.pop(cell.path, None) is None:
            return
        if self._objects is None:
            _remove(self.store.fs, self._file(cell))
            return
        objects, path = self._objects, f"{cell.name}/{CLAIMED}"
        seen = patiently(self.store.fs, lambda: objects.read(path))
        if seen is not None and _holder(seen.data) == self.driver.id:
            # Where it fails, another has taken it from us, and keeps it.
            patiently(self.store.fs, lambda: objects.replace(path, _claim(None), seen))

    def check(self, path: str) -> None:
        """See that a cell is still ours, before what is drawn of it is kept.

        Args:
            path: Of the cell, relative to the store.

        Raises:
            ClaimLost: Another driver has it.
            OSError: The store does not answer.
        """
        if path in self._lost or not is_held(self.store.cell(path), self.driver.id):
            self._lost.add(path)
            raise ClaimLost(path)

    def is_lost(self, path: str) -> bool:
        """Whether it is known that another driver has a cell that was ours."""
        return path in self._lost

    def _file(self, cell: StoredCell) -> str:
        return f"{cell.path}/{CLAIM}{self.driver.id}.json"

    def _other(self, cell: StoredCell) -> Driver | None:
        for driver_id, file in claims_on(cell):
            is_object = self._objects is not None and file.endswith(CLAIMED)
            if driver_id == self.driver.id or is_object:
                continue
            if (driver := self._witness.living(driver_id)) is not None:
                return driver
            self._bury(driver_id, file)
        return None

    def _bury(self, driver_id: str, claim: str) -> None:
        """Take away what a dead driver left; what is not ours to delete stays, and counts not."""
        with contextlib.suppress(OSError):
            _remove(self.store.fs, claim)
            _remove(self.store.fs, driver_file(self.store, driver_id))
        lifeline.forget(driver_id)

    def _beat(self) -> None:
        before, self._beaten = self._beaten, time.clock_gettime(time.CLOCK_BOOTTIME)
        self.driver = replace(self.driver, beat=self.driver.beat + 1)
        file = driver_file(self.store, self.driver.id)
        publish(self.store.fs, file, json.dumps(asdict(self.driver)).encode())
        if before and self._beaten - before > EXPIRY_S:
            for cell in list(self._held.values()):
                with contextlib.suppress(ClaimLost):
                    self.check(cell.name)

    def _keep_beating(self) -> None:
        while not self._over.wait(BEAT_S):
            with contextlib.suppress(OSError, pa.ArrowException):
                self._beat()

    def close(self) -> None:
        """Give every cell back and sign off."""
        self._over.set()
        self._thread.join(timeout=_JOIN_S)
        with contextlib.suppress(OSError):
            for cell in list(self._held.values()):
                self.release(cell)
            _remove(self.store.fs, driver_file(self.store, self.driver.id))
        self._lifeline.release()


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
    found = ((claimant(fs, info), info.path) for info in infos)
    return [(driver, path) for driver, path in found if driver is not None]


def claimant(fs: pafs.FileSystem, file: pafs.FileInfo) -> str | None:
    """Id of the driver whose claim a file is; None for other files and for cells given back."""
    name = str(file.base_name)
    if name.startswith(CLAIM) and name.endswith(".json"):
        return name.removeprefix(CLAIM).removesuffix(".json")
    if name != CLAIMED:
        return None
    try:
        return _holder(read(fs, file.path))
    except FileNotFoundError:
        return None


def is_held(cell: StoredCell, driver_id: str) -> bool:
    """Whether a driver's claim on a cell stands.

    Raises:
        OSError: The store does not answer.
    """
    fs = cell.store.fs
    paths = [f"{cell.path}/{CLAIM}{driver_id}.json", f"{cell.path}/{CLAIMED}"]
    infos = patiently(fs, lambda: fs.get_file_info(paths))
    there = (info for info in infos if info.type == pafs.FileType.File)
    return any(claimant(fs, info) == driver_id for info in there)


def _conditional(store: Store, driver: Driver) -> ConditionalObjects | None:
    """What claims are written with where writes can have a condition."""
    probe = f"{DRIVERS}/{driver.id}.probe"
    try:
        if (objects := ConditionalObjects.open(store.uri)) is not None:
            objects.check(probe)
            _remove(store.fs, f"{store.root}/{probe}")
        return objects
    except (Unconditional, OSError) as error:
        _log.warning("claims on %s are written without a condition: %s", store.uri, error)
        return None


def _claim(driver_id: str | None) -> bytes:
    """A claim, unlike any before: stores tell versions apart by their content."""
    return json.dumps({"driver": driver_id, "turn": uuid.uuid4().hex}).encode()


def _holder(claim: bytes) -> str | None:
    try:
        raw = json.loads(claim)
    except (ValueError, RecursionError):
        return None
    holder = raw.get("driver") if isinstance(raw, dict) else None
    return holder if isinstance(holder, str) and re.fullmatch(r"[0-9a-f]+", holder) else None


def driver_file(store: Store, driver_id: str) -> str:
    """Where a driver gives its signs of life."""
    return f"{store.root}/{DRIVERS}/{driver_id}.json"


def _remove(fs: pafs.FileSystem, path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        patiently(fs, lambda: fs.delete_file(path))
