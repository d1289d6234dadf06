"""Logs that the tools themselves wrote (see data/README.md), and rows in the schemas of others."""

import json
import math
import shlex
import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distlab.errors import UserError
from distlab.ingest.__main__ import main
from distlab.ingest.log_scores import KeptScores, kept_scores, said_of_scores
from distlab.logs.formats import read_log
from distlab.logs.log import GOLD, ID, QUESTION, RANK, SAMPLE, TRUNCATED, EvalLog
from distlab.problems import GoldKind, read_problems
from distlab.runs.folder import RunFolder
from distlab.runs.labels import read_labels

DATA = Path(__file__).parent / "data"
GUIDE = (Path(__file__).parents[2] / "docs" / "logs.md").read_text(encoding="utf-8")
GSM = DATA / "lm-eval" / "samples_mini_gsm_2026-11-27T01-28-58.321873.jsonl"
CHOICE = DATA / "lm-eval" / "samples_mini_choice_2026-11-27T01-28-58.429044.jsonl"
ZIPPED = DATA / "inspect" / "mini-gsm.eval"
SCOPE = DATA / "evalscope" / "predictions" / "mock" / "gsm8k_main.jsonl"
LIGHT = DATA / "lighteval" / "details_mini_gsm|0_2026-11-27T07-52-31.010909.parquet"
NEMO = DATA / "nemo" / "mini_gsm" / "results.jsonl"
JSON = DATA / "inspect" / "mini-choice.json"
Ingest = Callable[..., RunFolder]


@pytest.fixture
def ingest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ingest:
    """Ingest logs; returns the run."""

    def run(words: Sequence[object]) -> RunFolder:
        places = ["--runs", str(tmp_path / "runs"), "--store", str(tmp_path / "store")]
        assert main([*map(str, words), *places]) == 0
        printed = capsys.readouterr().out
        line = next(line for line in printed.splitlines() if line.startswith("run "))
        return RunFolder(Path(line.split(maxsplit=1)[1]))

    return run


def labels(run: RunFolder) -> dict[str, list[tuple[str, int, bool]]]:
    """Verdicts by judge."""
    found = {}
    for file in run.labels.iterdir():
        read = read_labels(file)
        rows = zip(read.problem_ids, read.ranks.tolist(), read.correct.tolist(), strict=True)
        found[read.judge] = sorted(rows)
    return found


def test_lm_eval_is_read_with_its_scores_and_settings() -> None:
    log = read_log(GSM, "auto")
    assert (log.tool, log.task, log.model) == ("lm-eval", "mini_gsm", "mock")
    assert [row.fields[ID] for row in log.rows] == list("012345")
    first = next(iter(log.rows)).fields
    assert first[SAMPLE] == "3 + 4 = 7.\n#### 7"
    assert str(first[QUESTION]).startswith("Tom has 3 apples")
    assert str(first[GOLD]).endswith("#### 7")
    assert {score.name: (score.mean, score.reported) for score in log.scores} == {
        "exact_match,strict-match": (2 / 3, 0.6666666666666666),
        "exact_match,flexible-extract": (1.0, 1.0),
    }
    assert log.settings["sampling"]["temperature"] == 0.0
    assert log.settings["fewshot_seed"] == 1234
    assert log.settings["lm_eval_version"] == "0.4.13"
    assert log.settings["doc_to_text"].startswith("Question:")


@pytest.mark.parametrize(
    ("file", "score", "value"), [(ZIPPED, "match", 0.75), (JSON, "choice", 0.5)]
)
def test_inspect_is_read_packed_and_plain(file: Path, score: str, value: float) -> None:
    log = read_log(file, "inspect")
    (only,) = log.scores
    assert (only.name, only.mean, only.reported) == (score, value, value)
    assert log.model == "mockllm/model"
    assert log.settings["versions"] == {"inspect_ai": "0.3.285"}


def test_epochs_of_inspect_are_ranks_and_stop_reasons_are_kept() -> None:
    log = read_log(ZIPPED, "auto")
    found = {(row.fields[ID], row.fields[RANK]): row.fields for row in log.rows}
    assert len(found) == 12
    assert [key for key, fields in found.items() if fields[TRUNCATED]] == [("gsm-5", 1)]
    assert found["gsm-2", 0][SAMPLE] == "$1,250"
    assert log.settings["sampling"] == {"max_tokens": 64, "temperature": 0.5, "seed": 3}
    assert log.settings["epochs"] == 2


