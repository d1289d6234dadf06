import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ray.cluster_utils import Cluster

NODE = {"num_cpus": 16, "num_gpus": 8, "resources": {"accelerator_type:H100": 1}}

AddNode = Callable[[], str]


@pytest.fixture(scope="module")
def add_node(ray_up: Cluster) -> Iterator[AddNode]:
    """Adds a machine with eight made-up H100s and returns Ray's id of it."""
    added: list[Any] = []

    def add() -> str:
        node = ray_up.add_node(**NODE, object_store_memory=100 << 20, wait=True)
        # As in ray_up: Ray's handler would turn SIGTERM into an exit of whichever test runs.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        added.append(node)
        return str(node.node_id)

    yield add
    for node in added:
        if node in ray_up.worker_nodes:
            ray_up.remove_node(node, allow_graceful=True)


@pytest.fixture(scope="module")
def two_nodes(add_node: AddNode) -> tuple[str, str]:
    """Ray's ids of two machines with eight made-up H100s each, beside the head with none."""
    return add_node(), add_node()
