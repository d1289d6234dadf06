import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from distlab.decoding.cot import CoT
from distlab.decoding.decoder import DecodingSpec, Sampler, StoppingCriteria
from distlab.decoding.greedy import Greedy
from distlab.decoding.interface import Completion, EngineRequest, SampleRequest
from distlab.decoding.stochastic import Stochastic
from distlab.decoding.thinking import Thinking
from distlab.engines.messages import CellWork, EngineSettings, Finished, Lease, Site, Vitals
from distlab.engines.replica import Replica
from distlab.engines.sharing import TRIAL
from distlab.store.cell import ProblemFailure
from tests.decoding.scripted import ScriptedEngine, ids
from tests.decoding.softmax_engine import SoftmaxEngine
from tests.engines.unsure import Unsure


class Up:
    """The life that a replica's engine has beside what it completes."""

    async def check(self) -> None:
        """Never dies."""

    def vitals(self) -> Vitals:
        return Vitals()

    def shutdown(self) -> None:
        """Nothing to end."""


class Branching(Up, ScriptedEngine, Unsure):
    pass


class Chatting(Branching):
    """Goes on into another turn, whose tokens are skipped."""

    @property
    def special_tokens(self) -> Mapping[int, str]:
        return {0: "</s>", 1: "<|im_end|>"}

    def decode(self, token_ids: Sequence[int]) -> str:
        return super().decode(token_ids).replace("\1", "")

    async def generate(self, request: EngineRequest) -> Completion:
        completion = await super().generate(request)
        return replace(completion, text=self.decode(completion.token_ids))


class Softmax(Up, SoftmaxEngine):
    pass


def work(spec: DecodingSpec) -> CellWork:
    return CellWork(spec, (), 0, "w", "run")


def replica_of(engine: Branching | Softmax) -> Replica:
    settings = EngineSettings("m", None, "float32", None, "cpu", 64, 8, 8, "engine")
    replica = Replica(settings, Site("r1"))
    replica._engine = engine
    return replica


async def sampled(replica: Replica, lease: Lease) -> Finished:
    (finished,) = [finished async for finished in replica.sample(lease)]
    return finished


def drawn(engine: Branching | Softmax, lease: Lease) -> Finished:
    return asyncio.run(sampled(replica_of(engine), lease))


COT = {"cot": work(DecodingSpec("cot", CoT(), 8)), "greedy": work(DecodingSpec("g", Greedy(), 8))}
BRANCHING = {
    "first": [("x", -0.1), ("y", -2.0), ("z", -3.0)],
    "continuations": {"Qx": " is 4", "Qy": " or 5", "Q": "x is 4"},
}


def test_branch_0_of_cot_is_the_greedy_sample_too() -> None:
    engine = Branching(**BRANCHING)
    request = SampleRequest("p", ids("Q"), (0, 1), greedy="greedy")
    finished = drawn(engine, Lease(COT, (("cot", request),)))
    assert set(finished.done) == {("cot", "p"), ("greedy", "p")}
    assert finished.batches["cot"].num_rows == 2
    (stored,) = finished.batches["greedy"].to_pylist()
    alone = asyncio.run(
        Greedy().sample(engine, SampleRequest("p", ids("Q"), (0,)), StoppingCriteria(8), hash)
    )[0]
    assert (tuple(stored["token_ids"]), stored["text"]) == (alone.token_ids, alone.text)
    assert (stored["truncated"], stored["margins"]) == (alone.truncated, None)
    assert (finished.tokens["greedy"], finished.computed["greedy"]) == (7, 0)


def test_branches_without_the_first_bring_no_greedy_sample() -> None:
    request = SampleRequest("p", ids("Q"), (1, 2), greedy="greedy")
    finished = drawn(Branching(**BRANCHING), Lease(COT, (("cot", request),)))
    assert finished.done == (("cot", "p"),)


def test_where_branches_fail_the_greedy_sample_fails_with_them() -> None:
    class Refusing(Branching):
        async def generate(self, request: EngineRequest) -> Completion:
            raise ValueError("refused")

    request = SampleRequest("p", ids("Q"), (0, 1), greedy="greedy")
    finished = drawn(Refusing(**BRANCHING), Lease(COT, (("cot", request),)))
    assert finished.failures == (
        ProblemFailure("cot", "p", "ValueError: refused"),
        ProblemFailure("greedy", "p", "ValueError: refused"),
    )


@pytest.mark.parametrize(("spread", "pays"), [(4.0, True), (0.01, False)])
def test_a_cell_whose_siblings_part_at_once_goes_on_with_requests(
    spread: float, pays: bool
) -> None:
    engine = Softmax(vocabulary=200, spread=spread)
    cells = {"t": work(DecodingSpec("t", Stochastic(0.05), 4, Sampler.AUTO))}

    def lease(name: str) -> Lease:
        requests = (SampleRequest(f"{name}{i}", (1, 2), (0, 1, 2)) for i in range(TRIAL))
        return Lease(cells, tuple(("t", request) for request in requests))

    async def two() -> tuple[Finished, Finished]:
        replica = replica_of(engine)
        return await sampled(replica, lease("first")), await sampled(replica, lease("then"))

    first, then = asyncio.run(two())
    assert (first.computed["t"] < first.tokens["t"] / 1.25) is pays
    assert (first.unshared == {}) is pays
    # Each problem has a leader where siblings are drawn together.
    leaders = sum(len(request.prompt_ids) == 2 for request in engine.streamed)
    assert leaders == (2 * TRIAL if pays else TRIAL)
    assert len(then.done) == TRIAL


def test_samples_keep_where_their_turn_ends() -> None:
    engine = Chatting(first=[("1", -1.0), ("2", -2.0)], continuations={"1": "8.\1user", "2": "!"})
    request = SampleRequest("p", ids("Q"), (0, 1), greedy="greedy")
    finished = drawn(engine, Lease(COT, (("cot", request),)))
    kept = {
        key: [(row["text"], row["turn_end"]) for row in batch.to_pylist()]
        for key, batch in finished.batches.items()
    }
    assert kept == {"cot": [("18.user", 3), ("2!", 2)], "greedy": [("18.user", 3)]}


def test_samples_of_prompts_that_ask_for_reasoning_keep_where_that_ends() -> None:
    engine = Branching(first=[("x", -1.0), ("y", -2.0)], continuations={"x": "|4", "y": "es"})
    cells = {key: replace(cell, thinking=Thinking("?", "|")) for key, cell in COT.items()}
    request = SampleRequest("p", ids("Q"), (0, 1), greedy="greedy")
    finished = drawn(engine, Lease(cells, (("cot", request),)))
    kept = {
        key: [(row["thinking_end"], row["thinking_tokens"]) for row in batch.to_pylist()]
        for key, batch in finished.batches.items()
    }
    assert kept == {"cot": [(2, 2), (0, 0)], "greedy": [(2, 2)]}