def test_the_guides_logs_become_cells_of_one_run_with_the_tools_judges(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(DATA)
    command = next(line for line in GUIDE.splitlines() if line.startswith("    distlab ingest lm"))
    run = ingest(shlex.split(command)[2:])
    manifest = run.read_manifest()
    assert [cell.key for cell in manifest.cells] == [
        "mock/instruct/greedy/mini_gsm/given",
        "mockllm-model/instruct/t0.5/mini_gsm/given",
        "mockllm-model/instruct/given/mini_choice/given",
    ]
    judged = labels(run)
    strict = [verdict for _, _, verdict in judged["lm-eval:exact_match,strict-match"]]
    assert strict == [True, True, False, False, True, True]
    assert sum(verdict for _, _, verdict in judged["inspect:match"]) == 9
    assert [verdict for _, _, verdict in judged["inspect:choice"]] == [True, False]
    logged = [row["log"] for row in manifest.config["ingested"]]
    assert [row["tool"] for row in logged] == ["lm-eval", "inspect", "inspect"]
    assert logged[1]["sampling"]["seed"] == 3
    assert any(
        "is 0.6666666666666666 over 6 verdicts, as the log has it" in n for n in manifest.notes
    )
    choices = read_problems(run.problems("mini_choice"))
    golds = {(problem.gold.kind, problem.gold.text) for problem in choices}
    assert golds == {(GoldKind.CHOICE, "B"), (GoldKind.CHOICE, "A")}


def test_without_keep_scores_there_is_no_judge(ingest: Ingest) -> None:
    run = ingest([JSON, "--variant", "instruct", "--from", "inspect", "--family", "mine"])
    assert not run.labels.exists()
    assert run.read_manifest().cells[0].family == "mine"


def test_evalscope_is_read_with_its_report_and_config() -> None:
    log = read_log(SCOPE, "auto")
    (only,) = log.scores
    assert list(only.values) == [1, 0, 1, 1, 1, 0]
    assert (only.name, only.mean, only.reported) == ("accuracy", 2 / 3, 0.6667)
    assert only.is_reproduced
    assert list(log.rows)[2].fields[GOLD] == "1,250"
    assert log.settings["sampling"]["max_tokens"] == 64
    assert log.settings["seed"] == 42


def test_an_aggregate_that_the_verdicts_do_not_give_is_said(tmp_path: Path) -> None:
    shutil.copytree(DATA / "evalscope", tmp_path / "evalscope")
    report = tmp_path / "evalscope" / "reports" / "mock" / "gsm8k.json"
    report.write_text(report.read_text().replace("0.6667", "0.6666"))
    log = read_log(tmp_path / "evalscope" / SCOPE.relative_to(DATA / "evalscope"), "auto")
    (said,) = said_of_scores(log, {"evalscope:accuracy"})
    assert "is 0.6666666666666666 over 6 verdicts, where the log has 0.6666; judge" in said


def test_a_log_that_holds_credentials_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(DATA / "lm-eval", tmp_path / "lm-eval")
    results = next((tmp_path / "lm-eval").glob("results_*.json"))
    token = "hf_" + "a1B2" * 9
    results.write_text(
        results.read_text().replace('"model_args": null', f'"model_args": "k={token}"')
    )
    said = complaint(capsys, tmp_path / "lm-eval" / GSM.name)
    assert "holds credentials" in said and token not in said


def score(value: object, **more: object) -> dict[str, Any]:
    return {"score": {"value": {"acc": value}}, "sample_id": 0, **more}


def evalscope(folder: Path, values: Sequence[object]) -> Path:
    """Predictions and reviews in the schema of EvalScope 1.14.1: two samples of each problem."""
    for name in ("predictions", "reviews"):
        (folder / name / "qwen").mkdir(parents=True)
    with (
        (folder / "predictions/qwen/gsm8k_main.jsonl").open("w") as predictions,
        (folder / "reviews/qwen/gsm8k_main.jsonl").open("w") as reviews,
    ):
        for index, value in enumerate(values):
            group, rank = divmod(index, 2)
            asked = [{"role": "user", "content": f"What is {group} + 1?"}]
            message = {
                "role": "assistant",
                "content": [{"type": "text", "text": f"It is {index}."}],
            }
            reason = "max_tokens" if index == 1 else "stop"
            output = {"model": "qwen", "choices": [{"message": message, "stop_reason": reason}]}
            row = {"index": index, "model": "qwen", "model_output": output, "messages": asked}
            predictions.write(json.dumps(row) + "\n")
            said = score(value, group_id=group, generation_index=rank)
            row = {"index": index, "target": [str(group + 1)], "sample_score": said}
            reviews.write(json.dumps(row) + "\n")
    return folder / "predictions/qwen/gsm8k_main.jsonl"


def told(log: EvalLog) -> list[tuple[object, ...]]:
    return [tuple(row.fields[name] for name in (ID, RANK, GOLD, SAMPLE)) for row in log.rows]


def test_evalscope_is_read_from_predictions_and_reviews(tmp_path: Path) -> None:
    file = evalscope(tmp_path, [1.0, 0.0, 0.0, 1.0])
    log = read_log(file, "auto")
    assert (log.tool, log.task, log.model) == ("evalscope", "gsm8k_main", "qwen")
    assert told(log)[:2] == [("0", 0, "1", "It is 0."), ("0", 1, "1", "It is 1.")]
    assert [row.fields[TRUNCATED] for row in log.rows] == [False, True, False, False]
    assert log.scores[0].mean == 0.5
    assert told(read_log(tmp_path / "reviews/qwen/gsm8k_main.jsonl", "evalscope")) == told(log)
    (tmp_path / "reviews/qwen/gsm8k_main.jsonl").unlink()
    with pytest.raises(UserError, match=r"reviews/qwen/gsm8k_main\.jsonl does not exist"):
        read_log(file, "auto")


def test_lighteval_is_read_with_its_results(tmp_path: Path) -> None:
    """In the schema of lighteval 0.13.0."""
    details = [
        {
            "doc": {"id": str(n), "query": f"Q{n}?", "choices": [" 7"], "gold_index": [0]},
            "model_response": {"text": [f"It is {n}.", "It is 7."]},
            "metric": {"em": n / 2},
        }
        for n in range(2)
    ]
    folder = tmp_path / "details" / "org" / "m" / "2026-01-02T03-04-05.6"
    folder.mkdir(parents=True)
    file = folder / "details_gsm8k|0_2026-01-02T03-04-05.6.parquet"
    pq.write_table(pa.Table.from_pylist(details), file)
    results = {"config_general": {"model_name": "org/m"}, "results": {"gsm8k|0": {"em": 0.25}}}
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "results_2026-01-02T03-04-05.6.json").write_text(json.dumps(results))
    log = read_log(file, "auto")
    assert (log.tool, log.task, log.model) == ("lighteval", "gsm8k|0", "org/m")
    assert told(log)[0] == ("0", 0, " 7", "It is 0.")
    assert len(list(log.rows)) == 4
    assert (log.scores[0].mean, log.scores[0].reported) == (0.25, 0.25)


