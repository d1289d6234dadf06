"""Which bundle sits on which node of a simulated cluster: two machines of eight made-up GPUs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ray.util.placement_group import placement_group_table

from distlab.decoding.interface import SampleRequest
from distlab.engines.events import EngineEvent, EventKind
from distlab.engines.fleet import Fleet, Running
from distlab.engines.messages import CellRequest
from distlab.engines.workload import EngineJob
from distlab.placement.placement import Parallelism
from tests.engines.conftest import AddNode
from tests.engines.ledger import LIMITS, Ledger, job, serve, wanted
from tests.engines.scripted import starts

pytestmark = [pytest.mark.ray]

AUTO = replace(LIMITS, replicas=None)
REQUESTS: list[CellRequest] = [
    ("instruct", SampleRequest(f"p{i}", (i + 1, 7), (0, 1))) for i in range(40)
]


@pytest.fixture
def fleet(two_nodes: tuple[str, str]) -> Iterator[Fleet]:
    made = Fleet()
    yield made
    made.close()


def split(
    folder: Path, tensor: int, pipeline: int = 1, requests: list[CellRequest] = REQUESTS
) -> EngineJob:
    folder.mkdir(exist_ok=True)
    return job(
        folder,
        requests,
        device="gpu",
        cpus_per_rank=1,
        gpu_type="H100",
        parallelism=Parallelism(tensor, pipeline),
    )


def bundles(running: Running) -> list[tuple[str, dict[str, float]]]:
    """Node and size of each bundle, as Ray has it."""
    table = placement_group_table(running.group)
    return [
        (table["bundles_to_node_id"][index], table["bundles"][index])
        for index in sorted(table["bundles"])
    ]


def test_a_group_that_fits_a_node_is_one_bundle_on_one_of_them(
    tmp_path: Path, fleet: Fleet, two_nodes: tuple[str, str]
) -> None:
    serve(split(tmp_path, 8), limits=LIMITS, fleet=fleet)
    (running,) = fleet.replicas
    ((node, bundle),) = bundles(running)
    assert node in two_nodes
    assert bundle == {"GPU": 8, "CPU": 8}
    (record,) = fleet.records
    assert record.node_ids == (node,) * 8
    assert sorted(map(int, record.gpus)) == list(range(8))
    assert record.parallelism == "TP 8"


def test_a_group_that_spans_is_packed_node_by_node_with_the_driver_on_the_first(
    tmp_path: Path, fleet: Fleet, two_nodes: tuple[str, str]
) -> None:
    serve(split(tmp_path, 8, 2), limits=LIMITS, fleet=fleet)
    (running,) = fleet.replicas
    placed = bundles(running)
    nodes = [node for node, _ in placed]
    assert [bundle for _, bundle in placed] == [{"GPU": 1, "CPU": 1}] * 16
    assert nodes == [nodes[0]] * 8 + [nodes[8]] * 8
    assert {nodes[0], nodes[8]} == set(two_nodes)
    (start,) = starts(tmp_path)
    assert start["node"] == nodes[0]
    assert fleet.records[0].node_ids == tuple(nodes)


def test_four_replicas_of_two_share_the_tightest_node(
    tmp_path: Path, fleet: Fleet, two_nodes: tuple[str, str]
) -> None:
    (tmp_path / "delay").write_text("0.5")
    ledger = serve(split(tmp_path, 2), limits=replace(LIMITS, replicas=4), fleet=fleet)
    assert set(ledger.samples) == wanted(REQUESTS)
    placed = [bundles(running) for running in fleet.replicas]
    assert [len(each) for each in placed] == [1] * 4
    assert len({node for ((node, _),) in placed}) == 1
    gpus = Counter(gpu for record in fleet.records for gpu in record.gpus)
    assert sorted(map(int, gpus)) == list(range(8))
    assert set(gpus.values()) == {1}


def test_of_two_families_the_larger_goes_first_and_neither_holds_half(
    tmp_path: Path, fleet: Fleet
) -> None:
    giant, small = tmp_path / "giant", tmp_path / "small"
    ledger = serve(split(small, 8), split(giant, 8, 2), limits=AUTO, fleet=fleet)
    assert ledger.samples.keys() == wanted(REQUESTS)
    assert ledger.errors == (None, None)
    order = [(e.kind, e.model) for e in ledger.events]
    assert (EventKind.LOADING, "small") not in order[: order.index((EventKind.LOADING, "giant"))]
    # The small one waits, whole, until the giant has nothing left to do and makes room.
    first_small = order.index((EventKind.LOADING, "small"))
    assert (EventKind.WAITING, "small") in order[:first_small]
    stopped = [e.model for e in ledger.events if e.kind is EventKind.STOPPED]
    assert stopped == [str(giant)]
    assert len(starts(giant)) == 1


def test_families_that_fit_side_by_side_run_so(
    tmp_path: Path, fleet: Fleet, two_nodes: tuple[str, str]
) -> None:
    one, other = split(tmp_path / "one", 8), split(tmp_path / "other", 8)
    serve(one, other, limits=AUTO, fleet=fleet)
    first = {record.model: record.node_ids[0] for record in reversed(fleet.records)}
    assert len(first) == 2
    assert set(first.values()) == set(two_nodes)


def test_what_fits_nowhere_is_given_up_with_what_it_needs(tmp_path: Path, fleet: Fleet) -> None:
    small = split(tmp_path / "small", 2, requests=REQUESTS[:4])
    ledger = serve(
        split(tmp_path / "giant", 8, 4),
        small,
        limits=replace(AUTO, wait_for_nodes_s=1),
        fleet=fleet,
    )
    assert ledger.errors[1] is None
    assert "TP 8 x PP 4 = 32 x (1 H100 GPU and 1 CPU cores)" in str(ledger.errors[0])
    assert "cluster.wait_for_nodes_s" in str(ledger.errors[0])
    assert starts(tmp_path / "giant") == []


def test_a_node_that_joins_is_used(
    tmp_path: Path, fleet: Fleet, two_nodes: tuple[str, str], add_node: AddNode
) -> None:
    (tmp_path / "delay").write_text("0.4")
    many: list[CellRequest] = [
        ("instruct", SampleRequest(f"p{i}", (i + 1,), tuple(range(8)))) for i in range(120)
    ]
    joined: list[str] = []

    class Watching(Ledger):
        def event(self, event: EngineEvent) -> None:
            super().event(event)
            if event.kind is EventKind.LOADED and not joined:
                joined.append(add_node())

    ledger = serve(split(tmp_path, 8, requests=many), limits=AUTO, fleet=fleet, ledger=Watching())
    assert ledger.samples.keys() == wanted(many)
    assert {record.node_ids[0] for record in fleet.records} == {*two_nodes, *joined}
    assert set(ledger.samples.values()) == {1}
