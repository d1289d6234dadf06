"""The driver's side of replicas that commit themselves: see ``keeper`` for theirs.

What a dead replica had committed and not told is asked of the store: its shards are known by their
names.
"""

import asyncio
import contextlib
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from distlab.engines.fleet import Running
from distlab.engines.keeper import probe_name, receipt_of
from distlab.engines.messages import CellRequest, Keep, Receipt, Report
from distlab.engines.queue import Key
from distlab.errors import UserError
from distlab.store.filesystem import publish, read
from distlab.store.store import Store, read_shard

_COLUMNS = ("problem_id", "rank", "token_ids", "computed_tokens")


@dataclass(frozen=True, slots=True)
class Keeping:
    """How replicas commit what they draw.

    Attributes:
        store: Where to.
        keep: What each is told, but for its id.
        receive: Takes what they say; raises where a replica cannot go on.
    """

    store: Store
    keep: Keep
    receive: Callable[[Report], None]

    async def open(self, running: Running) -> str:
        """Have a replica get ready; returns the tag of its shards.

        Raises:
            UserError: It does not see the store, or cannot write there.
            RayError: It is dead.
        """
        keep = replace(self.keep, id=uuid.uuid4().hex)
        probe = probe_name(keep.id)
        try:
            await asyncio.to_thread(self._write, probe, keep)
            reached = await running.actor.keep.remote(keep)
            trouble = reached.trouble or await asyncio.to_thread(self._trouble, reached.probe, keep)
        finally:
            await asyncio.to_thread(self._remove, probe)
        if trouble:
            raise UserError(
                f"the engine on {running.hosts[0]} cannot commit to the store "
                f"{self.keep.store} ({trouble}): give that node what this one has (the mount, the "
                "credentials), or set cluster.commit=driver"
            )
        return keep.tag

    def _write(self, name: str, keep: Keep) -> None:
        publish(self.store.fs, f"{self.store.root}/{name}", keep.id.encode())

    def _trouble(self, name: str, keep: Keep) -> str:
        try:
            found = read(self.store.fs, f"{self.store.root}/{name}")
        except OSError:
            found = b""
        self._remove(name)
        return "" if found == keep.id.encode() else "what it writes there is not seen here"

    def _remove(self, name: str) -> None:
        with contextlib.suppress(OSError):
            self.store.fs.delete_file(f"{self.store.root}/{name}")

    def found(self, tag: str, wanted: Mapping[Key, CellRequest]) -> list[Receipt]:
        """What the store holds of requests, in the shards of one replica.

        Args:
            tag: Of its shards.
            wanted: The requests.

        Raises:
            OSError: The store does not answer.
            UserError: A shard cannot be read.
        """
        problems: dict[str, list[str]] = defaultdict(list)
        for cell, problem in wanted:
            problems[cell].append(problem)
        return [
            receipt_of(cell, batches)
            for cell, names in problems.items()
            for shard in self.store.cell(cell).tagged(tag)
            if (batches := _rows(self.store, shard, names))
        ]


def _rows(store: Store, shard: str, problems: list[str]) -> list[pa.RecordBatch]:
    table = read_shard(store.fs, shard, _COLUMNS)
    kept = pc.is_in(table.column("problem_id"), pa.array(problems, table.schema.field(0).type))
    return [batch for batch in table.filter(kept).to_batches() if batch.num_rows]


def pieces(work: CellRequest) -> Iterator[tuple[Key, CellRequest]]:
    """What comes of a request, each as a request of its own: of its cell, and of one it serves."""
    cell, request = work
    alone = work if request.greedy is None else (cell, replace(request, greedy=None))
    yield (cell, request.problem_id), alone
    if request.greedy is not None and request.ranks[0] == 0:
        greedy = replace(request, ranks=(0,), greedy=None)
        yield (request.greedy, request.problem_id), (request.greedy, greedy)
