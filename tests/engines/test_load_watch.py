"""A load that gets on is waited for, whatever it takes; one that does not is hung."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from distlab.engines.fleet import Running
from distlab.engines.load_watch import Activity, HungLoad, LoadWatch, activity_here

MIB = 1 << 20


def watch(*, spans: bool = False) -> LoadWatch:
    running = cast(Running, SimpleNamespace(placement=SimpleNamespace(spans=spans)))
    return LoadWatch(running, limit_s=60, marked=0.0, looked=0.0)


@pytest.mark.parametrize("kind", ["moved", "touched", "on_gpus"])
def test_whatever_grows_is_progress(kind: str) -> None:
    loading = watch()
    for minute in range(1, 100):
        loading.note(Activity(**{kind: 20 * MIB * minute}), now=55.0 * minute)
    # A little is what processes do that wait.
    last = 20 * MIB * 99
    loading.note(Activity(**{kind: last + MIB}), now=55.0 * 99 + 59)
    with pytest.raises(HungLoad, match=r"has not got on for 60 s \(cluster\.load_hang_s\)"):
        loading.note(Activity(**{kind: last + 2 * MIB}), now=55.0 * 99 + 60)


def test_it_is_said_what_is_waited_for() -> None:
    with pytest.raises(HungLoad, match="no rank has weights, so they wait for each other"):
        watch(spans=True).note(Activity(), now=61)
    with pytest.raises(HungLoad, match=r"GPUs hold 30\.0 GiB; it waits for its disk or for a rank"):
        loading = watch(spans=True)
        loading.note(Activity(on_gpus=30 << 30), now=1)
        loading.note(Activity(on_gpus=30 << 30), now=62)


def test_reading_counts_through_files_and_through_maps(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(os.urandom(MIB) * 32)
    before = activity_here(os.getpid(), None)
    file.read_bytes()
    read = activity_here(os.getpid(), None)
    assert read.moved - before.moved >= 32 * MIB
    assert read.differs(before)
    # Another one's process, and one that is no more.
    assert activity_here(None, None).moved == 0
    assert activity_here(2**22 - 1, None).moved == 0
