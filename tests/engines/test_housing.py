"""Who starts, who makes room, and who has waited long enough, without a cluster."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

from distlab.decoding.interface import SampleRequest
from distlab.engines import housing
from distlab.engines.events import EngineEvent, EventKind
from distlab.engines.fleet import Running
from distlab.engines.housing import Housing
from distlab.engines.messages import Pulse
from distlab.engines.workload import EngineJob, Limits, Serving, Workload
from distlab.placement.placement import Node, Placement
from tests.engines.ledger import CELLS, REQUESTS, SETTINGS

LIMITS = Limits(replicas=None, hang_s=30, wait_for_nodes_s=60, load_hang_s=600)
NODE = Node("n1", cpus=2.0, gpus=0, gpu_type=None, memory_bytes=0, used_cpus=0.0, used_gpus=0)
FULL = Node("n1", cpus=2.0, gpus=0, gpu_type=None, memory_bytes=0, used_cpus=2.0, used_gpus=0)


class Told:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[EngineEvent] = []

    def event(self, event: EngineEvent) -> None:
        self.events.append(event)

    def pulse(self, replica: str, pulse: Pulse, requests: Mapping[str, int]) -> None:
        raise AssertionError("housing watches nobody")


def workload(name: str, requests: int = 4) -> Workload:
    return Workload.of(EngineJob(name, SETTINGS, CELLS, REQUESTS[:requests]))


def up(name: str) -> Running:
    nothing = cast(Any, None)
    return Running(name, SETTINGS, Placement((("n1", 1),)), ("h1",), nothing, nothing)


def serve(load: Workload, running: Running) -> Serving:
    serving = Serving(running, cast(Any, None))
    load.serving.append(serving)
    return serving


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(housing.time, "monotonic", lambda: now[0])
    return now


def test_a_workload_gets_its_first_replica_where_there_is_room(told: Told) -> None:
    load = workload("a")
    shared = Housing([load], LIMITS, told)
    assert not shared.is_complete
    moves = shared.moves([NODE], [], is_vacating=False)
    (started, placement), *_ = moves.starts
    assert (started, placement.ranks) == (load, (("n1", 1),))
    assert (moves.vacate, moves.hopeless, told.events) == ((), (), [])


def test_a_replica_without_work_makes_room_and_one_with_leases_does_not(told: Told) -> None:
    done, waiting = workload("done", requests=0), workload("waiting")
    serving = serve(done, up("r1"))
    shared = Housing([done, waiting], LIMITS, told)
    serving.leased["base", "p0"] = ("base", SampleRequest("p0", (1,), (0,)))
    assert shared.moves([FULL], [serving.running], is_vacating=False).vacate == ()
    serving.leased.clear()
    assert shared.moves([FULL], [serving.running], is_vacating=True).vacate == ()
    assert shared.moves([FULL], [serving.running], is_vacating=False).vacate == (serving.running,)


def test_nobody_is_given_up_while_others_work_or_before_its_time(
    told: Told, clock: list[float]
) -> None:
    busy, homeless = workload("busy"), workload("homeless")
    serve(busy, up("r1")).leased["base", "p0"] = ("base", SampleRequest("p0", (1,), (0,)))
    shared = Housing([busy, homeless], LIMITS, told)

    def hopeless(after_s: float) -> bool:
        clock[0] += after_s
        return homeless in shared.moves([FULL], [], is_vacating=False).hopeless

    assert not hopeless(0)
    assert not hopeless(600)
    busy.serving.clear()
    busy.error = "given up"
    assert not hopeless(59)
    assert hopeless(1)
    assert [(event.kind, event.model) for event in told.events] == [(EventKind.WAITING, "homeless")]


def test_a_cluster_that_has_all_it_has_use_for_is_complete(told: Told) -> None:
    assert Housing([workload("done", requests=0)], LIMITS, told).is_complete
