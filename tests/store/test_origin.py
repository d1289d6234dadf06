"""What a shard says of what drew it, and which origins may stand in one cell."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from distlab.store.batches import to_batch
from distlab.store.origin import ORIGIN_KEY, Origin, origin_of
from distlab.store.store import Store
from tests.store.cells import fill, make_cell, sample

H100 = Origin("H100", "TP 8", "FLASH_ATTN", "vllm 0.32.0", 1024, 16384)


def test_a_shard_says_what_drew_it_and_reads_as_any_other(tmp_path: Path) -> None:
    cell = make_cell(Store.open(str(tmp_path)))
    cell.commit([to_batch([sample("a", 0), sample("a", 1)], "run")], origin=H100)
    fill(cell, "b", 1)
    assert cell.origins() == {H100: 2, None: 1}
    assert cell.samples(["problem_id", "rank"]).num_rows == 3
    assert cell.ranks() == {"a": {0, 1}, "b": {0}}


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        (H100, True),
        (replace(H100, sequences=64, tokens=2048), True),
        (replace(H100, attention=""), True),
        (replace(H100, attention="FLASHINFER"), False),
        (replace(H100, device="H200"), False),
        (replace(H100, split="TP 4 x PP 2"), False),
    ],
)
def test_device_split_and_kernels_part_origins_and_limits_of_a_batch_do_not(
    other: Origin, alike: bool
) -> None:
    assert H100.draws_as(other) is alike
    assert other.draws_as(H100) is alike


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"device": ["H100"], "split": "TP 1"}',
        b"\xff",
        b'{"split": 1}',
    ],
)
def test_what_is_no_origin_says_nothing(said: bytes) -> None:
    assert origin_of(pa.schema([], metadata={ORIGIN_KEY: said})) is None


def test_what_a_later_version_adds_is_passed_over() -> None:
    said = b'{"device": "H100", "split": "TP 1", "clock_mhz": 1980}'
    assert origin_of(pa.schema([], metadata={ORIGIN_KEY: said})) == Origin("H100", "TP 1")
