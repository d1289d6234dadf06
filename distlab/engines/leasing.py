"""Leases: requests handed to replicas, results taken from them."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from ray.exceptions import RayError

from distlab.engines.events import EventKind, Observer
from distlab.engines.fleet import Running
from distlab.engines.keeping import Keeping, pieces
from distlab.engines.messages import CellRequest, Finished, Lease, Report
from distlab.engines.queue import Taken
from distlab.engines.tasks import Tasks
from distlab.engines.workload import Serving, Workload
from distlab.store.cell import ProblemFailure

FollowUp = Callable[[Finished], Awaitable[Iterable[CellRequest]]]
"""What came back to further requests of the checkpoint, if any; awaited beside the sampling."""

# Seconds in which what a replica has finished gathers for one report, for each replica more, and
# at most (ours): a report and the lease after it cost the driver about a millisecond, of however
# many replicas, and a replica has a few batches to go on with.
_GATHER_S = 0.5
_GATHER_OF_EACH_S = 0.02
_GATHER_AT_MOST_S = 10.0


@dataclass(frozen=True, slots=True)
class Sink:
    """Where what replicas draw goes.

    Attributes:
        take: Takes what came back.
        follow_up: Asks for further requests in the light of what came back.
        keeping: How replicas commit what they draw; None where they send it here.
    """

    take: Callable[[Finished], None]
    follow_up: FollowUp | None = None
    keeping: Keeping | None = None


class Leasing:
    """Keeps replicas busy until it is halted, and passes on what they draw."""

    def __init__(
        self,
        tasks: Tasks,
        sink: Sink,
        observer: Observer,
    ) -> None:
        """Prepare for any number of workloads.

        Args:
            tasks: Where its own run.
            sink: Where what comes back goes.
            observer: Is told of requests that are set aside.
        """
        self._tasks = tasks
        self._take = sink.take
        self._observer = observer
        self._follow_up = sink.follow_up
        self._keeping = sink.keeping
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
        taken = workload.queue.take(min(serving.room, share), is_idle=not serving.leased)
        if taken is not None:
            serving.alone = taken.alone
            serving.outstanding += workload.queue.sequences(taken)
            serving.leased.update(((key, r.problem_id), (key, r)) for key, r in taken.works)
            self._hand_out(workload, serving, taken)

    def _hand_out(self, workload: Workload, serving: Serving, taken: Taken) -> None:
        named = {cell for key, request in taken.works for cell in (key, request.greedy) if cell}
        lease = Lease({key: workload.queue.cells[key] for key in named}, taken.works)
        if self._keeping is not None:
            _lend(serving, lease)
            return
        consuming = self._tasks.spawn(self._consume(workload, serving, lease))
        serving.leases.add(consuming)
        consuming.add_done_callback(serving.leases.discard)

    async def _consume(self, workload: Workload, serving: Serving, lease: Lease) -> None:
        """Take one lease's results."""
        try:
            stream = serving.running.actor.sample.options(num_returns="streaming").remote(lease)
            async for ref in stream:
                self._deliver(workload, serving, await ref)
        except RayError as error:
            serving.end(error)

    # Replicas that commit what they draw

    async def open(self, running: Running) -> None:
        """Have a replica get ready to commit, where replicas do.

        Raises:
            UserError: It cannot.
            RayError: It is dead.
        """
        running.tag = "" if self._keeping is None else await self._keeping.open(running)

    async def follow(self, workload: Workload, serving: Serving) -> None:
        """Take what a replica finishes and commits, where it commits itself."""
        while self._keeping is not None:
            lending, serving.lending = tuple(serving.lending or ()), None
            gather_s = workload.spaced_s(_GATHER_S, _GATHER_OF_EACH_S, _GATHER_AT_MOST_S)
            asked = serving.running.actor.report.remote(gather_s, lending)
            try:
                report = await asked
            except RayError as error:
                serving.end(error)
                return
            serving.lending, serving.heard = [], report.pulse
            self._receive(serving, self._keeping, report)
            self._deliver(workload, serving, report.finished)

    def _receive(self, serving: Serving, keeping: Keeping, report: Report) -> None:
        for receipt in report.receipts:
            serving.receive(receipt)
        keeping.receive(report)
        if report.is_settled:
            serving.settled.set()

    def flush(self, workload: Workload) -> None:
        """Have replicas commit at once where nothing else is left to draw."""
        if workload.queue.is_done:
            for serving in workload.serving:
                # Once each: at the end every report of every replica comes by here.
                if serving.kept and not serving.is_hurried:
                    _flush(serving)

    async def settle(self, serving: Serving, patience_s: float) -> None:
        """Have a replica that stops serving commit what it has finished, for some seconds."""
        if self._keeping is None or not (serving.kept or self._halted):
            return
        serving.settled.clear()
        _flush(serving)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(serving.settled.wait(), patience_s)

    async def recover(self, workload: Workload, serving: Serving) -> None:
        """Ask the store what a dead replica had committed; what it had finished waits again.

        Raises:
            OSError: The store does not answer.
            UserError: A shard cannot be read.
        """
        if (keeping := self._keeping) is None:
            return
        flying = {key: dict(pieces(work)) for key, work in serving.leased.items()}
        wanted = {k: p for parts in flying.values() for k, p in parts.items()} | serving.kept
        found = await asyncio.to_thread(keeping.found, serving.running.tag, wanted)
        self._receive(serving, keeping, Report(Finished({}), tuple(found)))
        for key, parts in flying.items():
            if serving.early & parts.keys():
                workload.queue.done([key])
                del serving.leased[key]
                workload.queue.add(p for k, p in parts.items() if k not in serving.early)
        workload.queue.add(serving.kept.values())
        serving.kept.clear()

    def _deliver(self, workload: Workload, serving: Serving, finished: Finished) -> None:
        told = (*finished.done, *((f.cell, f.problem_id) for f in finished.failures))
        # What came along for another cell was never leased.
        keys = [key for key in told if key in serving.leased]
        if self._keeping is not None:
            serving.keep(finished.done)
        serving.outstanding -= workload.queue.done(keys)
        for key in keys:
            del serving.leased[key]
        if not serving.leased:
            serving.alone = False
        self._take(finished)
        if workload.condemned:
            self.set_aside(workload, ())
        if self._follow_up is not None and finished.done:
            workload.following += 1
            self._tasks.spawn(self._add_more(workload, self._follow_up(finished)))
        self.feed(workload, serving)
        self.flush(workload)
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
            self._take(Finished({}, failures=tuple(workload.condemned)))
            workload.condemned = []


def _lend(serving: Serving, lease: Lease) -> None:
    """Hand a lease over with the next question, where one is about to be put: a call less."""
    serving.is_hurried = False
    if serving.lending is not None:
        serving.lending.append(lease)
        return
    # That it is dead, its next report tells.
    with contextlib.suppress(RayError):
        serving.running.actor.lend.remote(lease)


def _flush(serving: Serving) -> None:
    serving.is_hurried = True
    # That it is dead, its next report tells.
    with contextlib.suppress(RayError):
        serving.running.actor.flush.remote()
