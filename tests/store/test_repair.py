"""Work that meets a damaged shard."""

import json
import pickle
from pathlib import Path

import pytest

from distlab.errors import UserError
from distlab.store.repair import healed
from distlab.store.store import DamagedShard, Store, StoredCell
from tests.store.cells import fill, make_cell


@pytest.fixture
def cell(tmp_path: Path) -> StoredCell:
    cell = make_cell(Store.open(str(tmp_path / "store")))
    for problems in ("a", "b", "c"):
        fill(cell, problems, 2)
    return cell


def damage(path: str) -> None:
    data = bytearray(Path(path).read_bytes())
    data[40] ^= 1
    Path(path).write_bytes(data)


def test_damaged_shards_are_set_aside_and_the_work_is_done_again(cell: StoredCell) -> None:
    first, _, last = cell.shards()
    damage(first)
    damage(last)
    said: list[str] = []
    tries = 0

    def work() -> int:
        nonlocal tries
        tries += 1
        return cell.samples().num_rows

    assert healed(cell.store, "run-7", said.append, work) == 2
    # One try for all shards of the cell.
    assert tries == 2
    assert [path in line for path, line in zip((first, last), said, strict=True)] == [True, True]
    assert all("missing until they are drawn anew" in line for line in said)
    (record, _) = sorted(Path(cell.path).glob("damaged-*.json"))
    assert json.loads(record.read_text())["by"] == "run-7"


def test_keys_that_were_read_before_are_not_remembered(cell: StoredCell) -> None:
    (shard, *_) = cell.shards()
    assert set(cell.ranks()) == {"a", "b", "c"}
    cell.set_aside(shard, "why", "test")
    assert set(cell.ranks()) == {"b", "c"}


def test_a_shard_that_another_run_has_set_aside_is_no_fault(cell: StoredCell) -> None:
    (shard, *_) = cell.shards()
    for _ in range(2):
        cell.set_aside(shard, "why", "test")
    assert len(list(Path(cell.path).glob("damaged-*"))) == 2


def test_damage_elsewhere_and_other_errors_go_on_up(cell: StoredCell) -> None:
    for error in (DamagedShard("/elsewhere/cell/samples-0.parquet", "why"), UserError("no")):
        errors = iter([error])

        def work() -> None:
            raise next(errors)  # noqa: B023 - called at once

        with pytest.raises(type(error)):
            healed(cell.store, "run", pytest.fail, work)


def test_damage_crosses_processes_with_what_it_says() -> None:
    there = pickle.loads(pickle.dumps(DamagedShard("/store/cell/samples-0.parquet", "why")))
    assert (there.path, there.reason) == ("/store/cell/samples-0.parquet", "why")
    assert "the shard /store/cell/samples-0.parquet is damaged: why;" in str(there)