def test_lighteval_is_read_as_it_writes() -> None:
    log = read_log(LIGHT, "auto")
    assert (log.tool, log.task, log.model) == ("lighteval", "mini_gsm|0", "mock")
    assert [row.fields[ID] for row in log.rows] == list("312405")
    match, exact = log.scores
    assert (match.name, match.mean, match.reported) == (
        "extractive_match",
        0.8333333333333334,
        0.8333333333333334,
    )
    assert (exact.name, exact.mean, exact.reported) == ("em", 0.0, 0.0)
    assert log.settings["sampling"]["temperature"] == 0


def test_nemo_evaluator_is_read_with_its_bundle(tmp_path: Path) -> None:
    log = read_log(NEMO, "auto")
    assert (log.tool, log.task, log.model, log.n) == ("nemo", "mini_gsm", "mock", 2)
    (reward,) = log.scores
    assert (reward.name, reward.mean, reward.reported) == ("reward", 0.75, 0.75)
    first = next(iter(log.rows)).fields
    assert (first[ID], first[RANK], first[GOLD]) == ("3", 0, "45")
    assert first[QUESTION] == "Half of 90 is how much?"
    alone = tmp_path / "results.jsonl"
    alone.write_bytes(NEMO.read_bytes())
    assert read_log(alone, "nemo").said == ("no bundle (eval-*.json) lies beside results.jsonl",)


