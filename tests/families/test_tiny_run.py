"""Families of every shape end to end on their tiny checkpoints: real Ray, real vLLM, no GPU.

One sweep runs both variants, two families of one shape among them, which get the same engines. A
second one runs the instruction-tuned checkpoints of the other shapes. Then a mixture of experts
runs again, split over two ranks in one node and over two nodes of Ray, and must say the same.
"""

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from distlab.sweep.record import JobState, read_record
from tests.families.shapes import FAMILIES

REPO = Path(__file__).parent.parent.parent
PLUGIN = Path(__file__).parent / "plugin"
# Two problems, two samples of eight tokens; float32, in which a split changes no greedy token.
SMALL = (
    "+tiny=true",
    "dataset=gsm-symbolic",
    "dataset.limit=2",
    "prompt=zero-shot",
    "decoding.base=[cot,greedy]",
    "decoding.n=2",
    "decoding.max_tokens=8",
    "model.dtype=float32",
    "model.max_model_len=512",
    "cluster.max_num_seqs=8",
    "cluster.kv_cache_gib=0.1",
    "cluster.cpus_per_rank=1",
    "grader=[standard]",
)
ARMS = {"base/cot": 4, "base/greedy": 2, "instruct/t0.05": 4}
BOTH = ("qwen3-0.6b", "qwen3-8b", "kimi-k2")
TUNED = ("llama3-3b", "smollm-3b")
# A model class that kimi-k2 runs, too; an engine more takes half a minute.
SAME_CLASS = {"deepseek-v3"}

pytestmark = [pytest.mark.vllm, pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Place:
    """A folder with a store and runs of its own."""

    path: Path

    def run(self, *overrides: str, environment: Mapping[str, str] | None = None) -> str:
        made = subprocess.run(
            [sys.executable, "-m", "distlab.run", *overrides],
            cwd=self.path,
            env={**os.environ, "PYTHONPATH": str(REPO), **(environment or {})},
            capture_output=True,
            text=True,
            timeout=800,
            check=False,
        )
        assert made.returncode == 0, made.stdout + made.stderr + self._logs()
        return made.stdout

    def manifests(self) -> dict[str, dict[str, Any]]:
        """Family to the manifest of its run."""
        found = {}
        for file in self.path.glob("runs/**/manifest.json"):
            manifest = json.loads(file.read_text())
            if manifest.get("cells"):
                found[manifest["cells"][0]["family"]] = manifest
        return found

    def samples(self, family: str, arm: str) -> list[dict[str, Any]]:
        """The stored samples of one arm, ordered."""
        rows: list[dict[str, Any]] = []
        for shard in self.path.glob(f"store/{family}-tiny/{arm}/*/*/*/samples-*.parquet"):
            rows += pq.read_table(shard).to_pylist()
        return sorted(rows, key=lambda row: (row["problem_id"], row["rank"]))

    def tokens(self, family: str, arm: str) -> list[list[int]]:
        return [row["token_ids"] for row in self.samples(family, arm)]

    def _logs(self) -> str:
        return "".join(file.read_text()[-4000:] for file in self.path.glob("runs/**/log.txt"))


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, str]:
    """A sweep over both variants, each engine on a core of its own."""
    place = Place(tmp_path_factory.mktemp("families"))
    return place, place.run("-m", f"model={','.join(BOTH)}", *SMALL)


def check_run(place: Place, name: str, arms: Iterable[str]) -> None:
    """A family drew what it was to draw from its own checkpoints, and says what they are."""
    manifest = place.manifests()[f"{name}-tiny"]
    assert not manifest["failures"]
    ids = {fields["checkpoint"] for fields in manifest["fingerprints"].values()}
    assert ids == {f"tiny:{FAMILIES[name]}/{arm.partition('/')[0]}" for arm in arms}
    for arm in arms:
        rows = place.samples(name, arm)
        assert len(rows) == ARMS[arm]
        assert all(0 < len(row["token_ids"]) <= 8 for row in rows)
    assert any("proves the path" in note for note in manifest["notes"])


