"""A scored run as others read it."""

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb
import jsonschema
import pyarrow.parquet as pq
import pytest
import yaml
from huggingface_hub import ModelCard

import distlab as dl
from distlab.export import __main__ as command
from distlab.export.forms import FORMS
from distlab.export.tables import _SAMPLE_COLUMNS
from distlab.ingest.__main__ import main as ingest
from distlab.logs.formats import read_log
from distlab.runs.folder import RunFolder
from distlab.runs.labels import read_labels
from tests.api.made import judged
from tests.export.hub import standing_in

BASE = "org-tiny__base__given__sums__given"
SCHEMAS = Path(__file__).with_name("schemas")


def export(run: Path, into: Path, form: str, *words: str) -> Path:
    assert command.main([str(run), "--as", form, "--into", str(into), *words]) == 0
    return into


def said(capsys: pytest.CaptureFixture[str], words: Sequence[object]) -> str:
    assert command.main([str(word) for word in words]) == 2
    return capsys.readouterr().err


def test_the_forms_of_the_command_are_those_there_are() -> None:
    assert tuple(FORMS) == command._FORMS


def test_a_dataset_for_a_hub_holds_all_tables_and_says_what_they_are(
    made: Path, tmp_path: Path
) -> None:
    folder = export(made, tmp_path / "out", "hub")
    run = dl.open(made)
    for name, rows in (("samples", 16), ("verdicts", 32), ("problems", 4), ("scores", 8)):
        assert pq.read_metadata(folder / f"{name}.parquet").num_rows == rows
    texts = pq.read_table(folder / "samples.parquet")["text"].to_pylist()
    assert sorted(texts) == sorted(run.samples(columns=["text"]).to_table()["text"].to_pylist())
    assert '=HYPERLINK("x")' in texts
    _, front, card = (folder / "README.md").read_text().split("---\n", 2)
    configs = yaml.safe_load(front)["configs"]
    assert {each["data_files"] for each in configs} == {f.name for f in folder.glob("*.parquet")}
    assert [each["config_name"] for each in configs if each.get("default")] == ["samples"]
    assert "| samples | text | string | " in card
    assert "keep them out of training data" in card