def olmo_eval(folder: Path, outputs: Sequence[Sequence[dict[str, Any]]]) -> Path:
    """What its ``write_predictions_jsonl``, ``write_requests_jsonl`` and metrics write."""
    name = "mini_gsm_a1b2c3"
    files = {
        kind: folder / kind / "org_mock" / f"{name}-{kind}.jsonl"
        for kind in ("predictions", "requests")
    }
    for file in files.values():
        file.parent.mkdir(parents=True)
    with files["predictions"].open("w") as predictions, files["requests"].open("w") as requests:
        for number, given in enumerate(outputs):
            ids = {"doc_id": number, "native_id": f"gsm-{number}", "label": str(number)}
            right = max(each["sample_metrics"]["exact_match"]["exact_match"] for each in given)
            scores = {"exact_match": {"exact_match": right}, "accuracy": {"exact_match": right}}
            row = {**ids, "model_output": given, "instance_metrics": scores}
            predictions.write(json.dumps(row) + "\n")
            asked = {
                "context": f"Question: Q{number}?\nAnswer:",
                "stop_sequences": ["Question:"],
                "generation_kwargs": {"max_gen_toks": 64, "do_sample": True, "temperature": 0.6},
            }
            request = {"request_type": "generate_until", "doc": {"query": f"Q{number}?"}}
            row = {**request, "request": asked, "idx": 0, "task_name": "mini_gsm", **ids}
            requests.write(json.dumps(row) + "\n")
    accuracy = {"exact_match": 0.5}
    task = {"task": "mini_gsm", "task_hash": "ffa1b2c3", "metrics": {"accuracy": accuracy}}
    metrics = {"config": {"model": "org/mock"}, "tasks": [{"task": "other"}, task]}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return files["predictions"]


def output(text: str, right: float, **more: object) -> dict[str, Any]:
    return {"text": text, "sample_metrics": {"exact_match": {"exact_match": right}}, **more}


def test_olmo_eval_is_read_with_requests_and_metrics(tmp_path: Path) -> None:
    """In the schema of its source, since it is in no package index."""
    given = [
        [output("0", 1.0, finish_reason="stop"), output("9", 0.0, finish_reason="length")],
        [
            output("8", 0.0, finish_reason="stop", original_text="<think>1?</think>8"),
            output("7", 0.0, finish_reason="stop"),
        ],
    ]
    file = olmo_eval(tmp_path, given)
    log = read_log(file, "auto")
    assert (log.tool, log.task, log.model) == ("olmo-eval", "mini_gsm", "org/mock")
    assert told(log) == [
        ("gsm-0", 0, "0", "0"),
        ("gsm-0", 1, "0", "9"),
        ("gsm-1", 0, "1", "<think>1?</think>8"),
        ("gsm-1", 1, "1", "7"),
    ]
    assert [row.fields[TRUNCATED] for row in log.rows] == [False, True, False, False]
    assert next(iter(log.rows)).fields[QUESTION] == "Q0?"
    assert log.settings["sampling"]["temperature"] == 0.6
    found = {score.name: (list(score.values), score.mean, score.reported) for score in log.scores}
    assert found == {
        "exact_match:exact_match": ([1.0, 0.0], 0.5, None),
        "accuracy:exact_match": ([1.0, 0.0], 0.5, 0.5),
        "exact_match": ([1.0, 0.0, 0.0, 0.0], 0.25, None),
    }
    (tmp_path / "requests/org_mock/mini_gsm_a1b2c3-requests.jsonl").unlink()
    with pytest.raises(UserError, match=r"requests\.jsonl does not exist, and questions stand"):
        read_log(file, "auto")


def test_log_likelihoods_of_olmo_eval_are_refused(tmp_path: Path) -> None:
    file = olmo_eval(tmp_path, [[output(" a", 1.0)]])
    requests = tmp_path / "requests/org_mock/mini_gsm_a1b2c3-requests.jsonl"
    requests.write_text(requests.read_text().replace("generate_until", "loglikelihood"))
    with pytest.raises(UserError, match=r"line 1 holds no completion \(loglikelihood\)"):
        read_log(file, "olmo-eval")


def test_every_eval_ever_is_read_as_its_own_converter_writes_it() -> None:
    log = read_log(DATA / "every-eval-ever" / "mini_gsm_samples.jsonl", "auto")
    assert (log.task, log.model, len(list(log.rows))) == ("mini_gsm/strict-match", "org/mock", 6)
    # Of the other filter the converter gives other texts as the responses.
    (only,) = log.scores
    assert (only.name, only.mean) == ("exact_match:strict-match", 0.6666666666666666)
    assert only.is_reproduced
    assert "exact_match:flexible-extract is of other texts and left out" in log.said[0]
    assert log.settings["sampling"] == {"temperature": 0.0}


