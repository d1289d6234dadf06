"""The cache of verdicts: it saves time, says nothing wrong, and never ends a run."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring import cache as module
from distlab.scoring.cache import VerdictCache, cache_key
from distlab.scoring.types import ComponentSpec, Verdict

SPEC = ComponentSpec("exact", "toy_components:Exact")
KINDS = (Verdict.CORRECT, Verdict.INCORRECT, Verdict.TIMEOUT)
KEPT = {cache_key(Gold(GoldKind.NUMBER, str(i)), "1"): KINDS[i % 3] for i in range(30)}


def opened(root: Path, deadline_s: float = 5.0) -> VerdictCache:
    return VerdictCache.open(root, SPEC, "1", deadline_s)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The one file of a cache that holds ``KEPT``."""
    opened(tmp_path).keep(KEPT)
    (file,) = tmp_path.rglob("*.parquet")
    return file


def found(file: Path) -> list[Verdict | None]:
    return opened(file.parents[1]).find(list(KEPT))


def test_what_is_kept_is_found(file: Path) -> None:
    assert found(file) == list(KEPT.values())


def test_errors_are_not_kept(tmp_path: Path) -> None:
    key = next(iter(KEPT))
    cache = opened(tmp_path)
    cache.keep({key: Verdict.ERROR})
    assert cache.find([key]) == [None]
    assert not list(tmp_path.iterdir())


def table(file: Path, **changed: pa.Array) -> pa.Table:
    whole = pq.read_table(file)
    for name, column in changed.items():
        whole = whole.set_column(whole.column_names.index(name), name, column)
    return whole


def strange(file: Path, damage: str) -> None:
    """Put something else in the place of a file."""
    data, rows = file.read_bytes(), len(KEPT)
    match damage:
        case "empty":
            file.write_bytes(b"")
        case "cut":
            file.write_bytes(data[: len(data) // 2])
        case "noise":
            file.write_bytes(b"PAR1" + bytes(range(256)) * 4 + b"PAR1")
        case "folder":
            file.unlink()
            file.mkdir()
        case "text":
            pq.write_table(table(file, verdict=pa.array(["correct"] * rows)), file)
        case "columns":
            pq.write_table(table(file).drop_columns("low"), file)
        case "nulls":
            pq.write_table(table(file, verdict=pa.nulls(rows, pa.int8())), file)
        case "codes":
            codes = pa.array(np.full(rows, 77, np.int8))
            pq.write_table(table(file, verdict=codes).cast(pq.read_schema(file)), file)


DAMAGE = ("empty", "cut", "noise", "folder", "text", "columns", "nulls", "codes")


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_dropped(
    file: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    strange(file, damage)
    cache = opened(file.parents[1])
    assert cache.find(list(KEPT)) == [None] * len(KEPT)
    assert f"{file} is damaged" in caplog.text
    cache.keep(KEPT)
    assert found(file) == list(KEPT.values())


def test_no_flipped_bit_makes_another_verdict(file: Path) -> None:
    data = file.read_bytes()
    for place in range(0, len(data), 3):
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        file.write_bytes(flipped)
        for verdict, kept in zip(found(file), KEPT.values(), strict=True):
            assert verdict in (kept, None), place


def test_damage_among_many_files_is_not_merged(tmp_path: Path) -> None:
    for key, verdict in KEPT.items():
        opened(tmp_path).keep({key: verdict})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MANY_FILES", 2)
        sorted(tmp_path.rglob("*.parquet"))[0].write_bytes(b"")
        opened(tmp_path).merge()
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
    assert sum(verdict is not None for verdict in opened(tmp_path).find(list(KEPT))) == 29


def test_where_nothing_can_be_kept_the_run_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"no folder")
    cache = opened(place)
    cache.merge()
    cache.keep(KEPT)
    assert "cannot be written" in caplog.text
    assert cache.find(list(KEPT)) == list(KEPT.values())


def test_another_format_is_not_looked_at(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FORMAT", module._FORMAT + 1)
    assert found(file) == [None] * len(KEPT)
    assert file.exists()
