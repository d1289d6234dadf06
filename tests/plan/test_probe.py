"""A plan of a cluster that is up."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from distlab.placement.placement import Node
from distlab.plan.probe import _by_host

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

REPO = Path(__file__).parent.parent.parent


def plan(place: Path, *overrides: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "distlab.plan", *overrides],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(REPO), "DISTLAB_SCRIPT": str(place)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_nodes_that_share_a_host_keep_a_part_of_their_id() -> None:
    nodes = [Node("aaaaaaaaaa", 1, 0), Node("bbbbbbbbbb", 1, 0), Node("cccccccccc", 1, 0)]
    hosts = {"aaaaaaaaaa": "one", "bbbbbbbbbb": "one", "cccccccccc": "two"}
    assert [node.name for node in _by_host(nodes, hosts)] == ["one/aaaaaa", "one/bbbbbb", "two"]


@pytest.mark.ray
def test_a_live_cluster_is_planned_with_what_is_free(ray_up: "Cluster", tmp_path: Path) -> None:
    node = ray_up.add_node(num_cpus=3, num_gpus=2)
    try:
        made = plan(
            tmp_path,
            "cluster=ray",
            f"cluster.address={ray_up.address}",
            "cluster.tensor_parallel=1",
            "cluster.pipeline_parallel=1",
            "cluster.cpus_per_rank=1",
            "--no-prompts",
        )
    finally:
        ray_up.remove_node(node)
    assert made.returncode == 0, made.stderr
    host = socket.gethostname()
    assert f"; {host}/" in made.stdout
    assert ": 3 cores, 2 x GPU" in made.stdout
    assert "replicas · 2 of one checkpoint" in made.stdout
    assert "memory · not checked" in made.stdout


@pytest.mark.ray
def test_a_probe_measures_on_samples_that_stay(tmp_path: Path) -> None:
    study = (
        "dataset=gsm-symbolic",
        "cluster.engine=tests.engines.answering:AnsweringEngine",
        "cluster.cpus_per_rank=1",
        "decoding.base=[]",
        "decoding.n=2",
    )
    made = plan(tmp_path, *study, "--probe", "3", "--no-prompts")
    assert made.returncode == 0, made.stderr
    probed = re.search(r"probe · ([\d.]+) tokens/s of one engine, over 6 samples of", made.stdout)
    assert probed is not None
    assert float(probed[1]) > 0
    # 8 problems x 2 draws, of which the probe made 3 x 2.
    assert "10 samples to draw from 5 prompts, 6 in the store" in made.stdout
    assert re.search(r"time · at \S+ tokens/s per engine: at most .* hours", made.stdout)
    assert "Traceback" not in made.stdout + made.stderr
    again = plan(tmp_path, *study, "--no-prompts")
    assert "6 in the store" in again.stdout
    assert "time · not known" in again.stdout


def test_a_cluster_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    made = plan(tmp_path, "cluster=ray", "cluster.address=127.0.0.1:9", "--no-prompts")
    assert made.returncode == 2
    (complaint,) = made.stderr.splitlines()
    assert complaint.startswith("distlab: ")
    assert "127.0.0.1:9" in complaint