def record(name: str, value: float, **more: object) -> dict[str, Any]:
    return {
        "schema_version": "0.3.0",
        "evaluation_id": "e1",
        "model_id": "org/m",
        "evaluation_name": "gsm8k",
        "sample_id": name,
        "interaction_type": "single_turn",
        "input": {"raw": f"Q {name}?", "reference": ["7"]},
        "output": {"raw": ["It is 7."]},
        "evaluation": {"score": value, "is_correct": value == 1},
        "answer_attribution": [],
        **more,
    }


def test_every_eval_ever_is_read_with_its_aggregate(tmp_path: Path) -> None:
    """In the schema of every_eval_ever 0.3.0."""
    file = tmp_path / "e1.jsonl"
    rows = [record("a", 1.0), record("a", 0.0), record("b", 1.0), record("b", 1.0)]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    result = {"evaluation_name": "gsm8k", "score_details": {"score": 0.75}}
    aggregate = {"evaluation_id": "e1", "evaluation_results": [result]}
    (tmp_path / "e1.json").write_text(json.dumps(aggregate))
    log = read_log(file, "auto")
    assert (log.tool, log.task, log.model) == ("every-eval-ever", "gsm8k", "org/m")
    ranked = [(name, rank) for name, rank, _, _ in told(log)]
    assert ranked == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert (log.scores[0].mean, log.scores[0].reported) == (0.75, 0.75)
    talk = record("a", 1.0, interaction_type="multi_turn", output=None)
    file.write_text(json.dumps(talk) + "\n")
    with pytest.raises(UserError, match="line 1 is a conversation"):
        read_log(file, "auto")


def complaint(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main([*map(str, words), "--variant", "base"]) == 2
    return capsys.readouterr().err


def test_what_is_no_log_or_cannot_be_kept_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "holds log likelihoods, and no completions" in complaint(capsys, CHOICE)
    assert "is no log of lighteval; --from lm-eval reads it" in complaint(
        capsys, GSM, "--from", "lighteval"
    )
    other = tmp_path / "other.jsonl"
    other.write_text('{"a": 1}\n')
    assert "name its columns with --map" in complaint(capsys, other)
    assert "--keep-scores is for logs" in complaint(
        capsys, other, "--map", "samples=a", "gold=a", "--keep-scores"
    )
    assert not (tmp_path / "runs").exists()


def kept(file: Path) -> KeptScores:
    log = read_log(file, "auto")
    ids = dict.fromkeys(str(row.fields[ID]) for row in log.rows)
    return kept_scores(log, tuple(ids), log.n)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (0.5, "1 neither right (1) nor wrong (0), the first sample 1 of problem '2', 0.5"),
        # What Inspect calls partly right.
        ("P", "1 neither right (1) nor wrong (0), the first sample 1 of problem '2', 0.5"),
        (None, "1 without a score, the first sample 1 of problem '2'"),
        (math.nan, "1 without a score, the first sample 1 of problem '2'"),
        ({"error": "timeout"}, "1 without a score, the first sample 1 of problem '2'"),
    ],
)
def test_a_judge_leaves_out_what_is_no_verdict_and_says_so(
    ingest: Ingest, tmp_path: Path, value: object, why: str
) -> None:
    values: list[object] = [1.0, 0.0, "C", "I", "N", value, True, False]
    run = ingest([evalscope(tmp_path, values), "--variant", "base", "--keep-scores"])
    (found,) = labels(run).values()
    right = {("0", 0): True, ("0", 1): False, ("1", 0): True, ("1", 1): False, ("2", 0): False}
    right |= {("3", 0): True, ("3", 1): False}
    assert {(name, rank): is_right for name, rank, is_right in found} == right
    said = (
        f"the judge evalscope:acc leaves out 1 of 8 samples ({why}); its scores are of the 3 of 4 "
        "problems that it judges whole, and the mean of its verdicts is 0.4286"
    )
    assert f"qwen/base/given/gsm8k_main/given: {said}" in run.read_manifest().notes


