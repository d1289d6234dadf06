"""The store on a real S3 server; see tests/s3.py."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from distlab.errors import UserError
from distlab.store import filesystem
from distlab.store.asks import Ask, read_asks, write_ask
from distlab.store.batches import to_batch
from distlab.store.claims import claiming, claims_on
from distlab.store.repair import repair
from distlab.store.store import Store, shard_name
from tests.s3 import BUCKET, Door, s3_server
from tests.store.cells import FIELDS, fill, make_cell, sample


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with s3_server(tmp_path_factory.mktemp("s3") / "log.txt") as door:
        yield door


@pytest.fixture
def uri(server: Door, request: pytest.FixtureRequest) -> str:
    return f"s3://{BUCKET}/{request.node.name}/store"


def test_cells_shards_asks_and_claims_live_on_s3_as_on_a_disk(uri: str) -> None:
    store = Store.open(uri)
    assert store.address == uri
    cell = make_cell(store)
    assert cell.exists()
    for problems in ("ab", "bc"):
        fill(cell, problems, 2)
    write_ask(cell, Ask("run", 2, ("a",)))
    with claiming(store, "ours") as ours, claiming(store, "theirs") as theirs:
        assert ours.take(cell) is None
        assert theirs.take(cell) is not None
    seen = Store.look(uri)
    assert [cell.name for cell in seen.cells()] == [cell.name]
    again = seen.cell(cell.name)
    assert again.ranks() == {"a": {0, 1}, "b": {0, 1}, "c": {0, 1}}
    assert again.samples().num_rows == 6
    assert [ask.run for ask in read_asks(again)] == ["run"]
    assert claims_on(again) == []
    assert again.fields() == cell.fields()
    assert again.differing(FIELDS) == ()


def test_a_damaged_shard_on_s3_is_set_aside(uri: str) -> None:
    cell = make_cell(Store.open(uri))
    damaged = fill(cell, "a", 2)
    fill(cell, "b", 2)
    with cell.store.fs.open_output_stream(damaged) as stream:
        stream.write(b"PAR1")
    assert [check.faults[0].shard for check in repair(cell.store, "test")] == [damaged]
    assert cell.ranks() == {"b": {0, 1}}
    names = {info.base_name.partition("-")[0] for info in cell.store.files()}
    assert names == {"cell.json", "samples", "damaged"}


def test_a_commit_that_an_outage_stops_can_be_tried_again_under_its_name(
    uri: str, server: Door
) -> None:
    cell = make_cell(Store.open(uri))
    batch = to_batch([sample("a", 0)], "run")
    name = shard_name()
    server.shut()
    try:
        with pytest.raises(OSError, match="NETWORK_CONNECTION"):
            cell.commit([batch], name)
    finally:
        server.reopen()
    for _ in range(2):
        cell.commit([batch], name)
    assert cell.ranks() == {"a": {0}}
    assert len(cell.shards()) == 1


@pytest.mark.parametrize("open_store", [Store.open, Store.look])
def test_a_bucket_that_does_not_exist_is_one_sentence(server: Door, open_store: object) -> None:
    began = time.monotonic()
    with pytest.raises(UserError, match=r"there is no such bucket .*; make it, or set `store`"):
        open_store("s3://nowhere/store")  # type: ignore[operator]
    assert time.monotonic() - began < filesystem.PATIENCE_S


def test_credentials_that_are_missing_or_wrong_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with s3_server(tmp_path / "log.txt", signed=True):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "wrong")
        for open_store in (Store.open, Store.look):
            with pytest.raises(UserError, match="credentials are missing or not accepted"):
                open_store(f"s3://{BUCKET}/store")
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        with pytest.raises(UserError, match="credentials are missing or not accepted"):
            Store.look(f"s3://{BUCKET}/store")
