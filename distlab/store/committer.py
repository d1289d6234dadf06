"""Commits the samples of many cells beside the sampling, and bears with a store that is away."""

import asyncio
import time
from collections.abc import Mapping

import pyarrow as pa

from distlab.errors import DISK_FULL
from distlab.store.store import StoredCell, shard_name

_COMMIT_SAMPLES = 5000
# A kill loses what was drawn since the last commit: a fiftieth of the run, within these bounds.
# Longer runs commit less often, so that a cell does not end up in thousands of tiny shards.
_SHARE, _SOONEST_S, _LATEST_S = 0.02, 10.0, 120.0
# Waits between tries, a minute in all: what a file server or a quota daemon takes to come back.
_RETRIES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


class Committer:
    """Takes batches of whole requests; nothing waits for the disk but the committer itself."""

    def __init__(self, cells: Mapping[str, StoredCell]) -> None:
        self._cells = cells
        self._waiting: dict[str, list[pa.RecordBatch]] = {}
        self._rows: dict[str, int] = {}
        self._due = asyncio.Event()
        self._closed = asyncio.Event()

    def add(self, cell: str, batch: pa.RecordBatch) -> None:
        """Take a batch of a cell, by its key in ``cells``."""
        self._waiting.setdefault(cell, []).append(batch)
        self._rows[cell] = self._rows.get(cell, 0) + batch.num_rows
        if self._rows[cell] >= _COMMIT_SAMPLES:
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
                await self._commit_all(_COMMIT_SAMPLES)
            else:
                last = time.monotonic()
                await self._commit_all(1)
        await self._commit_all(1)

    async def _commit_all(self, least: int) -> None:
        for cell in [cell for cell, rows in self._rows.items() if rows >= least]:
            del self._rows[cell]
            await self._commit(cell, self._waiting.pop(cell))

    async def _commit(self, cell: str, batches: list[pa.RecordBatch]) -> None:
        # One name for all tries: one that failed only in its last step leaves no second shard.
        name = shard_name()
        for wait in (*_RETRIES_S, None):
            try:
                await asyncio.to_thread(self._cells[cell].commit, batches, name)
            except OSError as error:
                if wait is None or error.errno in DISK_FULL or self._closed.is_set():
                    raise
                await _is_set(self._closed, wait)
            else:
                return


async def _is_set(event: asyncio.Event, within_s: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), within_s)
    except TimeoutError:
        return False
    return True
