"""A cluster that is not there, too small, or runs something else."""

import socket

import pytest
from ray._private.utils import check_version_info

from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.engines import members
from distlab.engines.cluster import connected
from distlab.errors import UserError


def test_no_cluster_at_the_address_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # Other tests may have put this process into a cluster, which a run would then take.
    monkeypatch.setattr("ray.is_initialized", lambda: False)
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
