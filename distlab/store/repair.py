"""Damaged shards set aside, so that the next run draws their samples anew."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from distlab.store.sample_schema import SAMPLES
from distlab.store.store import DamagedShard, Store, StoredCell, read_shard
from distlab.store.verify import CellCheck, verify

_Result = TypeVar("_Result")


def repair(store: Store, by: str) -> Iterator[CellCheck]:
    """Verify a store and set aside every shard that is at fault.

    Args:
        store: The store.
        by: Who asks, for the record.

    Yields:
        What was found in each cell.

    Raises:
        OSError: The store cannot be written.
    """
    for check in verify(store):
        for fault in check.faults:
            if fault.shard:
                check.cell.set_aside(fault.shard, fault.sentence, by)
        yield check


def healed(
    store: Store, by: str, say: Callable[[str], None], step: Callable[[], _Result]
) -> _Result:
    """Do something; where a shard turns out damaged, set it aside, say so and do it again.

    Args:
        store: Where the shards are.
        by: Who asks, for the record.
        say: Is told of every shard that is set aside.
        step: Looks up what is missing each time that it is called.

    Raises:
        DamagedShard: A shard of another store.
        OSError: The store cannot be written.
    """
    while True:
        try:
            return step()
        except DamagedShard as damage:
            sentences = list(_set_aside_damaged(store, damage, by))
            if not sentences:
                raise
        for sentence in sentences:
            say(sentence)


def _set_aside_damaged(store: Store, damage: DamagedShard, by: str) -> Iterator[str]:
    """Set aside all damaged shards of a cell in which one was found."""
    folder = damage.path.rpartition("/")[0]
    if not folder.startswith(f"{store.root}/"):
        return
    cell = StoredCell(store, folder)
    for path in cell.shards():
        try:
            read_shard(store.fs, path, SAMPLES.names)
        except DamagedShard as found:
            aside = cell.set_aside(path, found.reason, by)
            yield (
                f"the shard {path} is damaged: {found.reason}; it is set aside as "
                f"{aside}, and its samples are missing until they are drawn anew"
            )
