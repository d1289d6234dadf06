"""Ray, started here or joined, with what it has."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import ray

from distlab.config.values import Cluster
from distlab.console.stopping import ending_children, starting_children
from distlab.engines.membership import await_nodes, check_answers, check_versions, version_mismatch
from distlab.errors import UserError, brief
from distlab.local_ray import local_ray

# Samples pass through the object store once, in small batches: this is plenty.
_OBJECT_STORE_BYTES = 512 << 20


def check_local(cluster: Cluster) -> None:
    """Refuse what this machine cannot hold, before Ray starts; says nothing of a remote cluster.

    Raises:
        UserError: More GPUs or CPU cores are asked for than there are.
    """
    if cluster.address is None:
        _check(cluster, len(os.sched_getaffinity(0)), _visible_gpus(), "this machine")


@contextmanager
def connected(cluster: Cluster, say: Callable[[str], None] = print) -> Iterator[None]:
    """Ray, for the block; where the process is in a cluster already, that.

    Args:
        cluster: To start here, or to join.
        say: Takes a line that a user should know of.

    Raises:
        UserError: No cluster answers at the address, or it is too small.
    """
    if ray.is_initialized():
        yield
        return
    with joined(cluster, say):
        if cluster.address is not None:
            await_nodes(cluster.min_nodes, cluster.wait_for_nodes_s)
            while not check_versions():
                await_nodes(cluster.min_nodes, cluster.wait_for_nodes_s)
            have = ray.cluster_resources()
            _check(cluster, have.get("CPU", 0), int(have.get("GPU", 0)), "the cluster")
        yield


@contextmanager
def joined(cluster: Cluster, say: Callable[[str], None] = print) -> Iterator[None]:
    """Ray, for the block, whatever the cluster is like.

    Args:
        cluster: To start here, or to join.
        say: Takes a line that a user should know of.

    Raises:
        UserError: No cluster answers at the address, or none comes up here.
    """
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Ray runs workers at niceness 15, so that anything else on the machine would starve an engine.
    os.environ.setdefault("RAY_worker_niceness", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if cluster.address is None:
        with local_ray(_OBJECT_STORE_BYTES, say):
            yield
        return
    try:
        _join(cluster.address)
        yield
    finally:
        with ending_children():
            ray.shutdown()


def _join(address: str) -> None:
    check_answers(address)
    try:
        with starting_children():
            ray.init(address=address)
    except (ConnectionError, RuntimeError, ValueError) as error:
        if mismatch := version_mismatch(error):
            raise UserError(mismatch) from error
        raise UserError(
            f"no Ray cluster answers at `cluster.address`={address} ({brief(str(error))}): start "
            "one with `ray start --head`, or set it to null to run on this machine"
        ) from error


def _check(cluster: Cluster, cpus: float, gpus: int, where: str) -> None:
    replicas = cluster.replicas or 1
    ranks = (cluster.tensor_parallel or 1) * (cluster.pipeline_parallel or 1)
    if cluster.device == "gpu" and not gpus:
        raise UserError(
            f"`cluster` asks for GPUs and {where} has none: set cluster=local-cpu, or "
            "cluster.address to a Ray cluster that has some"
        )
    if cluster.device == "gpu" and (need := replicas * ranks) > gpus:
        raise UserError(
            f"`cluster` asks for {replicas} x {ranks} = {need} GPUs and {where} has "
            f"{gpus}: lower cluster.replicas or cluster.tensor_parallel, or set cluster=local-cpu"
        )
    each = cluster.cpus_per_rank * ranks
    if (cores := replicas * each) > cpus:
        raise UserError(
            f"`cluster` asks for {replicas} x {each:g} = {cores:g} CPU cores and "
            f"{where} has {cpus:g}: lower cluster.replicas or cluster.cpus_per_rank"
        )


def _visible_gpus() -> int:
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed is not None:
        return len([device for device in listed.split(",") if device.strip() not in ("", "-1")])
    try:
        answer = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return answer.stdout.count("GPU ") if answer.returncode == 0 else 0
