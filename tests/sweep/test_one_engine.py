"""A sweep with real engines, in a file of its own: the others need none."""

from pathlib import Path

import pytest

from distlab.sweep.record import JobState, read_record
from tests.sweep.place import Place

pytestmark = [pytest.mark.vllm, pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(900)]


def test_a_real_engine_is_loaded_once_for_four_jobs(tmp_path: Path) -> None:
    place = Place(tmp_path, engine="distlab.engines.vllm_engine:VLLMEngine")
    small = ("dataset.limit=1", "decoding.n=2", "cluster.kv_cache_gib=0.5")
    output = place.run("-m", *small, "prompt=zero-shot,qa", "decoding.max_tokens=4,6")
    assert output.count(" loaded in ") == 1
    swept = read_record(place.last_run())
    assert [job.state for job in swept.jobs] == [JobState.DONE] * 4
    # 4 jobs x 2 arms x 2 problems (one, and its twin) x 2 samples; base and instruct are one
    # checkpoint.
    assert (swept.engine_starts, swept.samples) == (1, 32)
