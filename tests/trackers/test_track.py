"""Runs that are logged elsewhere, with the real libraries where they are installed."""

import json
import shutil
from pathlib import Path

import pytest

from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.config.values import TrackerKind, TrackerSettings
from distlab.errors import UserError
from distlab.report import build_report, write_report
from distlab.trackers.record import TrackedRun
from distlab.trackers.track import check_tracker, track

GAP = "gap/org-tiny/sums/given/instruct/given minus base/given/rules / standard/Pass@2"
SCORE = "score/org-tiny/base/given/sums/given/rules / standard/pass@1"


@pytest.fixture(scope="module")
def run(made: Path, tmp_path_factory: pytest.TempPathFactory) -> TrackedRun:
    folder = Path(shutil.copytree(made, tmp_path_factory.mktemp("tracked") / "run"))
    tables = build_report(folder)
    return TrackedRun.of(folder, tables, write_report(folder, tables))


def settings(kind: TrackerKind, uri: Path | None = None) -> TrackerSettings:
    return TrackerSettings(kind, "distlab tests", None if uri is None else str(uri))


def test_a_tracker_is_told_scores_and_gaps_with_intervals_and_no_nan(run: TrackedRun) -> None:
    assert run.metrics[SCORE] == 0.5
    assert run.metrics[f"{GAP} low"] <= run.metrics[GAP] <= run.metrics[f"{GAP} high"]
    assert 0 <= run.metrics[f"{GAP} p"] <= 1
    assert all(value == value for value in run.metrics.values())
    assert "grader" in run.config


def test_trackers_are_options_and_none_is_the_default() -> None:
    assert validate(compose_config([])).tracker is None
    study = validate(compose_config(["tracker=mlflow", "tracker.uri=file:/x"]))
    assert study.tracker == TrackerSettings("mlflow", "distlab", "file:/x")
    with pytest.raises(UserError, match=r"`tracker.kind` has no option 'mlflo'.*mlflow"):
        validate(compose_config(["tracker.kind=mlflo"]))
    with pytest.raises(UserError, match=r"`tracker.uri`"):
        validate(compose_config(["tracker=mlflow", "tracker.uri=https://me:secret@host"]))


def test_a_missing_library_is_said_before_anything_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    check_tracker(None)
    with pytest.raises(UserError, match=r"pip install 'distlab\[wandb\]', or set tracker=none"):
        check_tracker(settings("wandb"))


def test_a_tracker_that_fails_is_a_sentence_and_fails_nothing(
    run: TrackedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ConnectionError("no route\nto host")

    monkeypatch.setitem(track.__globals__["KINDS"], "wandb", fail)
    fault = track(run, settings("wandb"))
    assert fault == "wandb did not take the run (no route to host); its folder holds all of it"


def test_tensorboard_has_scalars_and_texts(run: TrackedRun, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert track(run, settings("tensorboard", tmp_path)) is None
    read = EventAccumulator(str(tmp_path / run.name))
    read.Reload()
    assert len(read.Tags()["scalars"]) == len(run.metrics)
    assert [event.value for event in read.Scalars(SCORE)] == [0.5]
    assert len(read.Tags()["tensors"]) == 2


def test_mlflow_has_parameters_metrics_and_the_report(
    run: TrackedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.chdir(tmp_path)  # artifacts go below it
    assert track(run, TrackerSettings("mlflow", "distlab tests", uri)) is None
    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment_by_name("distlab tests")
    (logged,) = client.search_runs([experiment.experiment_id])
    assert logged.data.metrics[SCORE.replace("@", "-")] == 0.5
    assert len(logged.data.metrics) == len(run.metrics)
    assert logged.data.params["grader.deadline_s"]
    assert [file.path for file in client.list_artifacts(logged.info.run_id)] == ["report.html"]


def test_wandb_has_config_summary_and_the_report(
    run: TrackedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    for name in ("WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    assert track(run, settings("wandb")) is None
    (written,) = (run.folder / "wandb").glob("offline-run-*/*.wandb")
    data = written.read_bytes()
    assert b"distlab tests" in data
    assert SCORE.encode() in data


def test_trackio_has_the_metrics(
    run: TrackedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path))
    pytest.importorskip("trackio")
    import sqlite3

    assert track(run, settings("trackio")) is None
    (file,) = tmp_path.rglob("*.db")
    rows = sqlite3.connect(file).execute("SELECT metrics FROM metrics").fetchall()
    assert json.loads(rows[0][0])[SCORE] == 0.5
