"""Sweeps end to end, as a user runs them, with scripted engines: real Ray, real store, no model."""

import pytest

from distlab.sweep.record import JobState, SweepRecord, read_record
from tests.sweep.place import Place

TWO_CHECKPOINTS = (
    *("model.base.id=base", "model.base.source=local"),
    *("model.instruct.id=instruct", "model.instruct.source=local"),
)
STUDY = (*TWO_CHECKPOINTS, "dataset.limit=2", "decoding.n=2")
SWEEP = ("-m", *STUDY, "prompt=zero-shot,qa", "decoding.max_tokens=8,12")
# 4 jobs x 2 arms x 2 problems x 2 samples.
TOTAL = 32

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("sweep"))
    place.make_checkpoints("base", "instruct")
    return place


def record(place: Place) -> SweepRecord:
    return read_record(place.last_run())


class TestSweep:
    """One sweep through its life; the tests build on each other, in order."""

    def test_each_checkpoints_engines_start_once_and_not_once_a_job(self, place: Place) -> None:
        output = place.run(*SWEEP)
        assert place.starts() == 2
        assert "32 samples drawn, 2 engine starts" in output
        log = (place.last_run() / "log.txt").read_text()
        assert log
        swept = record(place)
        assert [job.state for job in swept.jobs] == [JobState.DONE] * 4
        assert (swept.engine_starts, swept.samples, swept.status) == (2, TOTAL, 0)
        assert swept.jobs[1].overrides == ("prompt=zero-shot", "decoding.max_tokens=12")

    def test_the_same_sweep_again_draws_nothing_and_starts_no_engine(self, place: Place) -> None:
        before = place.keys()
        output = place.run(*SWEEP)
        assert place.starts() == 2
        assert "0 samples to draw, 32 in the store" in output
        assert place.keys() == before
