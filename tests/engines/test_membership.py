"""A cluster that is not there, too small, or runs something else."""

import signal
import socket

import pytest
from ray._private.utils import check_version_info
from ray.cluster_utils import Cluster

from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.engines import membership as members
from distlab.engines.cluster import connected
from distlab.errors import UserError
from tests.engines.conftest import NODE


def test_no_cluster_at_the_address_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # Other tests may have put this process into a cluster, which a run would then take.
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    monkeypatch.setattr("ray.shutdown", lambda: None)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can answer there
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        cluster = validate(compose_config([f"cluster.address={address}"])).cluster
        with (
            pytest.raises(UserError, match=rf"at `cluster\.address`={address} .*ray start --head"),
            connected(cluster),
        ):
            pass


def test_another_ray_or_python_is_told_with_both_versions() -> None:
    with pytest.raises(RuntimeError) as caught:
        check_version_info({"ray_version": "2.9.3", "python_version": "3.10.1"}, "this driver")
    sentence = members.version_mismatch(caught.value)
    assert sentence is not None
    assert sentence.startswith("the cluster runs Ray 2.9.3 on Python 3.10.1 and the driver Ray 2.")
    assert members.version_mismatch(RuntimeError("Ray: is out of order")) is None


@pytest.mark.ray
def test_nodes_that_do_not_come_are_counted(ray_up: None) -> None:
    members.await_nodes(1, 0.0)
    with pytest.raises(UserError, match=r"has 1 of `cluster\.min_nodes`=2 nodes after 0\.1 s"):
        members.await_nodes(2, 0.1)


@pytest.mark.ray
def test_another_vllm_is_told_with_both_versions(
    ray_up: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    members.check_versions()
    here = members.vllm_version()
    monkeypatch.setattr(members, "vllm_version", lambda: "vllm 0.1.0")
    with pytest.raises(UserError, match=rf"of the cluster has {here} and the driver vllm 0\.1\.0"):
        members.check_versions()


@pytest.mark.ray
def test_a_node_that_dies_while_the_driver_joins_is_passed_over(
    ray_up: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = ray_up.add_node(**NODE, object_store_memory=100 << 20, wait=True)
    # As in ray_up: Ray's handler would turn SIGTERM into an exit of whichever test runs.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    nodes, look = [members._alive()], members._alive
    ray_up.remove_node(node, allow_graceful=False)
    monkeypatch.setattr(members, "_alive", lambda: nodes.pop() if nodes else look())
    assert not members.check_versions()
    assert members.check_versions()


@pytest.mark.ray
def test_a_node_without_distlab_is_named_in_one_line(
    ray_up: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking() -> str:
        raise ModuleNotFoundError("No module\n named 'distlab'")

    monkeypatch.setattr(members, "_vllm_here", lacking)
    with pytest.raises(UserError, match=r"cannot run distlab \(.*named 'distlab'\): install") as e:
        members.check_versions()
    assert str(e.value).isprintable()


def test_a_dead_cluster_in_the_environment_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(UserError, match=r"no Ray cluster answers at RAY_ADDRESS=127\.0\.0\.1:1 "):
        members.check_answers("auto")
    monkeypatch.delenv("RAY_ADDRESS")
    members.check_answers("auto")
