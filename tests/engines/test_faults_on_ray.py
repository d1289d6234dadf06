"""Whatever dies, the store ends as an undisturbed run's: same keys, same tokens, each once."""

import asyncio
import errno
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import ray
from ray.cluster_utils import Cluster
from ray.util.placement_group import placement_group, remove_placement_group

from distlab.errors import UserError
from distlab.store import committer
from distlab.store.origin import Origin
from distlab.store.store import StoredCell
from distlab.sweep.side_by_side import run_beside
from tests.engines.conftest import NODE
from tests.engines.driving import Key, Tokens, draw, driver, stored
from tests.engines.scripted import starts

pytestmark = [pytest.mark.ray]

KILLS = 8
SAMPLES = 20 * 4 * 2
# The first lease has 16 sequences, each of at most 4 siblings and the one that leads them, and a
# request at most two steps more: what is beyond came after results of it were back.
FIRST_STEPS = 16 * (4 + 1) + 2 * 4


@pytest.fixture(scope="module")
def undisturbed(ray_up: Cluster, tmp_path_factory: pytest.TempPathFactory) -> dict[Key, Tokens]:
    folder = tmp_path_factory.mktemp("undisturbed")
    outcome = draw(folder)
    counts, tokens = stored(folder)
    assert set(counts.values()) == {1}
    assert (len(counts), outcome.samples, outcome.starts) == (SAMPLES, SAMPLES, 1)
    return tokens


def assert_as(folder: Path, undisturbed: dict[Key, Tokens]) -> None:
    counts, tokens = stored(folder)
    assert set(counts.values()) == {1}
    assert tokens == undisturbed


def until(condition: Callable[[], object], within_s: float = 100) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to it"
        time.sleep(0.02)


def slow(folder: Path, delay: float = 0.1) -> Path:
    """A folder whose engines take their time, so that faults come in the middle."""
    (folder / "script").mkdir(parents=True)
    (folder / "script" / "delay").write_text(str(delay))
    return folder


def meanwhile(act: Callable[[], None], folder: Path, *overrides: str) -> Any:  # noqa: ANN401
    """Draw while ``act`` runs in a thread."""
    with ThreadPoolExecutor(1) as pool:
        acting = pool.submit(act)
        outcome = draw(folder, *overrides)
        acting.result()
    return outcome


def pid(folder: Path) -> int:
    (start,) = starts(folder / "script")
    return int(str(start["pid"]))


def test_a_replica_killed_from_outside_is_replaced(
    tmp_path: Path, undisturbed: dict[Key, Tokens]
) -> None:
    folder = slow(tmp_path)

    def kill() -> None:
        until(lambda: len(starts(folder / "script")) == 1)
        time.sleep(1)
        os.kill(pid(folder), signal.SIGKILL)

    outcome = meanwhile(kill, folder)
    assert (outcome.starts, outcome.deaths, outcome.failures) == (2, 1, [])
    assert_as(folder, undisturbed)


def test_a_replica_that_commits_and_dies_before_it_tells_costs_nothing(
    tmp_path: Path, undisturbed: dict[Key, Tokens]
) -> None:
    """The store says what its last shard holds: nothing is drawn twice, and all is counted."""
    (tmp_path / "script").mkdir()
    (tmp_path / "script" / "commit-samples").write_text("12")
    (tmp_path / "script" / "exit-written-once").touch()
    outcome = draw(tmp_path, "cluster.commit=replica")
    assert (outcome.samples, outcome.starts, outcome.deaths) == (SAMPLES, 2, 1)
    assert (outcome.failures, outcome.errors) == ([], [])
    assert_as(tmp_path, undisturbed)


@pytest.mark.parametrize("commit", ["driver", "replica"])
def test_a_killed_node_costs_its_replica_and_no_problem_is_suspected(
    tmp_path: Path, ray_up: Cluster, undisturbed: dict[Key, Tokens], commit: str
) -> None:
    folder = slow(tmp_path)
    nodes = [ray_up.add_node(**NODE, object_store_memory=100 << 20, wait=True)]

    def kill() -> None:
        until(lambda: len(starts(folder / "script")) == 1)
        time.sleep(1)
        ray_up.remove_node(nodes[0], allow_graceful=False)
        nodes.append(ray_up.add_node(**NODE, object_store_memory=100 << 20, wait=True))

    with pytest.MonkeyPatch.context() as patch:
        # Outside the main thread Ray could not set its handler.
        patch.setattr(signal, "signal", lambda *_: None)
        outcome = meanwhile(
            kill, folder, "cluster.device=gpu", "cluster.replicas=1", f"cluster.commit={commit}"
        )
    ray_up.remove_node(nodes[1], allow_graceful=True)
    assert (outcome.starts, outcome.failures) == (2, [])
    ran = {start["node"] for start in starts(folder / "script")}
    assert ran == {node.node_id for node in nodes}
    assert_as(folder, undisturbed)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_driver_killed_again_and_again_at_any_moment_loses_and_doubles_nothing(
    tmp_path: Path, ray_up: Cluster, undisturbed: dict[Key, Tokens]
) -> None:
    measured = slow(tmp_path / "measured", 0.05)
    began = time.monotonic()
    process = driver(ray_up.address, measured)
    process.join(250)
    took = time.monotonic() - began
    assert process.exitcode == 0
    folder, moments = slow(tmp_path / "killed", 0.05), random.Random(4)
    seen = []
    for _ in range(KILLS):
        process = driver(ray_up.address, folder)
        process.join(moments.uniform(0, took))
        process.kill()
        process.join()
        seen.append(len(stored(folder)[0]))
    assert seen == sorted(seen)
    process = driver(ray_up.address, folder)
    process.join(250)
    assert process.exitcode == 0
    assert_as(folder, undisturbed)


