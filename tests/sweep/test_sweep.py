"""Sweeps end to end, as a user runs them, with scripted engines: real Ray, real store, no model."""

import json
import os
import re
import shutil
import signal
import time

import pytest

from distlab.sweep.record import JobState, SweepRecord, read_record
from tests.sweep.place import SMALL, Place

SWEEP = ("-m", *SMALL, "prompt=zero-shot,qa")
# 2 jobs x 2 arms x 2 problems x 2 samples.
TOTAL = 16

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(900)]


def record(place: Place) -> SweepRecord:
    return read_record(place.last_run())


def states(place: Place) -> list[JobState]:
    return [job.state for job in record(place).jobs]


def test_each_checkpoints_engines_start_once_a_sweep_and_not_at_all_the_second_time(
    place: Place,
) -> None:
    output = place.run(*SWEEP)
    # base and instruct do not fit side by side: two jobs alone would have started four.
    assert place.starts() == 2
    assert f"{TOTAL} samples drawn, 2 engine starts" in output
    swept = record(place)
    assert (swept.engine_starts, swept.samples, swept.status) == (2, TOTAL, 0)
    assert [job.state for job in swept.jobs] == [JobState.DONE] * 2
    assert [job.overrides for job in swept.jobs] == [("prompt=zero-shot",), ("prompt=qa",)]
    assert output.count("gap [95 %]") == 1
    assert (place.last_run() / "report.html").exists()
    shown = place.status(place.last_run())
    assert "0-base+instruct: done  prompt=zero-shot" in shown
    assert re.search(rf"total +{TOTAL} +{TOTAL} +0 +0", shown)
    before = place.keys()
    assert set(before.values()) == {1}
    again = place.run(*SWEEP)
    assert f"0 samples to draw, {TOTAL} in the store" in again
    assert place.starts() == 2
    assert place.keys() == before


def test_a_job_that_fails_is_recorded_and_the_others_go_on(place: Place) -> None:
    row = {"question": "What is 1 + 1?", "answer": "So.\n#### 2"}
    (place.path / "good.jsonl").write_text(json.dumps(row))
    (place.path / "bad.jsonl").write_text("no JSON\n")
    files = "dataset.path=bad.jsonl,good.jsonl,absent.jsonl"
    output = place.run("-m", *SMALL, "dataset=gsm8k", "prompt=zero-shot", files, status=2)
    assert states(place) == [JobState.FAILED, JobState.DONE, JobState.FAILED]
    bad, _, absent = record(place).jobs
    assert "bad.jsonl line 1 is not valid JSON" in bad.errors[0]
    assert "absent.jsonl does not exist" in absent.errors[0]
    assert "job 0 failed: " in output
    assert "job 2 failed: " in output
    assert "Traceback" not in output
    assert sum(place.keys().values()) == 4


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (("prompt=zero-shot,zero-shoot",), "`prompt` has no option 'zero-shoot'; did you mean"),
        (("decoding.n=2,0",), "job 1 (decoding.n=0): `decoding.n` is 0: set it to 1 or more"),
        (("hydra.sweep.subdir=x", "seed=1,2"), "jobs 0 and 1 would both write to"),
    ],
)
def test_a_sweep_over_a_wrong_value_is_refused_before_the_first_job(
    place: Place, overrides: tuple[str, ...], sentence: str
) -> None:
    output = place.run("-m", *overrides, status=2)
    (complaint,) = [line for line in output.splitlines() if line.startswith("distlab: ")]
    assert sentence in complaint
    assert not list((place.path / "runs").rglob("manifest.json"))
    assert not (place.path / "store").exists()


def test_a_sigterm_commits_what_is_finished_and_the_same_sweep_goes_on(place: Place) -> None:
    (place.path / "script" / "delay").write_text("1.0")
    process = place.start(*SWEEP, "dataset.limit=8", "cluster.max_num_seqs=2")
    place.await_start(process)
    time.sleep(3)  # in the middle; nothing below depends on how far it came
    # To the whole group, as `timeout` does: Ray's processes must outlive it. Ctrl-C: test_run.
    os.killpg(process.pid, signal.SIGTERM)
    output = place.finish(process, status=143)
    assert "Resume with:\n  python -m distlab.run -m" in output
    assert states(place)[0] is JobState.STOPPED
    kept = place.keys()
    (place.path / "script" / "delay").unlink()
    output = place.run(*SWEEP, "dataset.limit=8", "cluster.max_num_seqs=2")
    assert states(place) == [JobState.DONE] * 2
    after = place.keys()
    assert not kept - after
    assert set(after.values()) == {1}
    assert sum(after.values()) == 4 * TOTAL


def test_jobs_run_side_by_side_over_ray(place: Place) -> None:
    no_tokenizer = shutil.ignore_patterns("tokenizer*", "chat_template*")
    shutil.copytree(place.path / "other", place.path / "nowhere", ignore=no_tokenizer)
    output = place.run(
        *("-m", "hydra/launcher=ray", *SMALL, "decoding.base=[]"),
        *("model.instruct.id=instruct,other,nowhere", "cluster.cpus_per_rank=0.5"),
        status=2,
    )
    assert states(place) == [JobState.DONE, JobState.DONE, JobState.FAILED]
    assert place.starts() == 2
    assert "8 samples drawn, 2 engine starts" in output
    assert "[jobs-1] job 1 · model.instruct.id=other" in output
    assert sum(place.keys().values()) == 8
