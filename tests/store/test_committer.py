import asyncio
import errno
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pyarrow as pa
import pytest

from distlab.decoding.interface import Sample
from distlab.store import committer as module
from distlab.store.batches import to_batch
from distlab.store.committer import Committer
from distlab.store.origin import Origin
from distlab.store.store import Store, StoredCell


@dataclass
class Flaky:
    """A cell whose store fails so many times first."""

    cell: StoredCell
    failures: list[OSError]
    names: list[str | None] = field(default_factory=list)

    def commit(self, batches: list[pa.RecordBatch], name: str | None, origin: Origin | None) -> str:
        self.names.append(name)
        if self.failures:
            raise self.failures.pop()
        return self.cell.commit(batches, name, origin)


@pytest.fixture
def cell(tmp_path: Path) -> StoredCell:
    made = Store.open(str(tmp_path)).cell("cell")
    (tmp_path / "cell").mkdir()
    return made


def batch(problem: str, samples: int = 1) -> pa.RecordBatch:
    return to_batch(
        [Sample(problem, rank, (1,), (2,), "2", truncated=False) for rank in range(samples)], "run"
    )


def drive(committer: Committer, *batches: pa.RecordBatch) -> None:
    """Give it some batches and close it."""

    async def driven() -> None:
        running = asyncio.ensure_future(committer.run())
        for each in batches:
            committer.add("a", each)
        await asyncio.sleep(0)
        committer.close()
        await running

    asyncio.run(driven())


def flaky(cell: StoredCell, *failures: OSError) -> tuple[Flaky, Committer]:
    made = Flaky(cell, list(failures))
    return made, Committer({"a": cast(StoredCell, made)})


def test_what_waits_is_committed_at_the_end_in_one_shard(cell: StoredCell) -> None:
    drive(Committer({"a": cell}), batch("p1"), batch("p2", 3))
    assert len(cell.shards()) == 1
    assert cell.samples().num_rows == 4


def test_enough_samples_are_committed_while_others_come(cell: StoredCell) -> None:
    committer = Committer({"a": cell})

    async def driven() -> None:
        running = asyncio.ensure_future(committer.run())
        committer.add("a", batch("p1", 5000))
        while not cell.shards():
            await asyncio.sleep(0.01)
        committer.close()
        await running

    asyncio.run(driven())
    assert cell.samples().num_rows == 5000


def test_a_store_that_is_away_for_a_moment_costs_nothing(
    cell: StoredCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_RETRIES_S", (0.01, 0.01))
    away, committer = flaky(cell, *[OSError(errno.ESTALE, "Stale file handle")] * 2)

    async def driven() -> None:
        running = asyncio.ensure_future(committer.run())
        committer.add("a", batch("p1", 5000))
        while not cell.shards():
            await asyncio.sleep(0.01)
        committer.close()
        await running

    asyncio.run(driven())
    assert cell.samples().num_rows == 5000
    # One name for every try, so that none can leave a second shard.
    assert len(away.names) == 3
    assert len(set(away.names)) == 1


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_store_that_stays_away_is_said_and_what_was_committed_stays(
    cell: StoredCell, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    monkeypatch.setattr(module, "_RETRIES_S", (0.01,))
    drive(Committer({"a": cell}), batch("p0"))
    broken, committer = flaky(cell, *[OSError(error, "gone")] * 5)

    async def driven() -> None:
        committer.add("a", batch("p1", 5000))
        await committer.run()

    with pytest.raises(OSError, match="gone"):
        asyncio.run(driven())
    assert len(broken.names) == (1 if error == errno.ENOSPC else 2)
    assert cell.samples(["problem_id"]).to_pylist() == [{"problem_id": "p0"}]


def test_a_shard_is_of_one_origin(cell: StoredCell) -> None:
    committer = Committer({"a": cell})
    h100, a100 = Origin("H100", "TP 1"), Origin("A100", "TP 1")

    async def driven() -> None:
        for problem, origin in (("p", h100), ("q", a100), ("r", h100), ("s", None)):
            committer.add("a", batch(problem, 2), origin)
        committer.close()
        await committer.run()

    asyncio.run(driven())
    assert cell.origins() == {h100: 4, a100: 2, None: 2}
    assert len(cell.shards()) == 3
