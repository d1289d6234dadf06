"""Runs on a store that others use too, or that goes away, with scripted engines."""

import json
import signal
import threading
from pathlib import Path

import pytest

from tests.s3 import BUCKET, s3_server
from tests.sweep.place import SMALL, Place

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(900)]


def test_two_drivers_on_one_store_draw_each_sample_once(place: Place) -> None:
    (place.path / "script" / "load-delay").write_text("3")
    study = (*SMALL, "dataset.limit=8")
    first = place.start(*study, "hydra.run.dir=runs/first")
    place.await_start(first)
    first.send_signal(signal.SIGSTOP)
    second = place.start(*study, "hydra.run.dir=runs/second")
    assert second.stdout is not None
    told = next(line for line in second.stdout if "is being drawn by run first (" in line)
    first.send_signal(signal.SIGCONT)
    place.finish(second)
    place.finish(first)
    assert "its samples will count here too" in told
    keys = place.keys()
    assert set(keys.values()) == {1}
    assert sum(keys.values()) == 32
    for name in ("first", "second"):
        manifest = json.loads((place.path / "runs" / name / "manifest.json").read_text())
        assert manifest["failures"] == []
        verdicts = list((place.path / "runs" / name / "verdicts").glob("*.parquet"))
        assert verdicts


def test_a_store_on_s3_survives_an_outage_of_ten_seconds(place: Place, tmp_path: Path) -> None:
    import pyarrow.fs as pafs

    from distlab.store.store import Store

    (place.path / "script" / "delay").write_text("0.6")
    uri = f"s3://{BUCKET}/store"
    with s3_server(tmp_path / "s3.txt") as door:
        on_s3 = Place(place.path, store=uri)
        process = on_s3.start(*SMALL, "dataset.limit=8", "decoding.n=6", "cluster.max_num_seqs=2")
        on_s3.await_start(process)
        door.shut()
        reopen = threading.Timer(10, door.reopen)
        reopen.start()
        output = on_s3.finish(process)
        reopen.join()
        store = Store.look(uri)
        assert isinstance(store.fs, pafs.S3FileSystem)
        rows = [cell.samples(["problem_id", "rank"]).num_rows for cell in store.cells()]
        assert rows == [8 * 6, 8 * 6]
        assert "report " in output
        verdicts = list((place.last_run() / "verdicts").glob("*.parquet"))
        assert verdicts
