import json
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from distlab.bundle.__main__ import main
from distlab.compare.__main__ import main as compare
from distlab.ingest.__main__ import main as ingest
from distlab.report.__main__ import main as report
from distlab.runs.folder import RunFolder
from distlab.score import main as score
from distlab.status.__main__ import main as status
from distlab.status.read import run_status
from distlab.store.store import Store
from distlab.view.texts import Texts
from tests.compare.conftest import scored_run
from tests.compare.test_compare import cell


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with samples, in a folder of its own."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    Path("given.jsonl").write_text(json.dumps({"id": "a", "gt": "7", "code": ["7", "8"]}) + "\n")
    columns = ("problem_id=id", "samples=code", "gold=gt")
    assert ingest(["given.jsonl", "--variant", "base", "--map", *columns]) == 0
    (folder,) = (home / "runs").iterdir()
    return folder


def samples(folder: RunFolder) -> int:
    manifest = folder.read_manifest()
    store = Store.look(manifest.store)
    assert len(Texts.open(manifest).places) == len(manifest.cells)
    (status,) = run_status([folder])
    assert (status.done, status.missing) == (2, 0)
    return sum(store.cell(cell.path).samples().num_rows for cell in manifest.cells)


def test_run_and_store_that_moved_together_are_read(run: Path, tmp_path: Path) -> None:
    (tmp_path / "home").rename(tmp_path / "elsewhere")
    moved = RunFolder(tmp_path / "elsewhere" / "runs" / run.name)
    assert samples(moved) == 2
    assert moved.read_manifest().store == str(tmp_path / "elsewhere" / "store")


def test_a_store_elsewhere_is_named(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = Path(RunFolder(run).read_manifest().store)
    recorded.rename(tmp_path / "elsewhere")
    place = ["--store", str(tmp_path / "elsewhere")]
    assert RunFolder(run, place[1]).read_manifest().store == place[1]
    assert status([str(run), *place]) == 0
    assert main([str(run), *place]) == 0
    (tmp_path / "other").mkdir()
    capsys.readouterr()
    for command in (status, main, score):
        assert command([str(run), "--store", str(tmp_path / "other")]) == 2
        said = capsys.readouterr().err
        assert f"--store {tmp_path / 'other'} holds no cell of {run}" in said
        assert str(RunFolder(run).read_manifest().cells[0].path) in said
    assert status([place[1], *place]) == 2
    assert "--store is for a run or a sweep" in capsys.readouterr().err


def test_a_bundled_run_is_reported_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    cells = replace(cell("base/t0.6"), path="one"), replace(cell("instruct/t1"), path="two")
    marks = {"a": "11", "b": "10", "c": "00", "d": "0-"}
    store = tmp_path / "store"
    for each in cells:
        (store / each.path).mkdir(parents=True)
        (store / each.path / "card.json").write_text("{}")
    run = scored_run(tmp_path, "run", *((each, marks) for each in cells), store=str(store))
    for out, said in (("absent/x.tar", "does not exist: make it"), ("store", "name a file in it")):
        assert main([str(run), "--out", out]) == 2
        assert said in capsys.readouterr().err
    assert main([str(run), "--out", "run.tar"]) == 0
    with tarfile.open("run.tar") as tar:
        assert min(member.mtime for member in tar) > 1e9
    with tarfile.open("run.tar") as tar:
        tar.extractall(tmp_path / "there", filter="data")
    shutil.rmtree(store)
    shutil.rmtree(run)
    there = tmp_path / "there" / "run"
    assert report([str(there)]) == 0
    assert str(there / "store") in (there / "report.html").read_text(encoding="utf-8")
    assert compare([str(there), str(there), "--arm", "base/t0.6", "--arm", "instruct/t1"]) == 0
    assert compare([str(there), "run.tar"]) == 2
    assert "is an archive: unpack it" in capsys.readouterr().err


def test_another_store_of_the_name_is_not_taken(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "alone" / "runs" / run.name)
    recorded = RunFolder(run).read_manifest().store
    shutil.rmtree(recorded)
    (tmp_path / "alone" / "store" / "other" / "cell").mkdir(parents=True)
    assert RunFolder(tmp_path / "alone" / "runs" / run.name).read_manifest().store == recorded


def test_a_bundle_is_a_run_wherever_it_is_unpacked(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(run)]) == 0
    archive = Path(f"{run.name}.tar").absolute()
    assert str(archive.name) in capsys.readouterr().out
    with tarfile.open(archive) as tar:
        names = tar.getnames()
        tar.extractall(tmp_path / "there", filter="data")
    assert all(name.startswith(f"{run.name}/") and "/." not in name for name in names)
    shutil.rmtree(tmp_path / "home" / "runs")
    shutil.rmtree(tmp_path / "home" / "store")
    unpacked = tmp_path / "there" / run.name
    assert samples(RunFolder(unpacked)) == 2
    # A bundle of a bundle holds the samples once.
    assert main([str(unpacked), "--out", str(tmp_path / "again.tar")]) == 0
    with tarfile.open(tmp_path / "again.tar") as tar:
        assert sorted(tar.getnames()) == sorted(names)


def test_what_exists_or_has_no_samples_is_refused(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("taken.tar").touch()
    assert main([str(run), "--out", "taken.tar"]) == 2
    assert "taken.tar exists already" in capsys.readouterr().err
    shutil.rmtree(RunFolder(run).read_manifest().store)
    assert main([str(run), "--out", "new.tar"]) == 2
    assert "its samples are gone" in capsys.readouterr().err
    assert not Path("new.tar").exists()