def check_said(place: Place, output: str, names: Collection[str]) -> None:
    """Terminal and report say that made-up checkpoints measure nothing."""
    for name in names:
        assert f"its numbers say nothing about {name}." in output
    reports = [file.read_text() for file in place.path.glob("runs/**/report.md")]
    assert sum("proves the path" in report for report in reports) >= len(names)


def test_families_run_base_and_instruct(swept: tuple[Place, str]) -> None:
    place, output = swept
    for name in BOTH:
        check_run(place, name, ARMS)
    check_said(place, output, BOTH)


def test_every_other_shape_runs(tmp_path: Path) -> None:
    place = Place(tmp_path)
    output = place.run("-m", f"model={','.join(TUNED)}", *SMALL, "decoding.base=[]")
    for name in TUNED:
        check_run(place, name, ["instruct/t0.05"])
    check_said(place, output, TUNED)


def test_no_shape_is_left_out() -> None:
    assert {FAMILIES[name] for name in (*BOTH, *TUNED)} == {*FAMILIES.values()} - SAME_CLASS


def test_base_and_instruct_are_two_models(swept: tuple[Place, str]) -> None:
    place, _ = swept
    for name in BOTH:
        assert place.tokens(name, "base/greedy")[0] != place.tokens(name, "instruct/t0.05")[0]


def test_families_of_one_shape_share_their_engines(swept: tuple[Place, str]) -> None:
    place, output = swept
    (sweep,) = (place.path / "runs").iterdir()
    record = read_record(sweep)
    assert [job.state for job in record.jobs] == [JobState.DONE] * len(BOTH)
    # One for the base and one for the instruction-tuned checkpoint of a shape.
    loads = 2 * len({FAMILIES[name] for name in BOTH})
    assert record.engine_starts == output.count(" loaded in ") == loads
    assert record.samples == len(BOTH) * sum(ARMS.values())


def check_split(whole: Place, split: Place, parallelism: str) -> None:
    """kimi-k2 drew over two ranks what it drew in one process."""
    (record,) = split.manifests()["kimi-k2-tiny"]["replicas"]
    assert record["parallelism"] == parallelism
    for arm in ("base/greedy", "base/cot"):
        assert len(split.samples("kimi-k2", arm)) == ARMS[arm]
        assert split.tokens("kimi-k2", arm) == whole.tokens("kimi-k2", arm)


def test_an_engine_of_two_ranks_in_one_node_says_the_same(
    swept: tuple[Place, str], tmp_path: Path
) -> None:
    place, _ = swept
    split = Place(tmp_path)
    split.run("model=kimi-k2", *SMALL, "decoding.instruct=[]", "cluster.tensor_parallel=2")
    check_split(place, split, "TP 2")


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[str]:
    """Two nodes of Ray with a made-up GPU each; vLLM's ranks on them are CPU workers."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        for name, value in spanning_environment().items():
            patch.setenv(name, value)
        node = {"num_cpus": 3, "num_gpus": 1, "object_store_memory": 100 << 20}
        cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
        cluster.add_node(**node)
        yield cluster.address
        cluster.shutdown()


def spanning_environment() -> dict[str, str]:
    return {
        "PYTHONPATH": os.pathsep.join(map(str, (REPO, PLUGIN))),
        "VLLM_PLUGINS": "distlab_ray_cpu",
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
    }


def test_an_engine_that_spans_two_nodes_says_the_same(
    swept: tuple[Place, str], two_nodes: str, tmp_path: Path
) -> None:
    """A stage on each node, as it spans two nodes of GPUs."""
    place, _ = swept
    spanning = Place(tmp_path)
    spanning.run(
        "model=kimi-k2",
        "cluster=ray",
        *SMALL,
        "decoding.instruct=[]",
        f"cluster.address={two_nodes}",
        "cluster.tensor_parallel=1",
        "cluster.pipeline_parallel=2",
        "cluster.enforce_eager=true",
        "cluster.block_size=32",
        environment=spanning_environment(),
    )
    (record,) = spanning.manifests()["kimi-k2-tiny"]["replicas"]
    assert len(set(record["node_ids"])) == 2
    check_split(place, spanning, "TP 1 x PP 2 x EP")