def test_a_score_that_is_no_verdict_is_no_judge_and_no_hindrance(tmp_path: Path) -> None:
    found = kept(evalscope(tmp_path / "f1", [0.25, 0.5, 1.0, 0.75]))
    assert found.verdicts == ()
    assert found.said == (
        "evalscope's acc is no judge, for it would leave out 3 of 4 samples (3 neither right (1) "
        "nor wrong (0), the first sample 0 of problem '0', 0.25)",
    )
    (bare,) = kept(evalscope(tmp_path / "bare", ["?", None])).said
    assert bare == "the log holds no score of its samples to keep"


def test_a_score_of_whole_problems_judges_no_sample(tmp_path: Path) -> None:
    def twice(rows: list[Any]) -> None:
        for row in rows:
            row["resps"] = [row["resps"][0] * 2]

    found = kept(changed(GSM, tmp_path / "samples_t.jsonl", twice))
    assert found.verdicts == ()
    assert "exact_match,strict-match is of problems of 2 samples each" in found.said[0]


def test_lm_eval_may_lack_the_score_of_a_sample(tmp_path: Path) -> None:
    def unscored(rows: list[Any]) -> None:
        rows[0]["exact_match"] = math.nan
        # Of the second filter.
        del rows[7]["exact_match"]

    found = kept(changed(GSM, tmp_path / "samples_t.jsonl", unscored))
    assert [said.partition("; ")[0] for said in found.said] == [
        f"the judge {each.judge} leaves out 1 of 6 samples (1 without a score, the first sample 0 "
        f"of problem '{place}')"
        for place, each in enumerate(found.verdicts)
    ]
    assert len(found.said) == 2


def test_a_scorer_of_inspect_may_give_several_values(tmp_path: Path) -> None:
    whole = json.loads(JSON.read_text())
    for number, sample in enumerate(whole["samples"]):
        sample["scores"] = {"rubric": {"value": {"clear": number == 0, "right": "C"}}}
    whole["results"]["scores"] = [
        {"name": "right", "scorer": "rubric", "metrics": {"mean": {"value": 1}}}
    ]
    file = tmp_path / "several.json"
    file.write_text(json.dumps(whole))
    clear, right = read_log(file, "auto").scores
    assert (clear.name, sum(clear.values)) == ("rubric.clear", 1)
    assert (right.name, right.is_reproduced) == ("rubric.right", True)


def test_what_lies_beside_the_samples_names_them(tmp_path: Path) -> None:
    results = next(GSM.parent.glob("results_*.json"))
    with pytest.raises(UserError, match=r"holds lm-eval's aggregates, .* give the samples_\*"):
        read_log(results, "auto")
    report = SCOPE.parents[2] / "reports" / "mock" / "gsm8k.json"
    with pytest.raises(UserError, match=r"holds evalscope's aggregates, .* file in predictions"):
        read_log(report, "auto")
    with pytest.raises(UserError, match="is a folder; give the files in it"):
        read_log(tmp_path, "auto")


def test_two_logs_of_one_cell_are_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    again = shutil.copy(ZIPPED, tmp_path / "again.eval")
    assert "have the same model, dataset and decoding" in complaint(capsys, ZIPPED, again)
    assert not (tmp_path / "runs").exists()


def changed(source: Path, file: Path, change: Callable[[list[Any]], None]) -> Path:
    """A log in JSON lines, with another content."""
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    change(rows)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.mark.parametrize(
    ("targets", "kind", "accepted"),
    [
        ("['seven', 'Seven apples']", GoldKind.TEXT, ("seven", "Seven apples")),
        (["7", "seven"], GoldKind.TEXT, ("7", "seven")),
        (["1,250", "1250.0"], GoldKind.NUMBER, ("1,250",)),
        ("[0, 1]", GoldKind.LATEX, ("[0, 1]",)),
        ("(B)", GoldKind.CHOICE, ("B",)),
    ],
)
def test_each_of_several_targets_is_right(
    ingest: Ingest, tmp_path: Path, targets: object, kind: GoldKind, accepted: tuple[str, ...]
) -> None:
    def target(rows: list[Any]) -> None:
        for row in rows:
            row["target"] = targets

    run = ingest([changed(GSM, tmp_path / "samples_t.jsonl", target), "--variant", "base"])
    gold = read_problems(run.problems("t"))[0].gold
    assert (gold.kind, gold.text, *gold.items) == (kind, *accepted)


