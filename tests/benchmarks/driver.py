"""Row: samples per second through the driver and into the store, from 64 replicas without a model.

    python -m tests.benchmarks.driver [--replicas 64] [--problems 25000] [--commit replica]

Ray, fleet, dispatcher, committer and store are the product's; the replicas answer each lease at
once with a batch made beforehand, so that the cores are the driver's as far as they can be.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.console.display import Display
from distlab.console.progress import CellProgress, State
from distlab.decoding.interface import Sample, SampleRequest, Vitals
from distlab.engines import fleet as fleets
from distlab.engines.cluster import connected
from distlab.engines.events import EventLog
from distlab.engines.keeper import Drawing, Keeper, reach
from distlab.engines.messages import (
    CellRequest,
    CellWork,
    EngineSettings,
    Finished,
    Keep,
    Lease,
    Pulse,
    Reached,
    ReplicaInfo,
    Report,
    Site,
)
from distlab.engines.workload import BATCHES_AHEAD
from distlab.sampling.planned import PlannedCell
from distlab.sampling.prepare import prepare
from distlab.sampling.sampler import Engines, sample
from distlab.store.batches import to_batch
from distlab.store.store import Store
from tests.benchmarks.server import serve

N = 20
TOKENS = 100
SMALL = 1000
IDS = tuple(range(60))
RANKS = tuple(range(N))
GO = "go"
# So that a lease is as many samples as each of 64 real engines gathers at 20 000 samples/s.
SEQUENCES = 40
MADE: list[pa.RecordBatch] = []


class Prebuilt:
    """Takes the place of ``Replica``: the same calls, no engine."""

    def __init__(self, settings: EngineSettings, site: Site) -> None:
        self._batch = prebuilt()
        self._steps = 0
        self._keeper: Keeper | None = None

    async def process(self) -> int:
        return os.getpid()

    async def start(self) -> ReplicaInfo:
        return ReplicaInfo("here", os.getpid(), 0.0)

    async def sample(self, lease: Lease) -> AsyncIterator[Finished]:
        ((cell, work),) = lease.cells.items()
        await ready(work)
        yield self._made(cell, [request.problem_id for _, request in lease.requests])

    async def keep(self, keep: Keep) -> Reached:
        store, probe = await asyncio.to_thread(reach, keep)
        self._keeper = Keeper(keep, store)
        return Reached(probe)

    async def lend(self, lease: Lease) -> None:
        assert self._keeper is not None
        for cell, request in lease.requests:
            drawing = asyncio.ensure_future(ready(lease.cells[cell]))
            self._keeper.expect(drawing, (cell, request), lease.cells)

    async def report(self, gather_s: float, leases: Sequence[Lease] = ()) -> Report:
        assert self._keeper is not None
        for lease in leases:
            await self.lend(lease)
        report = await self._keeper.report(gather_s, self._gather)
        return replace(report, pulse=await self.pulse())

    async def flush(self) -> None:
        assert self._keeper is not None
        self._keeper.flush()

    async def _gather(
        self, works: Mapping[str, CellWork], finished: Sequence[tuple[CellRequest, Drawing]]
    ) -> Finished:
        if not finished:
            return Finished({})
        return self._made(finished[0][0][0], [request.problem_id for (_, request), _ in finished])

    def _made(self, cell: str, names: Sequence[str]) -> Finished:
        rows = self._batch.slice(0, len(names) * N)
        columns = [pa.array(np.repeat(names, N), pa.string()), *rows.columns[1:]]
        batch = pa.RecordBatch.from_arrays(columns, schema=rows.schema)
        self._steps += 1
        return Finished(
            {cell: batch}, tuple((cell, name) for name in names), {cell: batch.num_rows * TOKENS}
        )

    async def pulse(self) -> Pulse:
        if self._keeper is not None:
            self._keeper.hear()
        return Pulse(Vitals(self._steps), 0.0)

    async def check(self) -> None: ...

    async def halt(self) -> None: ...

    async def stop(self) -> None: ...


def prebuilt() -> pa.RecordBatch:
    """As many samples as a lease is at most: a request of siblings takes one sequence at least.

    Made once in a process. No ``functools.cache``, which Ray cannot send from ``__main__``.
    """
    if not MADE:
        one = [
            Sample("", rank, IDS, tuple(range(TOKENS)), "The answer is 42. " * 20, False, seed=rank)
            for rank in RANKS
        ]
        MADE.append(to_batch(one * (BATCHES_AHEAD * SEQUENCES), "bench"))
    return MADE[0]


async def ready(work: CellWork) -> dict[str, list[Sample]]:
    while work.run != "bench" and not (Path(work.run) / GO).exists():
        await asyncio.sleep(0.1)
    return {}


@dataclass(frozen=True, slots=True)
class Scripted:
    """Which replicas serve, and what else the study asks for."""

    fleet: Callable[[], fleets.Fleet] = fleets.Fleet
    overrides: tuple[str, ...] = ()


class Silent:
    """Shows nothing."""

    def refresh(self, state: State) -> None: ...

    def say(self, line: str) -> None: ...


class Side:
    """The driver, with replicas that stay up."""

    def __init__(
        self, stack: ExitStack, replicas: int, commit: str, scripted: Scripted = Scripted()
    ) -> None:
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        share = len(os.sched_getaffinity(0)) / replicas
        overrides = [
            "decoding=stochastic",
            "decoding.base=[]",
            f"cluster.replicas={replicas}",
            f"cluster.max_num_seqs={SEQUENCES}",
            f"cluster.commit={commit}",
            f"store={self._folder / 'store'}",
            *scripted.overrides,
        ]
        study = validate(compose_config(overrides))
        self._cluster = replace(study.cluster, cpus_per_rank=share)
        (self._planned,) = prepare(study, Store.open(study.store)).cells
        self._count = 0
        stack.enter_context(connected(self._cluster))
        fleets.Replica = Prebuilt  # type: ignore[misc, assignment]
        self._fleet = scripted.fleet()
        stack.callback(self._fleet.close)
        threading.Thread(target=self._go, args=(replicas,), daemon=True).start()
        self._draw(4 * replicas, str(self._folder))

    def _go(self, replicas: int) -> None:
        """Let the first draws end when every replica is up, so that none starts later."""
        while sum(record.load_s is not None for record in self._fleet.records) < replicas:
            time.sleep(0.2)
        (self._folder / GO).touch()

    def answer(self, job: dict[str, Any]) -> dict[str, Any]:
        return self._draw(job["problems"], "bench")

    def _draw(self, problems: int, run: str) -> dict[str, Any]:
        planned = self._cell(problems)
        planned.stored.create(planned.fields)
        state = State(cells={planned.cell.path: CellProgress("", 0, 0)})
        display = Display(state, Silent())
        engines = Engines(self._cluster, self._fleet, EventLog(self._folder / "events.jsonl"))
        wall, cpu = time.perf_counter(), time.process_time()
        outcome = sample([planned], engines, run, display)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        assert outcome.samples == problems * N, (outcome.samples, outcome.errors)
        assert run != "bench" or outcome.starts == 0
        return {"samples": outcome.samples, "seconds": wall, "cpu_s": cpu, "rss_mib": rss_mib()}

    def _cell(self, problems: int) -> PlannedCell:
        """A cell of its own with so many problems, of one prompt."""
        self._count += 1
        path = f"{self._planned.cell.path}-{self._count}"
        store = self._planned.stored.store
        requests = tuple(SampleRequest(f"p{i}", IDS, RANKS) for i in range(problems))
        return replace(
            self._planned,
            cell=replace(self._planned.cell, path=path),
            stored=store.cell(path),
            requests=requests,
        )


def rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def start(
    stack: ExitStack, replicas: int, commit: str
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return Side(stack, replicas, commit).answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replicas", type=int, default=64)
    parser.add_argument("--commit", choices=["driver", "replica"], default="driver")
    parser.add_argument("--problems", type=int, default=0, help="draw so many and print the cost")
    asked = parser.parse_args()
    with ExitStack() as stack:
        if not asked.problems:
            serve(lambda: start(stack, asked.replicas, asked.commit))
            return
        answer = start(stack, asked.replicas, asked.commit)
        for problems in (SMALL, asked.problems):
            print(json.dumps(answer({"problems": problems})), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
