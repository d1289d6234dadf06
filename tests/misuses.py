"""What mypy must reject: every line that ends in ``# rejected: CODE``, and no other.

Nothing runs this file; ``tests/test_typing.py`` has mypy read it. A use that is right stands
before each misuse, so that what is rejected is the misuse.
"""

import pyarrow as pa
import pyarrow.fs as pafs
import ray
from scipy import stats

from distlab.analysis.estimate import Estimate
from distlab.checkpoints.checkpoint import INSTRUCT, CheckpointSpec
from distlab.checkpoints.tiny import tiny_spec
from distlab.engines.fleet import Running
from distlab.engines.messages import EngineSettings, Lease
from distlab.problems.problem import Gold, GoldKind
from distlab.report.charts.kinds import Series
from distlab.scoring.types import Verdict
from distlab.store.store import read_shard
from distlab.tables.numbers import points_interval


def arrow(table: pa.Table) -> None:
    """A file system, a table and a schema are what Arrow says they are."""
    shard = read_shard(pafs.LocalFileSystem(), "shard.parquet", ["text"])
    shard.column("text").combine_chunks()
    read_shard("not a file system", "shard.parquet", ["text"])  # rejected: arg-type
    shard.no_such_method()  # rejected: attr-defined
    shard.column("text").combine_chunk()  # rejected: attr-defined
    table.take([0])
    table.take(["first"])  # rejected: list-item
    pa.schema([pa.field("text", pa.string(), nullable=False)])
    pa.schema([pa.field("text", pa.string(), nullable="no")])  # rejected: call-overload


async def actors(running: Running, lease: Lease) -> None:
    """A replica is called by the names and with the values that it has."""
    pulse = await running.actor.pulse.remote()
    await running.actor.puls.remote()  # rejected: attr-defined
    await running.actor.pulse.remote(lease)  # rejected: call-arg
    max(pulse.stalled_s, 0.0)
    max(pulse.stalled, 0.0)  # rejected: attr-defined
    sample = running.actor.sample.options(num_returns="streaming")
    sample.remote(lease)
    sample.remote(lease.requests)  # rejected: arg-type
    running.actor.sample.remote(lease)  # rejected: attr-defined


def tasks(shards: list[str]) -> None:
    """A task takes what its function takes."""
    counted = ray.get(ray.remote(_count).options(num_cpus=0).remote(shards))
    ray.remote(_count).options(num_cpus=0).remote(len(shards))  # rejected: arg-type
    counted.append(1)  # rejected: attr-defined


def _count(shards: list[str]) -> int:
    return len(shards)


def records(settings: EngineSettings) -> None:
    """A closed set takes its members and nothing else."""
    tiny_spec("qwen3", INSTRUCT)
    tiny_spec("qwen3", "instruct")  # rejected: arg-type
    CheckpointSpec("org/name", "hub")
    CheckpointSpec("org/name", "hug")  # rejected: arg-type
    Gold(GoldKind.NUMBER, "42")
    Gold(Verdict.CORRECT, "42")  # rejected: arg-type
    Series("ours", "ours", ())
    Series("ours", "theirs", ())  # rejected: arg-type
    bool(settings.device == "gpu")
    bool(settings.device == "tpu")  # rejected: comparison-overlap
    settings.device = "cpu"  # rejected: misc


def figures(estimate: Estimate) -> None:
    """A figure is a record with its interval, and scipy's results are numbers."""
    points_interval(estimate)
    points_interval(estimate.value)  # rejected: arg-type
    stats.norm.cdf(estimate.value)
    stats.norm.cfd(estimate.value)  # rejected: attr-defined