def test_a_response_that_is_null_is_empty(tmp_path: Path) -> None:
    def unanswered(rows: list[Any]) -> None:
        rows[0]["resps"] = [[None]]

    log = read_log(changed(GSM, tmp_path / "samples_t.jsonl", unanswered), "auto")
    samples = [row.fields[SAMPLE] for row in log.rows]
    assert (len(samples), samples[0]) == (6, "")


@pytest.mark.parametrize("name", ["model_id", "evaluation_id"])
def test_records_of_two_models_are_no_draws_of_one(tmp_path: Path, name: str) -> None:
    def two(rows: list[Any]) -> None:
        rows += [{**row, name: "other"} for row in rows]

    source = DATA / "every-eval-ever" / "mini_gsm_samples.jsonl"
    with pytest.raises(UserError, match=f"holds records with `{name}`"):
        read_log(changed(source, tmp_path / "two.jsonl", two), "auto")


def test_samples_that_ended_with_an_error_are_left_out(tmp_path: Path) -> None:
    shutil.copytree(SCOPE.parents[2], tmp_path, dirs_exist_ok=True)

    def failed(rows: list[Any]) -> None:
        rows[0]["model_output"]["choices"] = []

    log = read_log(changed(SCOPE, tmp_path / SCOPE.relative_to(SCOPE.parents[2]), failed), "auto")
    assert log.said == ("1 of 6 samples ended with an error and are missing",)
    assert [row.fields[ID] for row in log.rows] == list("12345")


def test_epochs_go_on_behind_one_that_ended_with_an_error(tmp_path: Path) -> None:
    whole = json.loads(JSON.read_text())
    first = whole["samples"][0]
    again = [{**first, "epoch": epoch} for epoch in (1, 2, 3)]
    again[0] = {**again[0], "output": {**first["output"], "choices": []}}
    file = tmp_path / "epochs.json"
    file.write_text(json.dumps({**whole, "samples": again}))
    log = read_log(file, "auto")
    assert [row.fields[RANK] for row in log.rows] == [0, 1]
    assert sorted(log.scores[0].ranks) == [0, 1]


@pytest.mark.parametrize("kept", [0, 4, 5000, -400])
def test_a_log_of_inspect_that_is_cut_off_is_refused(tmp_path: Path, kept: int) -> None:
    cut = tmp_path / "cut.eval"
    cut.write_bytes(ZIPPED.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"cut\.eval is cut off; copy it again"):
        read_log(cut, "inspect")


def test_a_log_of_inspect_that_did_not_end_is_refused(tmp_path: Path) -> None:
    open_log = tmp_path / "open.eval"
    with zipfile.ZipFile(open_log, "w") as archive:
        archive.writestr("_journal/start.json", "{}")
    with pytest.raises(UserError, match=r"has no header\.json: its run did not end"):
        read_log(open_log, "auto")
    failed = json.loads(JSON.read_text())
    unsampled = tmp_path / "unsampled.json"
    unsampled.write_text(json.dumps({**failed, "samples": None, "status": "cancelled"}))
    with pytest.raises(UserError, match="holds no sample with a completion: status 'cancelled'"):
        read_log(unsampled, "auto")
    failed["samples"][0]["output"]["choices"] = []
    some = tmp_path / "some.json"
    some.write_text(json.dumps(failed))
    log = read_log(some, "auto")
    assert log.said == ("1 of 2 samples ended with an error and are missing",)
    assert len(list(log.rows)) == 1


def test_models_of_other_scripts_keep_names_of_their_own(tmp_path: Path, ingest: Ingest) -> None:
    source = DATA / "every-eval-ever" / "mini_gsm_samples.jsonl"

    def named(model: str) -> Callable[[list[Any]], None]:
        def change(rows: list[Any]) -> None:
            for row in rows:
                row["model_id"] = model

        return change

    names = ("\u5343\u95ee/\u7532", "\u5343\u95ee/\u4e59", "org/m\ud800")
    files = [
        changed(source, tmp_path / f"{place}.jsonl", named(name))
        for place, name in enumerate(names)
    ]
    families = [cell.family for cell in ingest([*files, "--variant=base"]).read_manifest().cells]
    assert len(set(families)) == 3
    assert all(family.isascii() for family in families)
    assert families[2].startswith("org-m-")


def test_a_task_may_have_a_name_that_no_file_can_have(tmp_path: Path, ingest: Ingest) -> None:
    run = ingest([GSM, "--variant=base", "--dataset", "m" * 300])
    assert run.read_manifest().cells[0].dataset == "m" * 300
