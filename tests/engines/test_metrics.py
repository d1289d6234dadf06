"""What Ray's metrics endpoint says of a run; reading it is what Prometheus does."""

import re
import time
import urllib.request
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

from tests.engines.driving import draw

pytestmark = [pytest.mark.ray]


def endpoint() -> str:
    node = next(node for node in ray.nodes() if node["Alive"])
    return f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"


def total(text: str, name: str, run: str) -> float:
    """Sum over all tags of one run."""
    lines = re.findall(rf'^ray_{name}{{[^}}]*run="{run}"[^}}]*}} (\S+)$', text, re.MULTILINE)
    return sum(map(float, lines))


def test_a_runs_samples_and_engines_are_counted_there(tmp_path: Path, ray_up: Cluster) -> None:
    run = tmp_path / "metered"
    outcome = draw(run)
    deadline = time.monotonic() + 90  # Ray reports every few seconds
    while True:
        with urllib.request.urlopen(endpoint(), timeout=30) as response:
            text = response.read().decode()
        if total(text, "distlab_samples_total", run.name) == outcome.samples:
            break
        assert time.monotonic() < deadline, re.findall("ray_distlab.*", text)
        time.sleep(0.5)
    assert total(text, "distlab_tokens_total", run.name) == outcome.tokens
    assert total(text, "distlab_engine_events_total", run.name) == 2  # loading, loaded
