"""Dispatcher, fleet and replicas over scripted engines, with faults."""

import asyncio
import json
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from distlab.decoding.interface import SampleRequest
from distlab.engines.dispatcher import Dispatcher
from distlab.engines.endpoint import Endpoint
from distlab.engines.events import EventKind
from distlab.engines.fleet import Fleet
from distlab.engines.leasing import Sink
from distlab.engines.messages import CellRequest, Finished
from distlab.engines.workload import EngineJob
from tests.engines.ledger import (
    CELLS,
    LIMITS,
    REQUESTS,
    SETTINGS,
    Ledger,
    assert_same,
    job,
    serve,
    wanted,
)
from tests.engines.openai_server import NAME, Script, Standin, serving
from tests.engines.scripted import KILLER, REFUSED, starts

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_up")]

# Short enough to wait for, and long enough for a machine whose cores are shared by real engines.
HASTY = replace(LIMITS, hang_s=6)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    ledger = serve(job(tmp_path_factory.mktemp("script")))
    assert set(ledger.samples) == wanted()
    return ledger


def test_every_sample_is_delivered_once_by_one_load(undisturbed: Ledger) -> None:
    assert_same(undisturbed, undisturbed)
    assert undisturbed.count(EventKind.LOADED) == 1
    assert (undisturbed.failures, undisturbed.deaths, undisturbed.errors) == ([], 0, (None,))


def test_two_replicas_share_the_queue_and_give_the_same(
    tmp_path: Path, undisturbed: Ledger
) -> None:
    (tmp_path / "delay").write_text("0.2")
    ledger = serve(job(tmp_path), limits=replace(LIMITS, replicas=2))
    assert_same(ledger, undisturbed)
    assert len(starts(tmp_path)) == 2


@pytest.mark.parametrize("fault", ["die-once", "exit-once", "hang-once"])
def test_a_dead_or_hung_engine_is_rebuilt_and_nothing_is_lost_or_doubled(
    tmp_path: Path, undisturbed: Ledger, fault: str
) -> None:
    (tmp_path / fault).touch()
    limits = HASTY if fault == "hang-once" else LIMITS
    ledger = serve(job(tmp_path), limits=limits)
    assert_same(ledger, undisturbed)
    assert (len(starts(tmp_path)), ledger.deaths, ledger.failures) == (2, 1, [])
    assert ledger.count(EventKind.HUNG) == (fault == "hang-once")


def test_an_engine_whose_front_end_is_busy_is_not_taken_for_hung(
    tmp_path: Path, undisturbed: Ledger
) -> None:
    (tmp_path / "busy-once").touch()
    ledger = serve(job(tmp_path), limits=HASTY)
    assert_same(ledger, undisturbed)
    assert (len(starts(tmp_path)), ledger.deaths) == (1, 0)


def test_an_engine_whose_front_end_is_stuck_is_rebuilt(tmp_path: Path, undisturbed: Ledger) -> None:
    (tmp_path / "frozen-once").touch()
    ledger = serve(job(tmp_path), limits=HASTY)
    assert_same(ledger, undisturbed)
    (hung,) = [e for e in ledger.events if e.kind is EventKind.HUNG]
    assert "no answer for 6 s" in hung.detail


def test_an_engine_that_fails_to_load_once_is_tried_again(
    tmp_path: Path, undisturbed: Ledger
) -> None:
    (tmp_path / "load-once").touch()
    ledger = serve(job(tmp_path))
    assert_same(ledger, undisturbed)
    (failed,) = [e for e in ledger.events if e.kind is EventKind.LOAD_FAILED]
    assert "out of memory while loading" in failed.detail


def test_an_engine_that_hangs_while_it_loads_is_tried_again(
    tmp_path: Path, undisturbed: Ledger
) -> None:
    (tmp_path / "load-hang-once").touch()
    ledger = serve(job(tmp_path), limits=replace(LIMITS, load_hang_s=4))
    assert_same(ledger, undisturbed)
    (failed,) = [e for e in ledger.events if e.kind is EventKind.LOAD_FAILED]
    assert "has not got on for 4 s (cluster.load_hang_s)" in failed.detail


