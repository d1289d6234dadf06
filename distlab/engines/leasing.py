"""Leases: requests handed to replicas, results taken from them."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from ray.exceptions import RayError

from distlab.engines.events import EventKind, Observer
from distlab.engines.messages import CellRequest, Finished, Lease
from distlab.engines.queue import Taken
from distlab.engines.tasks import Tasks
from distlab.engines.workload import Serving, Workload
from distlab.store.cell import ProblemFailure

FollowUp = Callable[[Finished], Awaitable[Iterable[CellRequest]]]
"""What came back to further requests of the checkpoint, if any; awaited beside the sampling."""


class Leasing:
    """Keeps replicas busy until it is halted, and passes on what they draw."""

    def __init__(
        self,
        tasks: Tasks,
        sink: Callable[[Finished], None],
        observer: Observer,
        follow_up: FollowUp | None,
    ) -> None:
        """Prepare for any number of workloads.

        Args:
            tasks: Where its own run.
            sink: Takes what came back.
            observer: Is told of requests that are set aside.
            follow_up: Asks for further requests in the light of what came back.
        """
        self._tasks = tasks
        self._sink = sink
        self._observer = observer
        self._follow_up = follow_up
        self._halted = False

    def halt(self) -> None:
        """Hand out nothing any more."""
        self._halted = True

    def feed_all(self, workload: Workload) -> None:
        """Lease requests to every replica of a workload that has room."""
        for serving in list(workload.serving):
            self.feed(workload, serving)

    def feed(self, workload: Workload, serving: Serving) -> None:
        """Lease requests where there is room; near the end everyone gets a fair share."""
        if self._halted or serving.over.done() or workload.error is not None:
            return
        share = -(-workload.queue.waiting // len(workload.serving))
        taken = workload.queue.take(min(serving.room, share), is_idle=not serving.keys)
        if taken is not None:
            serving.alone = taken.alone
            serving.outstanding += workload.queue.sequences(taken)
            serving.keys.update((key, request.problem_id) for key, request in taken.works)
            lease = self._tasks.spawn(self._consume(workload, serving, taken))
            serving.leases.add(lease)
            lease.add_done_callback(serving.leases.discard)

    async def _consume(self, workload: Workload, serving: Serving, taken: Taken) -> None:
        """Take one lease's results."""
        named = {cell for key, request in taken.works for cell in (key, request.greedy) if cell}
        cells = {key: workload.queue.cells[key] for key in named}
        try:
            stream = serving.running.actor.sample.options(num_returns="streaming").remote(
                Lease(cells, taken.works)
            )
            async for ref in stream:
                self._deliver(workload, serving, await ref)
        except RayError as error:
            serving.end(error)

    def _deliver(self, workload: Workload, serving: Serving, finished: Finished) -> None:
        told = (*finished.done, *((f.cell, f.problem_id) for f in finished.failures))
        # What came along for another cell was never leased.
        keys = [key for key in told if key in serving.keys]
        serving.outstanding -= workload.queue.done(keys)
        serving.keys.difference_update(keys)
        if not serving.keys:
            serving.alone = False
        self._sink(finished)
        if workload.condemned:
            self.set_aside(workload, ())
        if self._follow_up is not None and finished.done:
            workload.following += 1
            self._tasks.spawn(self._add_more(workload, self._follow_up(finished)))
        self.feed(workload, serving)
        if workload.queue.is_done or not workload.queue.waiting:
            self._tasks.wake()

    async def _add_more(self, workload: Workload, more: Awaitable[Iterable[CellRequest]]) -> None:
        try:
            workload.queue.add(await more)
        finally:
            workload.following -= 1
            self._tasks.wake()
        self.feed_all(workload)

    def set_aside(self, workload: Workload, failures: Sequence[ProblemFailure]) -> None:
        """Report killers once the engine has shown that it can draw something, or at the end."""
        workload.condemned += failures
        if workload.condemned and (workload.queue.finished or workload.queue.is_done):
            for failure in workload.condemned:
                self._observer.event(workload.event(EventKind.SET_ASIDE, detail=failure.problem_id))
            self._sink(Finished({}, failures=tuple(workload.condemned)))
            workload.condemned = []
