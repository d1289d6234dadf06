"""A replica that commits what it draws: a driver's silence, its claims, and a store it lacks."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from distlab.decoding.interface import Sample, SampleRequest
from distlab.engines import keeper as module
from distlab.engines.keeper import Drawing, Keeper, probe_name, reach
from distlab.engines.keeping import Keeping, pieces
from distlab.engines.messages import CellRequest, CellWork, Finished, Keep, Receipt, Report
from distlab.errors import UserError
from distlab.store.batches import to_batch
from distlab.store.claims import ClaimLost, claiming
from distlab.store.origin import Origin
from distlab.store.store import Store, StoredCell
from tests.engines.ledger import CELLS
from tests.store.cells import make_cell

ORIGIN = Origin("H100", "TP 1")


@pytest.fixture
def cell(tmp_path: Path) -> StoredCell:
    return make_cell(Store.open(str(tmp_path)))


async def gather(
    works: Mapping[str, CellWork], finished: Sequence[tuple[CellRequest, Drawing]]
) -> Finished:
    batches = {
        key: to_batch(
            [s for (of, _), task in finished if of == key for s in task.result()[key]], "r"
        )
        for key, _ in dict(request for request, _ in finished).items()
    }
    return Finished(batches, tuple((k, r.problem_id) for (k, r), _ in finished), origin=ORIGIN)


async def drawn(key: str, problem: str) -> dict[str, list[Sample]]:
    return {key: [Sample(problem, rank, (1,), (2, 3), "2", truncated=False) for rank in (0, 1)]}


def expect(keeper: Keeper, cell: StoredCell, *problems: str) -> None:
    for problem in problems:
        request = (cell.name, SampleRequest(problem, (1,), (0, 1)))
        keeper.expect(
            asyncio.ensure_future(drawn(cell.name, problem)), request, {cell.name: CELLS["base"]}
        )


async def reports(keeper: Keeper) -> list[Report]:
    """Until all is settled, or something is wrong."""
    keeper.flush()
    found = [await keeper.report(0.01, gather)]
    while not found[-1].is_settled and found[-1].error is None:
        found.append(await keeper.report(0.01, gather))
    return found


def said(cell: StoredCell, keep: Keep, *problems: str) -> list[Report]:
    async def driven() -> list[Report]:
        keeper = Keeper(keep, cell.store)
        expect(keeper, cell, *problems)
        await asyncio.sleep(0)
        found = await reports(keeper)
        await keeper.end()
        return found

    return asyncio.run(driven())


def keep_of(cell: StoredCell, driver: str | None = None) -> Keep:
    return Keep(cell.store.address, driver, id="a0" * 16)


def test_what_is_finished_is_told_and_then_what_is_in_the_store(cell: StoredCell) -> None:
    found = said(cell, keep_of(cell), "p", "q")
    assert {key for report in found for key in report.finished.done} == {
        (cell.name, "p"),
        (cell.name, "q"),
    }
    assert not any(report.finished.batches for report in found)
    (receipt,) = [receipt for report in found for receipt in report.receipts]
    assert receipt == Receipt(cell.name, ("p", "q"), 4, 8, 0)
    assert cell.ranks() == {"p": {0, 1}, "q": {0, 1}}
    assert cell.tagged("a0a0a0a0") == cell.shards()
    assert cell.tagged("b0b0b0b0") == ()


def test_a_driver_that_lost_its_claim_has_nothing_committed(cell: StoredCell) -> None:
    with claiming(cell.store, "ours") as claims:
        assert claims.take(cell) is None
        held = keep_of(cell, claims.driver.id)
        assert said(cell, held, "p")[-1].error is None
        claims.release(cell)
        (lost,) = [report.error for report in said(cell, held, "q") if report.error]
    assert isinstance(lost, ClaimLost)
    assert cell.ranks() == {"p": {0, 1}}


def test_nothing_is_committed_while_the_driver_is_silent(
    cell: StoredCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SILENCE_S", -1.0)
    monkeypatch.setattr(module, "_LOOK_S", 0.01)

    async def driven() -> None:
        keeper = Keeper(keep_of(cell), cell.store)
        expect(keeper, cell, "p")
        await asyncio.sleep(0)
        keeper.flush()
        while (await keeper.report(0.01, gather)).finished.done == ():
            pass
        await asyncio.sleep(0.1)
        assert cell.shards() == ()
        monkeypatch.setattr(module, "_SILENCE_S", 60.0)
        await keeper.end()

    asyncio.run(driven())
    assert cell.ranks() == {"p": {0, 1}}


def test_what_other_hardware_may_not_go_on_with_is_told_and_not_kept(cell: StoredCell) -> None:
    strange = {cell.name: frozenset({replace(ORIGIN, device="A100")})}
    found = said(cell, replace(keep_of(cell), origins=strange), "p")
    assert found[-1].is_settled
    assert [report.finished.origin for report in found if report.finished.done] == [ORIGIN]
    assert cell.shards() == ()


def test_a_store_that_is_another_one_is_not_reached(cell: StoredCell, tmp_path: Path) -> None:
    keep = keep_of(cell)
    with pytest.raises(OSError, match=probe_name(keep.id)):
        reach(keep)
    Path(cell.store.root, probe_name(keep.id)).write_text(keep.id)
    store, probe = reach(keep)
    assert Path(store.root, probe).read_text() == keep.id
    with pytest.raises((OSError, UserError)):
        reach(replace(keep, store=str(tmp_path / "elsewhere")))


def test_the_store_says_what_a_dead_replica_had_committed(cell: StoredCell) -> None:
    said(cell, keep_of(cell), "p", "q")
    keeping = Keeping(cell.store, keep_of(cell), lambda report: None)
    wanted = dict(
        piece
        for name in ("q", "r")
        for piece in pieces((cell.name, SampleRequest(name, (1,), (0, 1))))
    )
    assert keeping.found("a0a0a0a0", wanted) == [Receipt(cell.name, ("q",), 2, 4, 0)]
    assert keeping.found("b0b0b0b0", wanted) == []


def test_a_greedy_completion_that_comes_along_is_a_request_of_its_own() -> None:
    request = SampleRequest("p", (1,), (0, 1, 2), greedy="greedy")
    assert dict(pieces(("cot", request))) == {
        ("cot", "p"): ("cot", SampleRequest("p", (1,), (0, 1, 2))),
        ("greedy", "p"): ("greedy", SampleRequest("p", (1,), (0,))),
    }
    assert len(dict(pieces(("cot", replace(request, ranks=(1, 2)))))) == 1


def test_a_replica_with_nothing_left_to_draw_tells_so_at_once(cell: StoredCell) -> None:
    async def driven() -> Report:
        keeper = Keeper(keep_of(cell), cell.store)
        expect(keeper, cell, "p1")
        report = await asyncio.wait_for(keeper.report(3600, gather), 60)
        await keeper.end()
        return report

    assert asyncio.run(driven()).finished.done == ((cell.name, "p1"),)
