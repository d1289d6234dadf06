import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from distlab.decoding.types import DecodingKind, DecodingSpec, Draw
from distlab.engines.dispatcher import Dispatcher, EngineUnavailable, ReplicaPlan
from distlab.engines.types import (
    CellWork,
    EngineSettings,
    Finished,
    ReplicaInfo,
)
from distlab.samples.cell import ProblemFailure
from tests.engines.scripted import KILLER, REFUSED, FaultyFactory

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_up")]

SETTINGS = EngineSettings(
    model="scripted",
    revision=None,
    dtype="float32",
    quantization=None,
    device="cpu",
    max_model_len=64,
    max_num_seqs=8,
    max_logprobs=8,
)
CELLS = {
    "base": CellWork(DecodingSpec("cot", DecodingKind.COT, 8), (), 0, "w", "run"),
    "instruct": CellWork(
        DecodingSpec("t1", DecodingKind.STOCHASTIC, 8, temperature=1.0), (), 0, "w", "run"
    ),
}
DRAWS = [
    (cell, Draw(f"p{i}", (i + 1, 7), tuple(range(4)), "number"))
    for cell in CELLS
    for i in range(12)
]


class Ledger:
    """Takes what the dispatcher delivers, and counts what it reports."""

    def __init__(self) -> None:
        self.samples: Counter[tuple[str, str, int]] = Counter()
        self.tokens: dict[tuple[str, str, int], tuple[int, ...]] = {}
        self.failures: list[ProblemFailure] = []
        self.deaths: list[str] = []
        self.loads = 0
        self.on_take: Callable[[], None] = lambda: None

    def take(self, finished: Finished) -> None:
        for cell, batch in finished.batches.items():
            for row in batch.to_pylist():
                key = (cell, row["problem_id"], row["rank"])
                self.samples[key] += 1
                self.tokens[key] = tuple(row["token_ids"])
        self.failures += finished.failures
        self.on_take()

    def loading(self, replica: int) -> None:
        pass

    def loaded(self, replica: int, info: ReplicaInfo) -> None:
        self.loads += 1

    def died(self, replica: int, error: str) -> None:
        self.deaths.append(error)


def serve(
    faults: Path,
    draws: list[tuple[str, Draw]] = DRAWS,
    replicas: int = 1,
    delay_s: float = 0.0,
    ledger: Ledger | None = None,
) -> Ledger:
    ledger = ledger or Ledger()
    dispatcher = Dispatcher(
        SETTINGS, CELLS, draws, ledger.take, ledger, FaultyFactory(faults, delay_s)
    )
    asyncio.run(dispatcher.run(ReplicaPlan(replicas, 0.5, 0)))
    return ledger


def wanted(draws: list[tuple[str, Draw]] = DRAWS) -> set[tuple[str, str, int]]:
    return {(cell, draw.problem_id, rank) for cell, draw in draws for rank in draw.ranks}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return serve(tmp_path_factory.mktemp("faults"))


def assert_same(ledger: Ledger, undisturbed: Ledger) -> None:
    assert set(ledger.samples) == wanted()
    assert set(ledger.samples.values()) == {1}
    assert ledger.tokens == undisturbed.tokens


def test_every_sample_is_delivered_once_by_one_load(undisturbed: Ledger) -> None:
    assert_same(undisturbed, undisturbed)
    assert (undisturbed.loads, undisturbed.failures, undisturbed.deaths) == (1, [], [])


def test_two_replicas_share_the_queue_and_give_the_same(
    tmp_path: Path, undisturbed: Ledger
) -> None:
    ledger = serve(tmp_path, replicas=2, delay_s=0.02)
    assert_same(ledger, undisturbed)
    assert ledger.loads == 2


@pytest.mark.parametrize("fault", ["die-once", "exit-once"])
def test_a_dead_engine_is_rebuilt_and_nothing_is_lost_or_doubled(
    tmp_path: Path, undisturbed: Ledger, fault: str
) -> None:
    (tmp_path / fault).touch()
    ledger = serve(tmp_path)
    assert_same(ledger, undisturbed)
    assert (ledger.loads, len(ledger.deaths), ledger.failures) == (2, 1, [])


def test_an_engine_that_fails_to_load_once_is_tried_again(
    tmp_path: Path, undisturbed: Ledger
) -> None:
    (tmp_path / "load-once").touch()
    ledger = serve(tmp_path)
    assert_same(ledger, undisturbed)
    assert "out of memory while loading" in ledger.deaths[0]


def test_an_engine_that_never_loads_is_given_up_with_its_error(tmp_path: Path) -> None:
    (tmp_path / "load-always").touch()
    with pytest.raises(EngineUnavailable, match="out of memory while loading"):
        serve(tmp_path)
    assert len(list(tmp_path.glob("start-*"))) == 2


def test_a_refused_request_is_that_problems_failure_alone(tmp_path: Path) -> None:
    refused = ("base", Draw("bad", (REFUSED,), (0, 1), "number"))
    ledger = serve(tmp_path, [refused, *DRAWS])
    assert set(ledger.samples) == wanted()
    (failure,) = ledger.failures
    assert (failure.cell, failure.problem_id) == ("base", "bad")
    assert "this prompt is refused" in failure.error
    assert ledger.deaths == []


def test_a_problem_that_kills_every_engine_is_set_aside(tmp_path: Path) -> None:
    killer = ("instruct", Draw("killer", (KILLER,), (0,), "number"))
    ledger = serve(tmp_path, [*DRAWS[:2], killer])
    assert "killer" in {failure.problem_id for failure in ledger.failures}
    assert len(ledger.deaths) == 2
    done = set(ledger.samples)
    set_aside = {(f.cell, f.problem_id) for f in ledger.failures}
    assert {key[:2] for key in wanted(DRAWS[:2])} <= {key[:2] for key in done} | set_aside


def test_a_halt_keeps_what_is_finished_and_ends(tmp_path: Path) -> None:
    ledger = Ledger()
    many = [("instruct", Draw(f"p{i}", (i + 1,), (0,), "number")) for i in range(200)]

    async def halted() -> None:
        dispatcher = Dispatcher(
            SETTINGS, CELLS, many, ledger.take, ledger, FaultyFactory(tmp_path, 0.05)
        )
        delivered = asyncio.Event()
        ledger.on_take = delivered.set
        serving = asyncio.ensure_future(dispatcher.run(ReplicaPlan(1, 0.5, 0)))
        await delivered.wait()
        await dispatcher.halt()
        await serving

    asyncio.run(halted())
    assert 0 < len(ledger.samples) < 200
    assert set(ledger.samples.values()) == {1}
    assert len(list(tmp_path.glob("shutdown-*"))) == 1