def test_csv_runs_in_no_spreadsheet(made: Path, tmp_path: Path) -> None:
    folder = export(made, tmp_path / "out", "csv")
    with (folder / "samples.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 16
    assert tuple(rows[0]) == _SAMPLE_COLUMNS
    texts = {row["text"] for row in rows}
    assert '\'=HYPERLINK("x")' in texts
    assert "\\u202e?" in texts
    scores = (folder / "scores.csv").read_text().splitlines()
    assert len(scores) == 9
    assert (folder / "problems.csv").read_text().count("What is") == 4


def test_logs_as_lm_evals_are_read_back_with_equal_scores(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = export(made, tmp_path / "out", "lm-eval")
    scores = {
        (row["cell"].replace("/", "__"), row["grader"]): row["pass_1"]
        for row in dl.open(made).scores().to_pylist()
    }
    for file in folder.rglob("samples_*.jsonl"):
        log = read_log(file, "auto")
        assert log.tool == "lm-eval"
        assert log.model == "org-tiny"
        for score in log.scores:
            grader = score.name.removeprefix("acc,").removeprefix("rules/")
            assert score.mean == score.reported == scores[file.parent.name, grader]
        assert {score.name for score in log.scores} == {"acc,rules/standard", "acc,given:score"}
    (file,) = (folder / BASE).glob("samples_sums_*.jsonl")
    places = ["--runs", str(tmp_path / "runs"), "--store", str(tmp_path / "store")]
    assert ingest([str(file), "--variant", "base", "--keep-scores", *places]) == 0
    assert "acc,rules/standard is 0.5 over 6 verdicts, as the log has it" in capsys.readouterr().out
    (again,) = (tmp_path / "runs").iterdir()
    kept = {labels.judge: labels for labels in map(read_labels, RunFolder(again).label_files())}
    verdicts = dl.open(made).verdicts(cells=["org-tiny/base/given/sums/given"]).to_table()
    for judge, labels in kept.items():
        grader = judge.removeprefix("lm-eval:acc,").removeprefix("rules/")
        told = zip(labels.problem_ids, labels.ranks.tolist(), labels.correct, strict=True)
        assert {(name, rank): bool(right) for name, rank, right in told} == {
            (row["problem_id"], row["rank"]): row["verdict"] == "correct"
            for row in verdicts.to_pylist()
            if row["grader"] == grader
        }
    assert set(kept) == {"lm-eval:acc,rules/standard", "lm-eval:acc,given:score"}
    taken = dl.open(again).samples(columns=["problem_id", "rank", "text"]).to_table().to_pylist()
    given = dl.open(made).samples(
        columns=["problem_id", "rank", "text"], cells=["org-tiny/base/given/sums/given"]
    )
    key = ("problem_id", "rank")
    assert sorted(taken, key=lambda r: [r[k] for k in key]) == sorted(
        given.to_table().to_pylist(), key=lambda r: [r[k] for k in key]
    )


def test_scores_of_one_sample_come_back_as_a_judge(made: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(made, tmp_path / "one"))
    manifest = run / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"n": 2', '"n": 1'))
    folder = export(run, tmp_path / "out", "lm-eval")
    (file,) = (folder / BASE).glob("samples_sums_*.jsonl")
    places = ["--runs", str(tmp_path / "runs"), "--store", str(tmp_path / "store")]
    assert ingest([str(file), "--variant", "base", "--keep-scores", *places]) == 0
    (again,) = (tmp_path / "runs").iterdir()
    labels = [file.name for file in RunFolder(again).label_files()]
    assert len(labels) == 2


def test_evaluations_keep_the_schema_and_are_read_back(made: Path, tmp_path: Path) -> None:
    folder = export(made, tmp_path / "out", "every-eval-ever")
    aggregate = json.loads((SCHEMAS / "eval.schema.json").read_text())
    instance = json.loads((SCHEMAS / "instance_level_eval.schema.json").read_text())
    files = sorted(folder.rglob("*.json"))
    assert len(files) == 4
    for file in files:
        told = json.loads(file.read_text())
        jsonschema.validate(told, aggregate)
        records = (folder / told["detailed_evaluation_results"]["file_path"]).read_text()
        lines = records.splitlines()
        assert len(lines) == told["detailed_evaluation_results"]["total_rows"]
        for line in lines:
            jsonschema.validate(json.loads(line), instance)
        log = read_log(file.with_name(f"{file.stem}_samples.jsonl"), "auto")
        assert [score.mean == score.reported for score in log.scores] == [True, True]
    (base,) = (folder / "data" / "sums" / "org-tiny" / "base").glob("*.json")
    told = json.loads(base.read_text())
    first = told["evaluation_results"][-1]["score_details"]
    assert first["score"] == 0.5
    assert first["uncertainty"]["confidence_interval"]["lower"] < 0.5


def test_model_cards_hold_the_scores_for_the_hub(made: Path, tmp_path: Path) -> None:
    folder = export(made, tmp_path / "out", "model-index")
    assert sorted(path.name for path in folder.iterdir()) == [
        "org-tiny__base",
        "org-tiny__instruct",
    ]
    card = ModelCard.load(folder / "org-tiny__base" / "README.md")
    assert "nan" not in str(card)
    results = {
        (each.dataset_type, each.metric_name.rpartition(", ")[0]): each
        for each in card.data.eval_results
    }
    found = results["sums", "pass@1, base/given, rules/standard"]
    assert (found.metric_value, found.metric_type) == (50.0, "pass@1")
    assert len(results) == 2 * 2 * 3


def test_names_with_slashes_are_folders_of_their_own(made: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(made, tmp_path / "run"))
    manifest = run / "manifest.json"
    family = '"family": "org-tiny"'
    manifest.write_text(manifest.read_text().replace(family, '"family": "../org/tiny"'))
    shutil.rmtree(run / "labels")
    judged(run)
    for form in FORMS:
        export(run, tmp_path / form, form)
    assert len(list((tmp_path / "lm-eval").iterdir())) == 4
    assert len(list((tmp_path / "model-index").iterdir())) == 2
    (developer,) = (tmp_path / "every-eval-ever" / "data" / "sums").iterdir()
    assert len(list(developer.iterdir())) == 2
    assert {path.name for path in tmp_path.iterdir()} == {"run", *FORMS}


def test_what_cannot_be_exported_is_said_and_leaves_nothing(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Path(shutil.copytree(made, tmp_path / "run"))
    shutil.rmtree(run / "verdicts")
    for form in FORMS:
        words = [run, "--as", form, "--into", tmp_path / form]
        assert "has no verdicts: run `python -m distlab.score" in said(capsys, words)
    assert "exists already" in said(capsys, [made, "--as", "csv", "--into", run])
    words = [made, "--as", "csv", "--push", "a/b"]
    assert "--push uploads a dataset: give --as hub" in said(capsys, words)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_dataset_is_pushed_by_the_hubs_client(
    made: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    with standing_in() as hub:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        folder = export(made, tmp_path / "out", "hub", "--push", "org/name")
        assert hub.tokens == {"Bearer hf_test"}
        (created,) = hub.created
        # Later versions of the client say it in other words.
        assert created.get("private") or created.get("visibility") == "private"
        assert created["type"] == "dataset"
        written = {file.name: file.read_bytes() for file in folder.iterdir()}
        assert hub.files == written
        assert f"pushed to {hub.url}/datasets/org/name" in capsys.readouterr().out
        hub.refuses = True
        words = [made, "--as", "hub", "--into", tmp_path / "no", "--push", "org/name"]
        assert "--push org/name failed: 403" in said(capsys, words)
        assert (tmp_path / "no" / "README.md").is_file()
    words = [made, "--as", "hub", "--into", tmp_path / "gone", "--push", "org/name"]
    assert "--push org/name failed: " in said(capsys, words)
    words = [made, "--as", "hub", "--into", tmp_path / "never", "--push", "no name"]
    assert "--push no name is no name: write ORG/NAME" in said(capsys, words)
    assert not (tmp_path / "never").exists()


def test_the_dataset_answers_queries_without_distlab(made: Path, tmp_path: Path) -> None:
    folder = export(made, tmp_path / "out", "hub")
    rows = duckdb.sql(
        f"SELECT arm, count(*) FROM '{folder}/verdicts.parquet' WHERE verdict = 'correct' "
        "AND grader = 'standard' GROUP BY arm ORDER BY arm"
    ).fetchall()
    assert rows == [("base/given", 5), ("instruct/given", 4)]
