"""The store on a real S3 server; see tests/s3.py."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from distlab.engines.node_report import try_bucket
from distlab.errors import UserError
from distlab.store import claims, conditional, filesystem
from distlab.store.asks import Ask, read_asks, write_ask
from distlab.store.batches import to_batch
from distlab.store.claims import ClaimLost, claiming, claims_on
from distlab.store.committer import Committer
from distlab.store.repair import repair
from distlab.store.store import Store, shard_name
from tests.s3 import BUCKET, Door, s3_server
from tests.store.cells import FIELDS, fill, make_cell, sample
from tests.store.test_claims import Clock


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


@pytest.fixture(params=["disk", "object store"])
def place(request: pytest.FixtureRequest, server: Door, tmp_path: Path) -> str:
    return str(tmp_path) if request.param == "disk" else f"s3://{BUCKET}/{tmp_path.name}"


def test_a_driver_that_stood_still_for_ten_minutes_keeps_nothing_of_what_another_took_over(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on another machine, and so slow that it is for the test to let it beat.
    monkeypatch.setattr(claims.lifeline, "is_alive", lambda _: None)
    monkeypatch.setattr(claims, "BEAT_S", 1e6)
    store = Store.open(place)
    cell = make_cell(store)
    clock = Clock(monkeypatch)
    with claiming(store, "paused") as paused, claiming(store, "other") as other:
        assert paused.take(cell) is None
        paused.check(cell.name)
        assert str(other.take(cell)).startswith("run paused (")
        monkeypatch.setattr(claims, "BEAT_S", 10.0)
        assert clock.look(other._witness, paused.driver.id, 600) is None
        assert other.take(cell) is None
        # It wakes: it signs on again, finds its claim gone, and commits nothing.
        monkeypatch.setattr(paused, "_beaten", 1.0)
        paused._beat()
        assert paused.is_lost(cell.name)
        committer = Committer({cell.name: cell}, paused.check)
        committer.add(cell.name, to_batch([sample("a", 0)], "paused"))
        committer.close()
        with pytest.raises(ClaimLost):
            asyncio.run(committer.run())
        paused.release(cell)
        other.check(cell.name)
        assert str(paused.take(cell)).startswith("run other (")
    assert cell.shards() == ()
    assert not any(driver for driver, _ in claims_on(cell))


def test_of_many_that_claim_an_object_at_once_exactly_one_has_it(
    server: Door, tmp_path: Path
) -> None:
    store = Store.open(f"s3://{BUCKET}/{tmp_path.name}")
    cell = make_cell(store)
    with ExitStack() as stack:
        drivers = [stack.enter_context(claiming(store, f"run-{i}")) for i in range(5)]
        for _ in range(2):
            with ThreadPoolExecutor(len(drivers)) as pool:
                said = list(pool.map(lambda driver: driver.take(cell), drivers))
            (winner,) = (i for i, holder in enumerate(said) if holder is None)
            assert {str(h).split()[1] for h in said if h is not None} == {f"run-{winner}"}
            drivers[winner].release(cell)


def test_where_a_store_heeds_no_condition_claims_are_as_on_a_disk(
    server: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put = conditional.obstore.put
    monkeypatch.setattr(
        conditional.obstore, "put", lambda store, path, data, mode: put(store, path, data)
    )
    store = Store.open(f"s3://{BUCKET}/{tmp_path.name}")
    cell = make_cell(store)
    with claiming(store, "first") as first, claiming(store, "second") as second:
        assert first.take(cell) is None
        assert str(second.take(cell)).startswith("run first (")
        assert [path.rpartition("/")[2] for _, path in claims_on(cell)] == [
            f".claim-{first.driver.id}.json"
        ]
    assert "it takes writes whatever their condition" in caplog.text


def test_drivers_with_and_without_conditions_never_hold_a_cell_both(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = make_cell(Store.open(uri))
    with claiming(cell.store, "conditional") as ours:
        monkeypatch.setattr(claims, "_conditional", lambda *_: None)
        with claiming(cell.store, "plain") as theirs:
            create, taken = conditional.ConditionalObjects.create, []

            def late(objects: conditional.ConditionalObjects, path: str, data: bytes) -> bool:
                taken.append(theirs.take(cell))
                return create(objects, path, data)

            # The other claims between our look and our write.
            monkeypatch.setattr(conditional.ConditionalObjects, "create", late)
            other = ours.take(cell)
            assert taken == [None]
            assert other is not None
            assert other.id == theirs.driver.id
            assert [driver for driver, _ in claims_on(cell)] == [theirs.driver.id]
            theirs.check(cell.name)
        assert ours.take(cell) is None


def test_the_doctor_writes_into_a_bucket_reads_and_leaves_nothing(uri: str) -> None:
    tried = try_bucket(uri)
    assert not tried.error
    assert min(tried.write_s, tried.read_s) > 0
    assert Store.look(uri).files() == []
    assert try_bucket("s3://nowhere/store").error
