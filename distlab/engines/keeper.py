"""What a replica commits itself: leases in, shards into the store, receipts out.

The driver is told of a request twice: once it is finished, so that it hands out others, and once it
is in the store, when it counts. Nothing is committed that the driver's claims do not cover, and
nothing while the driver is not heard of: another one may take its place then.
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from distlab.decoding.interface import Sample
from distlab.engines.messages import CellRequest, CellWork, Finished, Keep, Receipt, Report
from distlab.store.claims import EXPIRY_S, ClaimLost, is_held
from distlab.store.columns import strings, token_counts
from distlab.store.committer import Committer
from distlab.store.filesystem import publish, read
from distlab.store.store import Store, StoredCell

# A driver of another machine takes a cell over once it has missed signs of life for ``EXPIRY_S``:
# whoever waits for half of it has stopped long before (ours).
_SILENCE_S = EXPIRY_S / 2
_LOOK_S = 0.2

Drawing = asyncio.Task[dict[str, list[Sample]]]
"""Cell key to samples: of the request's own cell, and of one that they serve too."""

Gather = Callable[
    [Mapping[str, CellWork], Sequence[tuple[CellRequest, Drawing]]], Awaitable[Finished]
]
"""Cells and finished requests to what is told of them; raises where the engine is dead."""


def reach(keep: Keep) -> tuple[Store, str]:
    """Open the store, and see that it is the driver's; returns the name of a file written there.

    Raises:
        OSError, UserError: It is not, or cannot be written.
    """
    store = Store.look(keep.store)
    if read(store.fs, f"{store.root}/{probe_name(keep.id)}") != keep.id.encode():
        raise FileNotFoundError("what the driver writes there is not seen")
    probe = probe_name(uuid.uuid4().hex)
    publish(store.fs, f"{store.root}/{probe}", keep.id.encode())
    return store, probe


def probe_name(of: str) -> str:
    """Name of a file that tells whether two machines see one store, and that ``gc`` knows."""
    return f".probe-{of}"


def receipt_of(cell: str, batches: Iterable[pa.RecordBatch]) -> Receipt:
    """What batches of whole requests hold.

    Args:
        cell: Key of their cell.
        batches: With the columns ``problem_id``, ``token_ids`` and ``computed_tokens``.
    """
    table = pa.Table.from_batches(batches)
    computed = pc.sum(table.column("computed_tokens")).as_py()
    return Receipt(
        cell,
        tuple(strings(pc.unique(table.column("problem_id")))),
        table.num_rows,
        int(pc.sum(token_counts(table)).as_py() or 0),
        int(computed or 0),
    )


class Keeper:
    """Of one replica, for one job."""

    def __init__(self, keep: Keep, store: Store) -> None:
        self._keep = keep
        self._store = store
        self._works: dict[str, CellWork] = {}
        self._cells: dict[str, StoredCell] = {}
        self._drawing: set[Drawing] = set()
        self._finished: list[tuple[CellRequest, Drawing]] = []
        self._receipts: list[Receipt] = []
        self._uncommitted = 0
        self._failure: BaseException | None = None
        # Something to tell; nothing to wait for before it is told; committed at once, too.
        self._news, self._soon = asyncio.Event(), asyncio.Event()
        self._is_urgent = False
        self._committer = Committer(self._cells, self._check, self._note, keep.tag)
        self._committing = asyncio.ensure_future(self._committer.run())
        self._committing.add_done_callback(self._on_over)
        self.hear()

    def _on_over(self, committing: asyncio.Task[None]) -> None:
        # Asked for here, so that nobody warns where the driver does not ask any more.
        self._failure = committing.exception()
        self._news.set()

    def hear(self) -> None:
        """Note that the driver lives."""
        self._heard = time.clock_gettime(time.CLOCK_BOOTTIME)

    def expect(self, drawing: Drawing, request: CellRequest, works: Mapping[str, CellWork]) -> None:
        """Take a request that is drawn, and the cells that it is of."""
        self._soon.clear()
        self._is_urgent = False
        self._works.update(works)
        self._cells.update((cell, self._store.cell(cell)) for cell in works)
        self._drawing.add(drawing)
        drawing.add_done_callback(lambda _: self._on_drawn(drawing, request))

    def _on_drawn(self, drawing: Drawing, request: CellRequest) -> None:
        self._drawing.discard(drawing)
        if not drawing.cancelled():
            self._finished.append((request, drawing))
            self._news.set()
        if not self._drawing:
            self._soon.set()

    async def report(self, gather_s: float, gather: Gather) -> Report:
        """Wait until something is finished or committed, and a moment for more of it.

        Args:
            gather_s: The moment, in seconds; none where ``flush`` was called or nothing is left
                to draw.
            gather: Makes a message of what is finished.

        Raises:
            Exception: The engine is dead.
        """
        await self._news.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._soon.wait(), gather_s)
        self._news.clear()
        finished, self._finished = self._finished, []
        told = await gather(self._works, finished)
        self._commit(told)
        receipts, self._receipts = tuple(self._receipts), []
        settled = self._is_urgent and not self._uncommitted and not self._finished
        return Report(replace(told, batches={}), receipts, settled, self._error())

    def _commit(self, told: Finished) -> None:
        for cell, batch in told.batches.items():
            stored = self._keep.origins.get(cell, frozenset())
            if told.origin is not None and told.origin.is_foreign_to(stored):
                # The driver sees the same, and says so.
                continue
            self._uncommitted += batch.num_rows
            self._committer.add(cell, batch, told.origin)
        if self._is_urgent:
            self._committer.flush()

    def _note(self, cell: str, batches: Sequence[pa.RecordBatch]) -> None:
        receipt = receipt_of(cell, batches)
        self._uncommitted -= receipt.samples
        self._receipts.append(receipt)
        self._news.set()

    def _check(self, cell: str) -> None:
        """Wait until the driver is heard of, and see that it still has the cell; in a thread.

        Raises:
            ClaimLost: It has not.
            OSError: The store does not answer.
        """
        while time.clock_gettime(time.CLOCK_BOOTTIME) - self._heard > _SILENCE_S:
            time.sleep(_LOOK_S)
        if self._keep.driver is not None and not is_held(self._cells[cell], self._keep.driver):
            raise ClaimLost(cell)

    def _error(self) -> Exception | None:
        error = self._failure
        if error is not None and not isinstance(error, ClaimLost | OSError):
            raise error
        return error

    def flush(self) -> None:
        """Commit and report at once what is finished."""
        self._is_urgent = True
        self._soon.set()
        self._committer.flush()
        self._news.set()

    def halt(self) -> None:
        """Draw nothing any more."""
        for drawing in self._drawing:
            drawing.cancel()
        self.flush()

    async def end(self) -> None:
        """Draw nothing any more, and commit what was reported as finished."""
        self.hear()
        self.halt()
        self._committer.close()
        await asyncio.wait({self._committing})
