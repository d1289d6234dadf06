"""A study as a KubeRay RayJob: config and claims in, manifest out. Pure; nothing is submitted."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import yaml

from distlab.config.values import Study
from distlab.engines.splitting import choose
from distlab.errors import UserError
from distlab.jobs.entry import PINS
from distlab.placement.placement import EngineGroup, Node, Placement, fill

# Where the claims are mounted.
MODELS = "/models"
RESULTS = "/results"
# What NVIDIA's feature discovery calls the GPUs of a node, by Ray's accelerator type.
PRODUCTS: Mapping[str, str] = {
    "A100": "NVIDIA-A100-SXM4-40GB",
    "A100-40G": "NVIDIA-A100-SXM4-40GB",
    "A100-80G": "NVIDIA-A100-SXM4-80GB",
    "B200": "NVIDIA-B200",
    "GB200": "NVIDIA-GB200",
    "H20": "NVIDIA-H20",
    "H100": "NVIDIA-H100-80GB-HBM3",
    "H200": "NVIDIA-H200",
}
_PRODUCT = "nvidia.com/gpu.product"
_GPU = "nvidia.com/gpu"
# Share of a node that a pod can have beside the kubelet and daemons (ours).
_SHARE = 0.9
# Share of a pod's memory that /dev/shm may take: Ray's default for its object store.
_SHM_SHARE = 0.3
_HEAD_CPUS, _HEAD_GIB = 4, 16
_TTL_S = 600


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """What the config does not know of the user's Kubernetes.

    Attributes:
        image: Container image with distlab at the versions that are installed here.
        models: Claim of the model cache, shared by all pods.
        results: Claim of what must last: the store, unless it is elsewhere, and run folders.
        secrets: Names of secrets whose keys become environment variables (HF_TOKEN and the like).
        selector: Node labels of the GPU pods; empty for the product label of the GPU type.
        host_network: Pods share their node's network, as RDMA over its own adapters needs.
        resources: Further resources of a GPU pod, such as "rdma/hca" to 8; with any, IPC_LOCK.
        env: Variables of all pods: NCCL_IB_HCA and the like.
        tolerations: Taints of the GPU nodes beside NVIDIA's, as "KEY", "KEY=VALUE" and either with
            ":EFFECT".
        retries: How often a job that failed starts again, on a new cluster.
    """

    image: str
    models: str
    results: str
    secrets: tuple[str, ...] = ()
    selector: Mapping[str, str] | None = None
    host_network: bool = False
    resources: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[str, ...] = ()
    retries: int = 3


def manifest(
    study: Study,
    overrides: Sequence[str],
    name: str,
    kubernetes: Kubernetes,
    pins: Mapping[str, str],
) -> str:
    """The RayJob as YAML.

    Args:
        study: What to run; its cluster describes the nodes.
        overrides: Of ``distlab.run``, fit for a pod.
        name: Of the RayJob.
        kubernetes: Image, claims and labels.
        pins: Package to version that the image must have.

    Raises:
        UserError: The cluster describes no nodes, an engine does not fit them, or nothing is
            known to select nodes of the GPU type by.
    """
    nodes = [_in_pod(node) for node in study.cluster.nodes]
    if not nodes:
        raise UserError(
            "`cluster.nodes` is empty, so the pods have no size: take cluster=h100-2x8 or the like"
        )
    group = choose(study.family, study.cluster, nodes).group
    wanted = study.cluster.replicas and study.cluster.replicas * _checkpoints(study)
    placed, _ = fill(group, nodes, wanted)
    used = {name for placement in placed for name, _ in placement.ranks}
    pods = [node for node in nodes if node.name in used]
    workers = [
        _workers(index, list(alike), kubernetes)
        for index, (_, alike) in enumerate(groupby(pods, key=_size))
    ]
    there = (*overrides, "cluster.address=auto", f"cluster.min_nodes={len(pods) + 1}")
    cluster = {
        "rayVersion": pins["ray"],
        "headGroupSpec": {
            # No engine on the head: its end would be everyone's.
            "rayStartParams": {"num-cpus": "0"},
            "template": _pod("head", _HEAD_CPUS, _HEAD_GIB, kubernetes),
        },
        "workerGroupSpecs": workers,
    }
    job = _job(name, there, pins, kubernetes.retries, cluster, _engines(group, placed))
    return _yaml(job)


def _job(
    name: str,
    overrides: Sequence[str],
    pins: Mapping[str, str],
    retries: int,
    cluster: Mapping[str, Any],
    engines: str,
) -> dict[str, Any]:
    environment = _yaml({"env_vars": {PINS: json.dumps(dict(pins))}})
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": {"name": name, "annotations": {"distlab/engines": engines}},
        "spec": {
            "entrypoint": f"python -m distlab.jobs.entry {shlex.join(overrides)}",
            "runtimeEnvYAML": environment,
            "submissionMode": "K8sJobMode",
            "backoffLimit": retries,
            "shutdownAfterJobFinishes": True,
            "ttlSecondsAfterFinished": _TTL_S,
            "rayClusterSpec": cluster,
        },
    }


def _yaml(value: Mapping[str, Any]) -> str:
    return str(yaml.safe_dump(value, sort_keys=False, width=10**6))


def _engines(group: EngineGroup, placed: Sequence[Placement]) -> str:
    """For people: what goes where."""
    if any(placement.spans for placement in placed):
        spread = " + ".join(str(ranks) for _, ranks in placed[0].ranks)
        return f"{len(placed)} of {group.parallelism}, each over nodes with {spread} ranks"
    nodes = {name for placement in placed for name, _ in placement.ranks}
    return f"{len(placed)} of {group.parallelism}, {len(placed) / len(nodes):g} per node"


def _checkpoints(study: Study) -> int:
    return len({arm.variant for arm in study.arms})


def _size(node: Node) -> tuple[float, int, int, str | None]:
    return node.cpus, node.memory_bytes, node.gpus, node.gpu_type


def _in_pod(node: Node) -> Node:
    """What a pod has of a node: engines must fit that, or the job would wait for ever."""
    memory = int(node.memory_bytes * _SHARE / 2**30) * 2**30
    return replace(node, cpus=int(node.cpus * _SHARE), memory_bytes=memory)


def _workers(index: int, nodes: Sequence[Node], kubernetes: Kubernetes) -> dict[str, Any]:
    node = nodes[0]
    gib = node.memory_bytes // 2**30
    template = _pod("worker", int(node.cpus), gib, kubernetes, node.gpus)
    if node.gpus:
        nvidia = {"key": _GPU, "operator": "Exists", "effect": "NoSchedule"}
        template["spec"] |= {
            "nodeSelector": _selector(node, kubernetes),
            "tolerations": [nvidia, *map(_toleration, kubernetes.tolerations)],
        }
        _add_fabric(template["spec"]["containers"][0], kubernetes)
    count = len(nodes)
    return {
        "groupName": f"workers-{index}",
        "replicas": count,
        "minReplicas": count,
        "maxReplicas": count,
        "rayStartParams": {},
        "template": template,
    }


def _toleration(text: str) -> dict[str, str]:
    """A toleration as typed: KEY, KEY=VALUE, and either with :EFFECT."""
    rest, _, effect = text.partition(":")
    key, equals, value = rest.partition("=")
    said = {"operator": "Equal", "value": value} if equals else {"operator": "Exists"}
    return {"key": key, **said, **({"effect": effect} if effect else {})}


def _add_fabric(container: dict[str, Any], kubernetes: Kubernetes) -> None:
    """Adapters that ranks of several nodes talk over; RDMA pins memory, hence IPC_LOCK."""
    if not kubernetes.resources:
        return
    for sizes in container["resources"].values():
        sizes |= kubernetes.resources
    container["securityContext"] = {"capabilities": {"add": ["IPC_LOCK"]}}


def _selector(node: Node, kubernetes: Kubernetes) -> dict[str, str]:
    if kubernetes.selector:
        return dict(kubernetes.selector)
    if node.gpu_type is None or node.gpu_type not in PRODUCTS:
        raise UserError(
            f"nothing says which nodes have GPUs of type {node.gpu_type}: give their label with "
            "--selector KEY=VALUE"
        )
    return {_PRODUCT: PRODUCTS[node.gpu_type]}


def _pod(name: str, cpus: int, gib: int, kubernetes: Kubernetes, gpus: int = 0) -> dict[str, Any]:
    """A pod template with the shared memory that Ray and vLLM need, and the claims."""
    size = {"cpu": str(cpus), "memory": f"{gib}Gi", **({_GPU: str(gpus)} if gpus else {})}
    mounts = {"shm": "/dev/shm", "models": MODELS, "results": RESULTS}
    container: dict[str, Any] = {
        "name": f"ray-{name}",
        "image": kubernetes.image,
        "env": [
            {"name": "HF_HOME", "value": MODELS},
            *({"name": name, "value": value} for name, value in kubernetes.env.items()),
        ],
        "resources": {"requests": size, "limits": dict(size)},
        "volumeMounts": [{"name": n, "mountPath": path} for n, path in mounts.items()],
    }
    if kubernetes.secrets:
        container["envFrom"] = [{"secretRef": {"name": secret}} for secret in kubernetes.secrets]
    shm = {"medium": "Memory", "sizeLimit": f"{int(gib * _SHM_SHARE)}Gi"}
    volumes = [
        {"name": "shm", "emptyDir": shm},
        {"name": "models", "persistentVolumeClaim": {"claimName": kubernetes.models}},
        {"name": "results", "persistentVolumeClaim": {"claimName": kubernetes.results}},
    ]
    shared = {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}
    network = shared if kubernetes.host_network else {}
    return {"spec": {"containers": [container], "volumes": volumes, **network}}
