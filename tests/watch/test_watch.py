"""A training's folder watched as a user does: real Ray and store, scripted engines."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from distlab.runs.folder import RunFolder
from distlab.watch.__main__ import main
from tests.sweep.place import REPO, SCRIPTED, Place

SMALL = ("dataset.limit=2", "decoding=stochastic", "decoding.n=2", "decoding.max_tokens=8")
WATCH = ("ckpts", "--once", "--config-dir", "own", *SMALL, f"cluster.engine={SCRIPTED}")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Two whole checkpoints, one whose weights are missing, and one that will stay so."""
    place = Place(tmp_path)
    steps = ("step-1", "step-2", "step-10", "step-20")
    place.make_checkpoints(*steps)
    (tmp_path / "ckpts").mkdir()
    (tmp_path / "own").mkdir()
    for name in steps:
        (tmp_path / name).rename(tmp_path / "ckpts" / name)
    for name in ("step-10", "step-20"):
        (tmp_path / "ckpts" / name / "model.safetensors").rename(tmp_path / f"{name}.safetensors")
    return place


def start(place: Place) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "distlab.watch", *WATCH],
        cwd=place.path,
        env={**os.environ, "PYTHONPATH": str(REPO), "DISTLAB_SCRIPT": str(place.path / "script")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_checkpoints_are_evaluated_once_they_are_whole_and_never_again(place: Place) -> None:
    watching = start(place)
    place.await_start(watching)
    # The training goes on.
    (place.path / "step-10.safetensors").rename(
        place.path / "ckpts" / "step-10" / "model.safetensors"
    )
    output = place.finish(watching)
    runs = place.path / "runs" / "watch-ckpts"
    done = sorted(file.parent.name for file in runs.glob("*/manifest.json"))
    assert done == ["step-1", "step-10", "step-2"]
    assert "evaluating ckpts/step-20" not in output
    assert "3 checkpoints · report" in output
    manifest = RunFolder(runs / "step-1").read_manifest()
    assert manifest.own_folders == (place.path / "own",)
    report = (runs / "report.md").read_text()
    assert "## Which stage gives, which takes?" in report
    assert "step-2/t0.05 → step-10/t0.05" in report
    drawn, starts = place.keys(), place.starts()
    assert set(drawn.values()) == {1}
    assert sum(drawn.values()) == 3 * 2 * 2
    assert "evaluating" not in place.finish(start(place))
    assert (place.keys(), place.starts()) == (drawn, starts)


def test_other_settings_are_not_mixed_into_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ckpts").mkdir()
    assert main(["ckpts", "--once", "--every", "0.01", "seed=1"]) == 0
    assert main(["ckpts", "--once", "--every", "0.01", "seed=2"]) == 2
    assert "were made with other settings (see runs/watch-ckpts/watch.txt)" in (
        capsys.readouterr().err
    )
    (tmp_path / "own").mkdir()
    own = ["ckpts", "--once", "--every", "0.01", "--into", "own-runs", "--config-dir", "own"]
    assert main(own) == 0
    assert main([*own[:-1], "ckpts"]) == 2
    assert "other settings (see own-runs/watch.txt)" in capsys.readouterr().err
    assert main([*own[:-1], "nowhere"]) == 2
    assert "the config folder nowhere does not exist" in capsys.readouterr().err
    assert main(["ckpts", "--every", "0"]) == 2
    assert "--every is 0: give seconds above 0" in capsys.readouterr().err
