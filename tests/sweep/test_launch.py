"""The record of a sweep, on a disk that fills."""

import errno
import io
from pathlib import Path

import pytest
from rich.console import Console

from distlab.console.exits import Statuses
from distlab.sweep import launch


def test_a_disk_that_fills_stops_no_other_job_and_is_told_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = launch._Book([], tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "sweep.json")

    with monkeypatch.context() as patch:
        patch.setattr(launch, "write_record", full)
        book.enter([], 1, 20)
        shown = io.StringIO()
        with pytest.raises(OSError, match="No space left"):
            book.end(Console(file=shown), Statuses())
    assert "20 samples drawn, 1 engine start" in shown.getvalue()
    book.end(Console(file=io.StringIO()), Statuses())
    assert '"samples": 20' in (tmp_path / "sweep.json").read_text()
