"""RayJob manifests as the command prints them, against the schemas of RayJob and of Kubernetes."""

import copy
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import ValidationError, validate
from kubernetes_validate import ValidationError as PodError
from kubernetes_validate import validate as validate_pod

from distlab.config.compose import compose_config
from distlab.jobs.__main__ import main
from distlab.jobs.overrides import anchored
from distlab.versions import pinned_versions

SCHEMA = json.loads((Path(__file__).parent / "rayjob.schema.json").read_text())
CLAIMS = ("kuberay", "--image", "images/distlab:1", "--models", "models", "--results", "results")
KIMI = ("model=kimi-k2", "model.trust_remote_code=true")


def rendered(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main([*CLAIMS, *arguments]) == 0
    made: dict[str, Any] = yaml.safe_load(capsys.readouterr().out)
    return made


def check(manifest: dict[str, Any]) -> None:
    validate(manifest, SCHEMA)
    cluster = manifest["spec"]["rayClusterSpec"]
    for group in [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, **group["template"]}
        validate_pod(pod, "1.31", strict=True)


@pytest.mark.parametrize(
    ("overrides", "pods", "engines"),
    [
        (
            (*KIMI, "cluster=h100-2x8"),
            2,
            "1 of TP 8 x PP 2 x EP x DCP 8, each over nodes with 8 + 8 ranks",
        ),
        # Four nodes hold two engines; three hold one, and the third is not asked for.
        (
            (*KIMI, "cluster=h100-4x8"),
            4,
            "2 of TP 8 x PP 2 x EP x DCP 8, each over nodes with 8 + 8 ranks",
        ),
        (
            (*KIMI, "cluster=h100-4x8", "cluster.nodes.0.count=3", "cluster.pipeline_parallel=2"),
            2,
            "1 of TP 8 x PP 2 x EP",
        ),
        # Two checkpoints, an engine of each.
        (("model=qwen3-8b", "cluster=h100-2x8", "cluster.replicas=1"), 1, "2 of TP 1, 2 per node"),
        (("model=qwen3-8b", "cluster=h100-2x8"), 2, "16 of TP 1, 8 per node"),
    ],
)
def test_pods_are_the_nodes_that_engines_go_to(
    overrides: tuple[str, ...], pods: int, engines: str, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = rendered(capsys, *overrides)
    check(manifest)
    (workers,) = manifest["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    assert workers["replicas"] == pods
    assert manifest["metadata"]["annotations"]["distlab/engines"].startswith(engines)
    assert f"cluster.min_nodes={pods + 1}" in manifest["spec"]["entrypoint"]


def test_engines_fit_what_a_pod_has_of_its_node(capsys: pytest.CaptureFixture[str]) -> None:
    node = "cluster.nodes=[{count: 1, cpus: 32, memory_gib: 900, gpus: 8, gpu_type: H100}]"
    made = rendered(capsys, "model=qwen3-8b", "cluster=h100-1x8", node)
    # Eight engines of 4 cores fit the node, and seven the 28 cores that a pod has of it.
    assert made["metadata"]["annotations"]["distlab/engines"] == "7 of TP 1, 7 per node"
    whole = (*CLAIMS, "model=llama3-70b", "cluster=h100-1x8", node, "cluster.tensor_parallel=8")
    assert main([*whole]) == 2
    assert "28 cores in all: lower cluster.cpus_per_rank" in capsys.readouterr().err


def test_pods_reach_the_fabric_of_their_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--host-network", "--resource", "rdma/hca=8", "--env", "NCCL_IB_HCA=mlx5")
    taints = ("--toleration", "dedicated=llm:NoSchedule", "--toleration", "spot")
    manifest = rendered(capsys, *options, *taints, *KIMI, "cluster=h100-2x8")
    check(manifest)
    cluster = manifest["spec"]["rayClusterSpec"]
    pod = cluster["workerGroupSpecs"][0]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["resources"]["requests"]["rdma/hca"] == "8"
    assert container["securityContext"] == {"capabilities": {"add": ["IPC_LOCK"]}}
    assert {"name": "NCCL_IB_HCA", "value": "mlx5"} in container["env"]
    assert pod["tolerations"][1:] == [
        {"key": "dedicated", "operator": "Equal", "value": "llm", "effect": "NoSchedule"},
        {"key": "spot", "operator": "Exists"},
    ]
    head = cluster["headGroupSpec"]["template"]["spec"]
    assert pod["hostNetwork"] is head["hostNetwork"] is True
    assert "rdma/hca" not in head["containers"][0]["resources"]["limits"]


def test_a_pod_has_gpus_shared_memory_and_the_claims(capsys: pytest.CaptureFixture[str]) -> None:
    manifest = rendered(capsys, "--secret", "hub", *KIMI, "cluster=h100-2x8")
    (workers,) = manifest["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    pod = workers["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "8"
    assert container["envFrom"] == [{"secretRef": {"name": "hub"}}]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {"shm": "/dev/shm", "models": "/models", "results": "/results"}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert volumes["shm"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "540Gi"}
    assert volumes["models"]["persistentVolumeClaim"] == {"claimName": "models"}


def test_the_entrypoint_is_the_study_with_results_on_the_claim(
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed = ("model=qwen3-8b", "cluster=h100-1x8", "decoding.n=3", "store=s3://bucket/it's")
    manifest = rendered(capsys, *typed[:3], "store='s3://bucket/it\\'s'")
    command = shlex.split(manifest["spec"]["entrypoint"])
    assert command[:3] == ["python", "-m", "distlab.jobs.entry"]
    config = compose_config(command[3:])
    assert (config.store, config.runs) == ("s3://bucket/it's", "/results/runs")
    assert (config.cluster.address, config.decoding.n) == ("auto", 3)
    environment = yaml.safe_load(manifest["spec"]["runtimeEnvYAML"])["env_vars"]
    assert json.loads(environment["DISTLAB_PINS"]) == pinned_versions()


def test_the_schemas_refuse_what_is_misspelt(capsys: pytest.CaptureFixture[str]) -> None:
    manifest = rendered(capsys, "model=qwen3-8b", "cluster=h100-1x8")
    broken = copy.deepcopy(manifest)
    broken["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["numHosts"] = 1
    with pytest.raises(ValidationError, match="numHosts"):
        check(broken)
    broken = copy.deepcopy(manifest)
    broken["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["volume"] = []
    with pytest.raises(PodError):
        check(broken)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("model=qwen3-8b",), "`cluster.nodes` is empty"),
        (
            ("model=qwen3-8b", "cluster=h100-1x8", "store=/data"),
            "`store` is /data: pods have /models and /results alone",
        ),
        (
            (
                *("model=qwen3-8b", "cluster=h100-1x8", "cluster.gpu_type=null"),
                "cluster.nodes.0.gpu_type=B300",
            ),
            "GPUs of type B300: give their label with --selector",
        ),
        (("model=qwen3-8b,qwen3-14b", "cluster=h100-1x8"), "stand for 2 jobs and a manifest is"),
        (("--selector", "pool", "model=qwen3-8b", "cluster=h100-1x8"), "give KEY=VALUE"),
        (("--resource", "rdma/hca=many"), "--resource rdma/hca=many: give NAME=COUNT"),
        (("--resource", "rdma/hca=0"), "--resource rdma/hca=0: give NAME=COUNT"),
        (("--resource", "cpu=4"), "set `cluster.nodes` instead"),
        (("--env", "NCCL-IB=1"), "--env NCCL-IB=1: give NAME=VALUE"),
        (("--env", "A=1", "--env", "A=2"), "--env A is given twice"),
        (("--toleration", "a:Never"), "--toleration a:Never: give KEY[=VALUE][:EFFECT]"),
        (("--toleration", "=x"), "--toleration =x: give KEY[=VALUE][:EFFECT]"),
        (("--retries=-1",), "--retries -1: give 0 or more"),
        (("model=qwen3-8", "cluster=h100-1x8"), "did you mean qwen3-8b"),
        (("model=kimi-k2", "cluster=h100-1x8", "model.trust_remote_code=true"), "kimi-k2"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*CLAIMS, *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (complaint,) = said.err.splitlines()
    assert complaint.startswith("distlab: ")
    assert sentence in complaint


def test_checkpoints_on_the_mounted_claims_are_taken_as_they_are() -> None:
    folders = ["model.base.id=/models/base", "model.instruct.id=/results/sft"]
    overrides = ["model=pair", *folders]
    config = compose_config(overrides)
    there = anchored(overrides, config, Path("/results"), mounts=("/models",))
    assert [o for o in there if o.startswith("model.base.id=")][
        -1
    ] == "model.base.id='/models/base'"
    assert set(folders) <= set(there)