def drawn_by_an_engine(began: Path) -> str:
    began.touch()
    time.sleep(2)
    return "drawn"


def draws_to_the_end(began: Path) -> str:
    engine = ray.remote(drawn_by_an_engine).options(num_cpus=0).remote(began)
    try:
        # Ray's interrupt ends no sleep.
        for _ in range(600):
            time.sleep(0.1)
    except KeyboardInterrupt:
        return asyncio.run(said_by(engine))
    return "it was not told to stop"


async def said_by(engine: "ray.ObjectRef[str]") -> str:
    return str(await engine)


def test_drivers_of_a_sweep_that_is_stopped_get_what_their_engines_are_at(
    tmp_path: Path, ray_up: Cluster
) -> None:
    began, told = tmp_path / "began", []

    def interrupt() -> None:
        if began.exists() and not told:
            told.append(began)
            raise KeyboardInterrupt

    assert list(run_beside(draws_to_the_end, [began], interrupt)) == [(began, "drawn")]


@contextmanager
def every_core_taken() -> Iterator[None]:
    """By another job, so that no engine has room."""
    group = placement_group([{"CPU": ray.cluster_resources()["CPU"]}])
    assert group.wait(30)
    try:
        yield
    finally:
        remove_placement_group(group)


def text(file: Path) -> str:
    return file.read_text() if file.exists() else ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stage", ["waiting for nodes", "loading", "sampling"])
def test_a_signal_commits_what_is_finished_and_running_again_completes_it(
    tmp_path: Path,
    ray_up: Cluster,
    undisturbed: dict[Key, Tokens],
    number: signal.Signals,
    stage: str,
) -> None:
    folder = slow(tmp_path)
    (folder / "script" / "log-prompts").touch()
    if stage == "loading":
        (folder / "script" / "load-delay").write_text("60")
    with every_core_taken() if stage == "waiting for nodes" else nullcontext():
        # So rare that what is in the store was committed because of the signal.
        process = driver(ray_up.address, folder, commit_s=60)
        if stage == "waiting for nodes":
            until(lambda: '"waiting"' in text(folder / "events.jsonl"))
        else:
            until(lambda: starts(folder / "script"))
        if stage == "sampling":
            until(lambda: text(folder / "script" / "prompts").count("\n") > FIRST_STEPS)
        assert process.pid is not None
        os.kill(process.pid, number)
        process.join(50)
    assert process.exitcode == 128 + number
    committed = len(stored(folder)[0])
    samples, said = (folder / "outcome").read_text().split()
    assert (int(samples), int(said)) == (committed, number)
    assert (committed > 0) == (stage == "sampling")
    for name in ("delay", "load-delay"):
        (folder / "script" / name).unlink(missing_ok=True)
    draw(folder)
    assert_as(folder, undisturbed)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[OSError]]:
    """Errors that the next commits raise, first the last of the list."""
    errors: list[OSError] = []
    commit = StoredCell.commit

    def maybe(
        self: StoredCell, batches: list[pa.RecordBatch], name: str | None, origin: Origin | None
    ) -> str:
        if errors:
            raise errors.pop()
        return commit(self, batches, name, origin)

    monkeypatch.setattr(StoredCell, "commit", maybe)
    monkeypatch.setattr(committer, "_SOONEST_S", 0.2)
    monkeypatch.setattr(committer, "_RETRIES_S", (0.1,) * 5)
    yield errors


def test_a_store_that_cannot_be_written_for_a_moment_costs_nothing(
    tmp_path: Path, undisturbed: dict[Key, Tokens], failing: list[OSError]
) -> None:
    failing += [OSError(errno.ESTALE, "Stale file handle")] * 3
    outcome = draw(slow(tmp_path))
    assert (outcome.samples, failing) == (SAMPLES, [])
    assert_as(tmp_path, undisturbed)


def test_a_full_disk_stops_the_run_clearly_and_what_is_committed_stays(
    tmp_path: Path, undisturbed: dict[Key, Tokens], failing: list[OSError]
) -> None:
    folder = slow(tmp_path)

    def fill() -> None:
        until(lambda: len(stored(folder)[0]) > 0)
        failing.extend([OSError(errno.ENOSPC, "No space left on device")] * 100)

    with pytest.raises(UserError, match=r"No space left on device.*make room"):
        meanwhile(fill, folder)
    counts, tokens = stored(folder)
    assert 0 < len(counts) < SAMPLES
    assert {key: undisturbed[key] for key in tokens} == tokens
    failing.clear()
    draw(folder)
    assert_as(folder, undisturbed)
