"""A whole look: at this machine, and at a cluster of two raylets with a real all-reduce."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.config.values import Study
from distlab.doctor.__main__ import main
from distlab.doctor.examine import examine
from distlab.engines.node_report import try_folder


def study(*overrides: str) -> Study:
    return validate(compose_config(list(overrides)))


def test_this_machine_is_looked_at_without_ray_and_left_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status = main(["--json", "store=store"])
    found = json.loads(capsys.readouterr().out)
    assert status == any(each["level"] == "fail" for each in found)
    assert {each["check"] for each in found} >= {"checkpoint", "Ray", "vLLM", "limits", "store"}
    assert all(each["remedy"] or each["level"] == "ok" for each in found)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "mark").touch()
    tried = try_folder(tmp_path, "mark")
    assert (tried.error, tried.sees_mark) == ("", True)
    assert min(tried.write_s, tried.read_s, tried.free) > 0
    assert "No such file" in try_folder(tmp_path / "none", "mark").error


def said_as_json(capsys: pytest.CaptureFixture[str], *overrides: str) -> dict[str, str]:
    """What fails, by its check."""
    assert main(["--json", *overrides]) == 1
    found = json.loads(capsys.readouterr().out)
    return {each["check"]: each["said"] for each in found if each["level"] == "fail"}


@pytest.mark.parametrize(
    ("store", "said"), [("file", "is a file"), ("file/in/it", "is a file"), ("s3:/x", "lacks a")]
)
def test_a_store_that_cannot_be_is_no_ok(
    store: str,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert said in said_as_json(capsys, f"store={store}")["store"]


def test_a_model_cache_is_where_its_variable_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "file"))
    assert "is a file" in said_as_json(capsys, f"store={tmp_path}")["model cache"]


def test_a_checkpoint_without_config_or_weights_fails_and_json_stays_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = ("model=pair", f"model.base.id={tmp_path}", f"model.instruct.id={tmp_path}")
    assert "has no config.json" in said_as_json(capsys, *pair, f"store={tmp_path}")["study"]
    (tmp_path / "config.json").write_text("{}")
    whole = study(f"store={tmp_path}")
    spec = CheckpointSpec(str(tmp_path), "local")
    stages = tuple(replace(stage, checkpoint=spec) for stage in whole.family.stages)
    bare = replace(whole, family=replace(whole.family, stages=stages))
    (failed,) = [each for each in examine(bare) if each.check == "checkpoint"]
    assert (failed.level, "no weights" in failed.said) == ("fail", True)


def test_no_cluster_is_a_finding(tmp_path: Path) -> None:
    import ray

    if ray.is_initialized():
        pytest.skip("this process is in a cluster already")
    found = list(examine(study("cluster=ray", "cluster.address=127.0.0.1:1", f"store={tmp_path}")))
    (failed,) = [each for each in found if each.check == "cluster"]
    assert "no Ray cluster answers" in failed.said


@pytest.mark.ray
def test_two_nodes_meet_in_an_all_reduce_and_a_wrong_interface_does_not(
    ray_up: Cluster, tmp_path: Path
) -> None:
    node = ray_up.add_node(num_cpus=1, object_store_memory=100 << 20, wait=True)
    on_cpus = ("cluster=ray", "cluster.device=cpu", "cluster.kv_cache_gib=1", f"store={tmp_path}")
    try:
        found = {each.check: each for each in examine(study(*on_cpus, "cluster.min_nodes=2"))}
        assert found["nodes"].level == found["interfaces"].level == "ok"
        assert found["links (gloo)"].level in ("ok", "warn"), found["links (gloo)"].said
        assert "2 ranks: " in found["links (gloo)"].said
        assert found["store"].level in ("ok", "warn")
        wrong = "cluster.env={GLOO_SOCKET_IFNAME: none0}"
        found = {
            each.check: each for each in examine(study(*on_cpus, wrong, "cluster.min_nodes=9"))
        }
        assert found["nodes"].level == found["links (gloo)"].level == "fail"
        assert "2 of cluster.min_nodes=9" in found["nodes"].said
    finally:
        ray_up.remove_node(node, allow_graceful=True)
    assert not any(file.name.startswith(".doctor") for file in tmp_path.iterdir())
    assert "GLOO_SOCKET_IFNAME" not in os.environ


def test_overrides_of_several_jobs_are_refused_with_those_of_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["+experiment=paper"]) == 2
    said = capsys.readouterr().err
    assert re.search(r"stand for 8 jobs, and doctor looks at one: give it model=\S+\n$", said)
