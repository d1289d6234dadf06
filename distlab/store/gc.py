"""What killed writers left in a store; nothing that a live one may be writing."""

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import pyarrow.fs as pafs

from distlab.store.claims import CLAIM, DRIVERS, Witness, claimant
from distlab.store.filesystem import patiently
from distlab.store.store import SHARD, Store

# Of every Parquet file.
_END = b"PAR1"
_DRAFT = re.compile(r"\..*\.tmp|\.probe-[0-9a-f]{32}")


class Leftover(StrEnum):
    """Kinds of files that no run will use as they are."""

    DRAFT = "draft"
    SIGN = "claim of a dead driver"
    TORN = "torn shard"
    ORPHAN = "shard without cell.json"


@dataclass(frozen=True, slots=True)
class Find:
    """A file that was left behind.

    Attributes:
        path: Where it is inside the file system.
        kind: What it is.
        size: Bytes.
        kept: Why it may not be deleted, empty where it may.
    """

    path: str
    kind: Leftover
    size: int
    kept: str


def find_leftovers(store: Store, older_than: datetime.timedelta) -> tuple[Find, ...]:
    """Look for leftovers.

    Args:
        store: The store.
        older_than: What was written later is kept: its writer may be at work.

    Raises:
        OSError: The store does not answer.
    """
    files = store.files()
    living = Witness(store).watch(_driver_of(info) for info in files if _is_sign(store, info))
    claimed = {info.path.rpartition("/")[0] for info in files if claimant(store.fs, info) in living}
    latest = datetime.datetime.now(datetime.UTC) - older_than
    return tuple(
        Find(info.path, kind, info.size, _reason_to_keep(info, kind, claimed, latest))
        for info, kind in _leftovers(store, files, living)
    )


def delete(store: Store, finds: Sequence[Find]) -> int:
    """Delete what may be deleted; returns how many files."""
    doomed = [find.path for find in finds if not find.kept]
    for path in doomed:
        patiently(store.fs, partial(store.fs.delete_file, path))
    return len(doomed)


def _leftovers(
    store: Store, files: Sequence[pafs.FileInfo], living: set[str]
) -> Iterator[tuple[pafs.FileInfo, Leftover]]:
    cells = {info.path.rpartition("/")[0] for info in files if info.base_name == "cell.json"}
    for info in files:
        folder = info.path.rpartition("/")[0]
        if _DRAFT.fullmatch(info.base_name):
            yield info, Leftover.DRAFT
        elif _is_sign(store, info):
            if _driver_of(info) not in living:
                yield info, Leftover.SIGN
        elif SHARD.fullmatch(info.base_name):
            if _is_torn(store, info.path):
                yield info, Leftover.TORN
            elif folder not in cells:
                yield info, Leftover.ORPHAN


def _is_sign(store: Store, info: pafs.FileInfo) -> bool:
    """Whether a driver left it: its record, its draft of one, or a claim."""
    folder = info.path.rpartition("/")[0]
    return str(info.base_name).startswith(CLAIM) or folder == f"{store.root}/{DRIVERS}"


def _driver_of(info: pafs.FileInfo) -> str:
    return str(info.base_name).removeprefix(CLAIM).removesuffix(".json")


def _is_torn(store: Store, path: str) -> bool:
    """Whether its end is missing; what is damaged in its middle is `repair`'s to set aside."""

    def end() -> bytes:
        with store.fs.open_input_file(path) as file:
            size = file.size()
            return bytes(file.read_at(min(size, len(_END)), max(0, size - len(_END))))  # type: ignore[call-arg]

    return patiently(store.fs, end) != _END


def _reason_to_keep(
    info: pafs.FileInfo, kind: Leftover, claimed: set[str], latest: datetime.datetime
) -> str:
    if kind is Leftover.ORPHAN:
        return "it holds samples: a run of its cell takes it up again"
    if info.path.rpartition("/")[0] in claimed:
        return "a run draws this cell at this moment"
    if info.mtime is not None and info.mtime > latest:
        return "it is new: its writer may be at work"
    return ""
