"""How often a replica that commits itself is called: each call costs the driver."""

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

from distlab.engines.leasing import Leasing, Sink
from distlab.engines.messages import CellRequest, Finished, Lease, Report
from distlab.engines.tasks import Tasks
from distlab.engines.workload import EngineJob, Serving, Workload
from tests.engines.ledger import CELLS, REQUESTS, SETTINGS, Ledger

Calls = list[tuple[str, tuple[Any, ...]]]


class Actor:
    """Notes its calls; a report comes when a test gives it."""

    def __init__(self) -> None:
        self.calls: Calls = []
        self.reports: asyncio.Queue[Report] = asyncio.Queue()

    def __getattr__(self, method: str) -> SimpleNamespace:
        def remote(*given: Any) -> Coroutine[Any, Any, Report]:  # noqa: ANN401 (as Ray's)
            self.calls.append((method, given))
            return self.reports.get()

        return SimpleNamespace(remote=remote if method == "report" else self._noted(method))

    def _noted(self, method: str) -> Callable[..., None]:
        return lambda *given: self.calls.append((method, given))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


def told(*works: CellRequest) -> Report:
    return Report(Finished({}, tuple((cell, request.problem_id) for cell, request in works)))


def driven(requests: list[CellRequest], replies: list[Report], *, idle: int = 0) -> list[Actor]:
    """One replica that serves and gets replies, and idle ones; returns their actors."""

    async def drive() -> list[Actor]:
        workload = Workload.of(EngineJob("m", SETTINGS, CELLS, requests))
        running: Any = [
            SimpleNamespace(actor=Actor(), settings=SETTINGS, tag="t") for _ in range(1 + idle)
        ]
        loop = asyncio.get_running_loop()
        workload.serving += [Serving(each, loop.create_future()) for each in running]
        kept: Any = SimpleNamespace(receive=lambda report: None)
        leasing = Leasing(Tasks(), Sink(lambda finished: None, keeping=kept), Ledger())
        serving = workload.serving[0]
        leasing.feed(workload, serving)
        for other in workload.serving[1:]:
            other.kept = dict.fromkeys([("base", "done")], REQUESTS[0])
        following = asyncio.ensure_future(leasing.follow(workload, serving))
        for reply in replies:
            running[0].actor.reports.put_nowait(reply)
        for _ in range(20):
            await asyncio.sleep(0)
        following.cancel()
        return [each.actor for each in running]

    return asyncio.run(drive())


def test_a_lease_goes_with_the_question_for_the_report() -> None:
    first, second = REQUESTS[:1], REQUESTS[1:2]
    (actor,) = driven([*first, *second], [told(*first)])
    assert set(actor.names) == {"report"}
    lent = [lease for _, (_, leases) in actor.calls for lease in leases]
    assert all(isinstance(lease, Lease) for lease in lent)
    assert sorted(r.problem_id for lease in lent for _, r in lease.requests) == sorted(
        r.problem_id for _, r in [*first, *second]
    )


def test_at_the_end_each_replica_is_hurried_once_however_many_reports_come() -> None:
    work = REQUESTS[:1]
    actors = driven(work, [told(*work), told(), told(), told()], idle=3)
    assert [actor.names.count("flush") for actor in actors[1:]] == [1, 1, 1]
