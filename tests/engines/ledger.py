"""What a test of the dispatcher gives it and sees of it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from distlab.decoding.cot import CoT
from distlab.decoding.decoder import DecodingSpec
from distlab.decoding.interface import SampleRequest
from distlab.decoding.stochastic import Stochastic
from distlab.engines.dispatcher import Dispatcher
from distlab.engines.events import EngineEvent, EventKind
from distlab.engines.fleet import Fleet
from distlab.engines.leasing import Sink
from distlab.engines.messages import CellRequest, CellWork, EngineSettings, Finished, Pulse
from distlab.engines.workload import EngineJob, Limits
from distlab.store.cell import ProblemFailure

SETTINGS = EngineSettings(
    model="scripted",
    revision=None,
    dtype="float32",
    quantization=None,
    device="cpu",
    max_model_len=64,
    max_num_seqs=4,
    max_logprobs=64,
    engine="tests.engines.scripted:ScriptedEngine",
    cpus_per_rank=0.5,
)
CELLS = {
    "base": CellWork(DecodingSpec("cot", CoT(), 8), (), 0, "w", "run"),
    "instruct": CellWork(DecodingSpec("t1", Stochastic(), 16), (), 0, "w", "run"),
}
REQUESTS = [
    (cell, SampleRequest(f"p{i}", (i + 1, 7), tuple(range(4)))) for cell in CELLS for i in range(12)
]
LIMITS = Limits(replicas=1, hang_s=30, wait_for_nodes_s=60, load_hang_s=600)

Sample = tuple[str, str, int]


class Ledger:
    """Takes what the dispatcher delivers, and notes what it reports."""

    def __init__(self) -> None:
        self.samples: Counter[Sample] = Counter()
        self.tokens: dict[Sample, tuple[int, ...]] = {}
        self.failures: list[ProblemFailure] = []
        self.events: list[EngineEvent] = []
        self.errors: tuple[str | None, ...] = ()
        self.on_take: Callable[[], None] = lambda: None

    def take(self, finished: Finished) -> None:
        for cell, batch in finished.batches.items():
            for row in batch.to_pylist():
                key = (cell, row["problem_id"], row["rank"])
                self.samples[key] += 1
                self.tokens[key] = tuple(row["token_ids"])
        self.failures += finished.failures
        self.on_take()

    def event(self, event: EngineEvent) -> None:
        self.events.append(event)

    def pulse(self, replica: str, pulse: Pulse, requests: Mapping[str, int]) -> None:
        pass

    def count(self, *kinds: EventKind) -> int:
        return sum(event.kind in kinds for event in self.events)

    @property
    def deaths(self) -> int:
        return self.count(EventKind.DIED, EventKind.HUNG)


def job(folder: Path, requests: list[CellRequest] = REQUESTS, **settings: object) -> EngineJob:
    return EngineJob(folder.name, replace(SETTINGS, model=str(folder), **settings), CELLS, requests)  # type: ignore[arg-type]


def serve(
    *jobs: EngineJob,
    limits: Limits = LIMITS,
    fleet: Fleet | None = None,
    ledger: Ledger | None = None,
) -> Ledger:
    """Draw jobs to their end; without a fleet the engines are stopped after it."""
    ledger = ledger or Ledger()
    own = fleet or Fleet()
    dispatcher = Dispatcher(own, jobs, limits, Sink(ledger.take), ledger)
    try:
        ledger.errors = asyncio.run(dispatcher.run())
    finally:
        if fleet is None:
            own.close()
    return ledger


def wanted(requests: list[CellRequest] = REQUESTS) -> set[Sample]:
    return {
        (cell, request.problem_id, rank) for cell, request in requests for rank in request.ranks
    }


def assert_same(ledger: Ledger, undisturbed: Ledger) -> None:
    """The same keys with the same tokens, each once."""
    assert set(ledger.samples.values()) == {1}
    assert ledger.tokens == undisturbed.tokens
