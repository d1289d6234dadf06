"""The interfaces that ranks of an engine talk over, by the addresses at which Ray sees their nodes.

Left to itself Gloo looks its own host name up, and binds 127.0.0.1 where /etc/hosts says so: ranks
of several nodes then wait for each other for ever.
"""

import asyncio
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import psutil
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from distlab.errors import UserError

GLOO: Final = "GLOO_SOCKET_IFNAME"
NCCL: Final = "NCCL_SOCKET_IFNAME"
# In the place of an interface, on a node whose Ray was started with one of its own.
SETTLED: Final = ""
_ANSWER_S = 60.0


def interface_of(address: str, interfaces: Mapping[str, Sequence[str]]) -> str | None:
    """The interface that has an address; None where none has, as behind a NAT.

    Args:
        address: At which Ray sees the node.
        interfaces: Name to its addresses.
    """
    for name, addresses in interfaces.items():
        # IPv6 addresses may have their zone behind them: "fe80::1%eth0".
        if address in (one.partition("%")[0] for one in addresses):
            return name
    return None


def interface_here(address: str) -> str | None:
    """``interface_of`` on this machine."""
    families = (socket.AF_INET, socket.AF_INET6)
    return interface_of(
        address,
        {
            name: [one.address for one in addresses if one.family in families]
            for name, addresses in psutil.net_if_addrs().items()
        },
    )


def variables(found: Mapping[str, str | None]) -> dict[str, str]:
    """What libraries must be told so that ranks meet over these interfaces.

    Workers of an engine inherit its driver's variables, so one value is for all nodes. NCCL takes a
    list, of which every node uses what it has; Gloo would need all of them on every node.

    Args:
        found: Host name to its interface, or to ``SETTLED``.

    Raises:
        UserError: A node has none of the address, or Gloo would need different ones; the sentence
            says what to set.
    """
    lacking = [host for host, name in found.items() if name is None]
    if lacking:
        raise UserError(
            f"no interface of {', '.join(lacking)} has the address at which Ray sees the node, so "
            f"ranks may not find each other: set cluster.env={{{GLOO}: NAME, {NCCL}: NAME}}"
        )
    names = sorted({name for name in found.values() if name})
    if not names:
        return {}
    if len(names) > 1:
        each = ", ".join(f"{name} on {host}" for host, name in found.items())
        raise UserError(
            f"the nodes of an engine are on interfaces of different names ({each}), and Gloo takes "
            f"one name for all: set {GLOO} on each node before `ray start`, and "
            f"cluster.env={{{NCCL}: '{','.join(names)}'}} here"
        )
    return {GLOO: names[0], NCCL: names[0]}


def are_told(env: Iterable[str]) -> bool:
    """Whether variables by these names say all of the interfaces, so that none is looked for."""
    return {GLOO, NCCL} <= set(env)


async def interfaces_of(nodes: Sequence[str]) -> dict[str, str | None]:
    """Host name of each node to the interface of its address, asked there.

    Args:
        nodes: Ray's ids.

    Raises:
        RayError, TimeoutError: A node is gone, or does not answer.
    """
    known = {raw["NodeID"]: raw for raw in ray.nodes()}
    asked = {
        known[node]["NodeManagerHostname"]: ray.remote(_told)
        .options(num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False))
        .remote(known[node]["NodeManagerAddress"])
        for node in dict.fromkeys(nodes)
        if node in known
    }
    answers = asyncio.gather(*asked.values())
    return dict(zip(asked, await asyncio.wait_for(answers, _ANSWER_S), strict=True))


def _told(address: str) -> str | None:
    """The interface of the node's address; SETTLED where it was said before Ray started there."""
    return SETTLED if os.environ.get(GLOO) else interface_here(address)
