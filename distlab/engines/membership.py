"""The nodes of a running cluster: that they are all there, and run what the driver runs."""

import os
import socket
import time
from collections.abc import Mapping, Sequence

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from distlab.errors import UserError, summary
from distlab.versions import vllm_version

_POLL_S = 0.5
_ANSWER_S = 120.0
_CONNECT_S = 10.0
# Ray's heartbeats find a node dead in some 15 s.
_NOTICE_S = 30.0


def check_answers(address: str) -> None:
    """Refuse an address at which nothing listens; Ray itself would try for minutes.

    Args:
        address: "HOST:PORT", or "auto" for the cluster that Ray finds on this machine: that of the
            variable RAY_ADDRESS where it is set.

    Raises:
        UserError: Nothing listens there.
    """
    named, instead = f"`cluster.address`={address}", "set it to null to run on this machine"
    if address == "auto":
        address = os.environ.get("RAY_ADDRESS", "")
        named, instead = f"RAY_ADDRESS={address}", "unset the variable"
    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S).close()
    except OSError as error:
        raise UserError(
            f"no Ray cluster answers at {named} ({error.strerror or error}): start one with "
            f"`ray start --head`, or {instead}"
        ) from error


def await_nodes(least: int, timeout_s: float) -> None:
    """Wait until so many nodes have joined; the caller is connected.

    Raises:
        UserError: Fewer are there after ``timeout_s`` seconds.
    """
    deadline = time.monotonic() + timeout_s
    while (there := len(_alive())) < least:
        if time.monotonic() > deadline:
            raise UserError(
                f"the cluster has {there} of `cluster.min_nodes`={least} nodes after "
                f"{timeout_s:g} s: lower it, raise cluster.wait_for_nodes_s, or see why they "
                "did not start"
            )
        time.sleep(_POLL_S)


def check_versions() -> bool:
    """Refuse a cluster with another vLLM than the driver's; Ray itself compares Ray and Python.

    Returns:
        Whether every node that was asked is still there: one that dies is no reason to refuse, but
        another may take its place.

    Raises:
        UserError: A node has another one, or none; the sentence has both.
    """
    ours = vllm_version()
    asked = {node["NodeID"]: node["NodeManagerHostname"] for node in _alive()}
    said = _vllm_by_node(list(asked))
    for node, theirs in said.items():
        # The builds for CPUs and GPUs are the same engine; a driver may sit on a node without GPUs.
        if theirs.split()[-1] != ours.split()[-1]:
            raise UserError(
                f"node {asked[node]} of the cluster has {theirs} and the driver {ours}: install "
                "the same version on both"
            )
    return said.keys() == asked.keys()


def version_mismatch(error: Exception) -> str | None:
    """What Ray says on joining a cluster of another Ray or Python, as a sentence; else None."""
    lines = [line.strip() for line in str(error).splitlines()]
    rays = [line.removeprefix("Ray: ") for line in lines if line.startswith("Ray: ")]
    pythons = [line.removeprefix("Python: ") for line in lines if line.startswith("Python: ")]
    if "Version mismatch" not in str(error) or len(rays) != 2 or len(pythons) != 2:
        return None
    return (
        f"the cluster runs Ray {rays[0]} on Python {pythons[0]} and the driver Ray {rays[1]} on "
        f"Python {pythons[1]}: install the same on both"
    )


def _alive() -> list[dict[str, str]]:
    return [node for node in ray.nodes() if node["Alive"]]


def _vllm_by_node(nodes: Sequence[str]) -> Mapping[str, str]:
    """Ray's id of each node to vLLM's build and version, asked there; without those that died."""
    deadline = time.monotonic() + _ANSWER_S
    asked = {
        node: ray.remote(_vllm_here)
        .options(
            num_cpus=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
        )
        .remote()
        for node in nodes
    }
    said = {node: _answer(node, answer, deadline) for node, answer in asked.items()}
    return {node: theirs for node, theirs in said.items() if theirs is not None}


def _answer(node: str, answer: "ray.ObjectRef[str]", deadline: float) -> str | None:
    """What a node says, or None where it has died."""
    try:
        return str(ray.get(answer, timeout=max(0.0, deadline - time.monotonic())))
    except ray.exceptions.RayError as error:
        if not isinstance(error, ray.exceptions.RayTaskError) and _dies(node):
            return None
        raise UserError(
            f"a node of the cluster cannot run distlab ({summary(error)}): install it "
            "there, or submit with `python -m distlab.jobs ray`, which sends it along"
        ) from error


def _dies(node: str) -> bool:
    """Whether a node whose process is gone is dead: Ray may notice that some seconds later."""
    deadline = time.monotonic() + _NOTICE_S
    while (there := node in {each["NodeID"] for each in _alive()}) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return not there


def _vllm_here() -> str:
    try:
        return vllm_version()
    except UserError:
        return "no vLLM"
