"""Commits the samples of many cells beside the sampling, and bears with a store that is away."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa

from distlab.errors import DISK_FULL
from distlab.store.origin import Origin
from distlab.store.store import StoredCell, shard_name

_COMMIT_SAMPLES = 5000
# A kill loses what was drawn since the last commit: a fiftieth of the run, within these bounds.
# Longer runs commit less often, so that a cell does not end up in thousands of tiny shards.
_SHARE, _SOONEST_S, _LATEST_S = 0.02, 10.0, 120.0
# Waits between tries, a minute in all: what a file server or a quota daemon takes to come back.
_RETRIES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


_Kind = tuple[str, Origin | None]
"""Cell, and what drew the batches: a shard is of one of each."""


class Committer:
    """Takes batches of whole requests; nothing waits for the disk but the committer itself."""

    def __init__(
        self,
        cells: Mapping[str, StoredCell],
        check: Callable[[str], None] = lambda _: None,
        told: Callable[[str, Sequence[pa.RecordBatch]], None] = lambda cell, batches: None,
        tag: str = "",
    ) -> None:
        """Prepare for some cells.

        Args:
            cells: Key to cell.
            check: Asked with a cell's key before each commit, in a thread; raises where it may not
                be committed any more.
            told: Is told a cell's key and its batches once they are in the store.
            tag: In the names of the shards: see ``shard_name``.
        """
        self._cells = cells
        self._check = check
        self._told = told
        self._tag = tag
        self._least = _COMMIT_SAMPLES
        self._waiting: dict[_Kind, list[pa.RecordBatch]] = {}
        self._rows: dict[_Kind, int] = {}
        self._due = asyncio.Event()
        self._closed = asyncio.Event()

    def add(self, cell: str, batch: pa.RecordBatch, origin: Origin | None = None) -> None:
        """Take a batch of a cell, by its key in ``cells``, and what drew it."""
        kind = cell, origin
        self._waiting.setdefault(kind, []).append(batch)
        self._rows[kind] = self._rows.get(kind, 0) + batch.num_rows
        if self._rows[kind] >= _COMMIT_SAMPLES:
            self._due.set()

    def flush(self) -> None:
        """Let ``run`` commit at once what waits."""
        self._least = 1
        self._due.set()

    def close(self) -> None:
        """Let ``run`` commit what waits, without patience for a store that is away, and end."""
        self._closed.set()
        self._due.set()

    async def run(self) -> None:
        """Commit until ``close``. Never cancel it: a write goes on in its thread.

        Raises:
            OSError: The disk is full, or the store did not come back within a minute.
        """
        began = last = time.monotonic()
        while not self._closed.is_set():
            interval = min(_LATEST_S, max(_SOONEST_S, _SHARE * (time.monotonic() - began)))
            left = last + interval - time.monotonic()
            if await _is_set(self._due, max(0.0, left)):
                self._due.clear()
                least, self._least = self._least, _COMMIT_SAMPLES
                await self._commit_all(least)
            else:
                last = time.monotonic()
                await self._commit_all(1)
        await self._commit_all(1)

    async def _commit_all(self, least: int) -> None:
        for kind in [kind for kind, rows in self._rows.items() if rows >= least]:
            del self._rows[kind]
            await self._commit(kind, self._waiting.pop(kind))

    async def _commit(self, kind: _Kind, batches: list[pa.RecordBatch]) -> None:
        cell, origin = kind
        # One name for all tries: one that failed only in its last step leaves no second shard.
        name = shard_name(self._tag)
        for wait in (*_RETRIES_S, None):
            try:
                await asyncio.to_thread(self._check, cell)
                await asyncio.to_thread(self._cells[cell].commit, batches, name, origin)
            except OSError as error:
                if wait is None or error.errno in DISK_FULL or self._closed.is_set():
                    raise
                await _is_set(self._closed, wait)
            else:
                self._told(cell, batches)
                return


async def _is_set(event: asyncio.Event, within_s: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), within_s)
    except TimeoutError:
        return False
    return True
