"""Runs that meet damaged shards, as a user sees them; real Ray, scripted engines."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.sweep.place import SMALL, Place

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(900)]


def damage(place: Place, column: str) -> Path:
    """Change one bit in a column of the store's first shard."""
    shard = min((place.path / "store").rglob("samples-*.parquet"))
    group = pq.read_metadata(shard).row_group(0)
    chunks = (group.column(number) for number in range(group.num_columns))
    (chunk,) = (chunk for chunk in chunks if chunk.path_in_schema == column)
    data = bytearray(shard.read_bytes())
    data[chunk.data_page_offset + chunk.total_compressed_size // 2] ^= 1
    shard.write_bytes(data)
    return shard


def test_a_run_sets_damaged_shards_aside_and_draws_their_samples_anew(place: Place) -> None:
    place.run(*SMALL)
    before = place.keys()
    assert set(before.values()) == {1}
    # What is looked up first; and what is read at the end where no verdicts are kept, in a sweep.
    for column, study in (("problem_id", SMALL), ("text", ("-m", *SMALL, "prompt=few-shot"))):
        shard = damage(place, column)
        shutil.rmtree(place.path / "store" / "verdict-cache")
        said = place.run(*study)
        assert (
            f"warning: the shard {shard} is damaged: the checksum of its column `{column}`" in said
        )
        aside = shard.with_name(shard.name.replace("samples-", "damaged-"))
        assert aside.exists()
        assert not shard.exists()
        record = json.loads(aside.with_suffix(".json").read_text())
        assert record["by"] == place.last_run().name
        assert place.keys() == before
        (run,) = (file.parent for file in place.last_run().rglob("manifest.json"))
        manifest = json.loads((run / "manifest.json").read_text())
        assert [note for note in manifest["notes"] if f"the shard {shard} is damaged" in note]
        assert "is set aside as" in (run / "report.md").read_text()