def test_an_engine_that_never_loads_is_given_up_and_others_go_on(
    tmp_path: Path, undisturbed: Ledger
) -> None:
    bad, good = tmp_path / "bad", tmp_path / "good"
    bad.mkdir()
    good.mkdir()
    (bad / "load-always").touch()
    ledger = serve(job(bad), job(good))
    assert_same(ledger, undisturbed)
    assert ledger.errors[1] is None
    assert "bad did not load, twice" in str(ledger.errors[0])
    assert "out of memory while loading" in str(ledger.errors[0])
    assert len(starts(bad)) == 2


def test_a_refused_request_is_that_problems_failure_alone(tmp_path: Path) -> None:
    refused = ("base", SampleRequest("bad", (REFUSED,), (0, 1)))
    ledger = serve(job(tmp_path, [refused, *REQUESTS]))
    assert set(ledger.samples) == wanted()
    (failure,) = ledger.failures
    assert (failure.cell, failure.problem_id) == ("base", "bad")
    assert "this prompt is refused" in failure.error
    assert ledger.deaths == 0


def test_a_problem_that_kills_every_engine_is_set_aside_and_no_other_is(
    tmp_path: Path, undisturbed: Ledger
) -> None:
    killer = ("instruct", SampleRequest("killer", (KILLER,), (0,)))
    ledger = serve(job(tmp_path, [*REQUESTS, killer]))
    assert_same(ledger, undisturbed)
    (failure,) = ledger.failures
    assert (failure.cell, failure.problem_id) == ("instruct", "killer")
    assert "CUDA error" in failure.error
    assert failure.set_aside
    assert ledger.deaths == 4


def test_an_engine_that_dies_of_everything_is_to_blame_and_no_problem_is(tmp_path: Path) -> None:
    requests: list[CellRequest] = [
        ("base", SampleRequest(f"p{i}", (KILLER, i), (0,))) for i in range(4)
    ]
    ledger = serve(job(tmp_path, requests))
    assert ledger.failures == []
    assert "died 5 times in a row without finishing a problem" in str(ledger.errors[0])


def test_a_halt_keeps_what_is_finished_and_ends(tmp_path: Path) -> None:
    (tmp_path / "delay").write_text("0.05")
    ledger = Ledger()
    many: list[CellRequest] = [
        ("instruct", SampleRequest(f"p{i}", (i + 1,), (0,))) for i in range(200)
    ]

    async def halted(fleet: Fleet) -> None:
        dispatcher = Dispatcher(fleet, [job(tmp_path, many)], LIMITS, Sink(ledger.take), ledger)
        delivered = asyncio.Event()
        ledger.on_take = delivered.set
        serving = asyncio.ensure_future(dispatcher.run())
        await delivered.wait()
        dispatcher.halt()
        await serving

    fleet = Fleet()
    asyncio.run(halted(fleet))
    fleet.close()
    assert 0 < len(ledger.samples) < 200
    assert set(ledger.samples.values()) == {1}
    assert len(list(tmp_path.glob("shutdown-*"))) == 1


def test_an_engine_that_is_up_serves_the_next_call(tmp_path: Path) -> None:
    fleet = Fleet()
    first = serve(job(tmp_path, REQUESTS[:4]), fleet=fleet)
    # Smaller limits than the engine's are no reason for another one.
    second = serve(job(tmp_path, REQUESTS[4:], max_model_len=32), fleet=fleet)
    fleet.close()
    assert set(first.samples) | set(second.samples) == wanted()
    assert len(starts(tmp_path)) == fleet.starts == 1
    assert second.count(EventKind.REUSED) == 1
    assert [record.end for record in fleet.records] == ["stopped"]


