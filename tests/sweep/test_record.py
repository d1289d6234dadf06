import io
from pathlib import Path

import pytest
from rich.console import Console

from distlab.errors import UserError
from distlab.sweep.record import (
    JobRecord,
    JobState,
    SweepRecord,
    read_record,
    record_file,
    write_record,
)
from distlab.sweep.sweep_table import SweepRow, lines_of, render_jobs

JOBS = (
    JobRecord(0, "0-fam", ("seed=0",), JobState.DONE),
    JobRecord(1, "1-fam", ("seed=1",), JobState.FAILED, 2, ("lone \ud800 surrogate",)),
    JobRecord(2, "2-fam", ("seed=2",)),
)


def test_a_record_comes_back_and_its_status_is_the_worst_jobs(tmp_path: Path) -> None:
    record = SweepRecord("python -m distlab.run -m seed=0,1,2", JOBS, 2, 40)
    write_record(tmp_path, record)
    assert read_record(tmp_path) == record
    assert record.status == 2


def test_another_folder_and_a_damaged_record_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no sweep\.json"):
        read_record(tmp_path)
    record_file(tmp_path).write_text('{"jobs": [{}]}')
    with pytest.raises(UserError, match="cannot be read"):
        read_record(tmp_path)


def test_the_table_has_a_line_a_job_and_says_why_jobs_failed() -> None:
    assert lines_of(JOBS[1], None) == (SweepRow(JOBS[1]),)
    lines = [
        SweepRow(JOBS[0], "fam gsm8k zero-shot Pass@2", "50.0", "25.0", "−25.0"),
        *(SweepRow(job) for job in JOBS[1:]),
    ]
    out = io.StringIO()
    render_jobs(lines, Console(file=out, width=100))
    text = out.getvalue()
    assert "−25.0" in text
    assert "not run" in text
    assert r"job 1 failed: lone \ud800 surrogate" in text
