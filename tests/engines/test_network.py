"""Interfaces are those of the addresses at which Ray sees the nodes."""

import os
from dataclasses import replace

import pytest

from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.engines.environment import prepare
from distlab.engines.messages import Site
from distlab.engines.network import GLOO, NCCL, SETTLED, interface_here, interface_of, variables
from distlab.errors import UserError
from tests.engines.ledger import SETTINGS

MACHINE = {
    "lo": ("127.0.0.1", "::1"),
    "eth0": ("10.0.0.5", "fe80::5%eth0"),
    "ib0": ("192.168.7.5",),
}


@pytest.mark.parametrize(
    ("address", "name"),
    [("192.168.7.5", "ib0"), ("fe80::5", "eth0"), ("127.0.0.1", "lo"), ("10.0.0.50", None)],
)
def test_the_interface_is_the_one_with_rays_address(address: str, name: str | None) -> None:
    assert interface_of(address, MACHINE) == name


def test_this_machine_has_a_loopback() -> None:
    assert interface_here("127.0.0.1") == "lo"
    assert interface_here("203.0.113.9") is None


def test_nodes_that_agree_are_told_and_those_that_are_settled_left_alone() -> None:
    assert variables({"a": "ib0", "b": "ib0"}) == {GLOO: "ib0", NCCL: "ib0"}
    assert variables({"a": SETTLED, "b": SETTLED}) == {}
    assert variables({"a": SETTLED, "b": "eth0"}) == {GLOO: "eth0", NCCL: "eth0"}


def test_nodes_that_could_never_meet_are_refused_with_what_to_set() -> None:
    with pytest.raises(UserError, match=r"eth0 on a, ens3 on b.*before `ray start`.*ens3,eth0"):
        variables({"a": "eth0", "b": "ens3"})
    with pytest.raises(UserError, match=r"no interface of b has the address.*cluster\.env="):
        variables({"a": "eth0", "b": None})


def test_a_user_goes_before_the_node_and_the_node_before_us() -> None:
    site = Site("r", spans=True, network=((GLOO, "eth0"), (NCCL, "eth0")))
    environment = {GLOO: "own0"}
    told = replace(SETTINGS, device="gpu", env=((NCCL, "ib0"), ("NCCL_DEBUG", "INFO")))
    prepare(environment, told, site, "a:1")
    assert (environment[GLOO], environment[NCCL]) == ("own0", "ib0")
    assert environment["NCCL_DEBUG"] == "INFO"
    assert GLOO not in os.environ


def test_variables_that_may_change_samples_are_refused() -> None:
    given = ("cluster.env={NCCL_IB_HCA: mlx5, GLOO_SOCKET_IFNAME: ib0}",)
    assert validate(compose_config(given)).cluster.env["NCCL_IB_HCA"] == "mlx5"
    with pytest.raises(UserError, match=r"env\.VLLM_ATTENTION_BACKEND` is 'X': variables"):
        validate(compose_config(["cluster.env={VLLM_ATTENTION_BACKEND: X}"]))