def test_an_idle_engine_makes_room_for_another_checkpoint(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    fleet = Fleet()
    serve(job(one, REQUESTS[:4], cpus_per_rank=2), fleet=fleet)
    ledger = serve(job(other, REQUESTS[:4], cpus_per_rank=2), fleet=fleet)
    assert set(ledger.samples) == wanted(REQUESTS[:4])
    assert [running.settings.model for running in fleet.replicas] == [str(other)]
    fleet.close()


def test_more_draws_can_be_asked_for_in_the_light_of_what_came_back(tmp_path: Path) -> None:
    more: list[CellRequest] = [("instruct", SampleRequest("p3", (4, 7), (4, 5)))]

    async def follow_up(finished: Finished) -> Iterable[CellRequest]:
        await asyncio.sleep(0.01)
        return [more.pop()] if more and ("instruct", "p3") in finished.done else []

    ledger, fleet = Ledger(), Fleet()
    requests = [work for work in REQUESTS if work[0] == "instruct"]
    dispatcher = Dispatcher(
        fleet, [job(tmp_path, requests)], LIMITS, Sink(ledger.take, follow_up), ledger
    )
    asyncio.run(dispatcher.run())
    fleet.close()
    assert set(ledger.samples) == wanted(requests) | {("instruct", "p3", 4), ("instruct", "p3", 5)}


def test_an_engine_is_kept_while_what_follows_is_not_known(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    first: list[CellRequest] = [("instruct", SampleRequest("p0", (1, 7), (0,)))]
    more: list[CellRequest] = [("instruct", SampleRequest("p0", (1, 7), (1, 2)))]

    async def follow_up(finished: Finished) -> Iterable[CellRequest]:
        # Long enough for the other checkpoint to claim the cores.
        await asyncio.sleep(3.0 if more else 0.0)
        return [more.pop()] if more else []

    fleet, ledger = Fleet(), Ledger()
    waiting: list[CellRequest] = [("base", SampleRequest("p1", (2, 7), (0,)))]
    jobs = [job(one, first, cpus_per_rank=2), job(other, waiting, cpus_per_rank=2)]
    dispatcher = Dispatcher(fleet, jobs, LIMITS, Sink(ledger.take, follow_up), ledger)
    asyncio.run(dispatcher.run())
    fleet.close()
    assert set(ledger.samples) == wanted([*first, *waiting]) | {
        ("instruct", "p0", 1),
        ("instruct", "p0", 2),
    }
    assert (len(starts(one)), len(starts(other))) == (1, 1)


def test_a_shared_prefix_is_read_once_a_replica_before_the_rest(tmp_path: Path) -> None:
    cells = {"instruct": replace(CELLS["instruct"], prefix=3)}
    requests: list[CellRequest] = [
        ("instruct", SampleRequest(f"p{i}", (9, 9, 9, i), (0, 1))) for i in range(6)
    ]
    (tmp_path / "log-prompts").touch()
    fleet = Fleet()
    one = replace(job(tmp_path, requests), cells=cells)
    serve(one, fleet=fleet)
    serve(one, fleet=fleet)
    fleet.close()
    prompts = (tmp_path / "prompts").read_text().splitlines()
    assert prompts[0] == "9 9 9"
    assert prompts.count("9 9 9") == 1
    assert len(prompts) == 1 + 2 * 6 * 2


def test_a_server_that_is_killed_and_comes_back_costs_no_sample_and_doubles_none() -> None:
    """What was in flight is taken back, and a new client waits for the server."""
    prompts = [json.dumps({"turns": [{"content": f"{i} a b"}], "kwargs": {}}) for i in range(8)]
    requests = [
        ("instruct", SampleRequest(f"p{i}", tuple(prompt.encode()), (0, 1)))
        for i, prompt in enumerate(prompts)
    ]
    with serving(Script(takes_ids=False, delay_s=0.3)) as first:
        endpoint = Endpoint(first.url, NAME, chat=True, extended=True, engine="vllm", patience_s=60)
        engine = "tests.engines.impatient:ImpatientEngine"
        drawn = EngineJob(
            NAME,
            replace(SETTINGS, model=NAME, device="server", engine=engine, endpoint=endpoint),
            CELLS,
            requests,
        )
        back = Standin(Script(takes_ids=False), first.port)

        def kill() -> None:
            while len(first.script.requests) < 6:
                time.sleep(0.02)
            first.stop()
            time.sleep(1)
            back.start()

        killer = threading.Thread(target=kill)
        killer.start()
        ledger = serve(drawn, limits=replace(LIMITS, hang_s=120))
        killer.join()
    back.stop()
    assert set(ledger.samples) == wanted(requests)
    assert set(ledger.samples.values()) == {1}
    assert (ledger.deaths, ledger.failures, ledger.errors) == (1, [], (None,))
    (died,) = [event for event in ledger.events if event.kind is EventKind.DIED]
    assert f"the server at {first.url} does not answer" in died.detail
