import asyncio

from distlab.decoding.decoder import StoppingCriteria
from distlab.decoding.greedy import Greedy
from distlab.decoding.interface import SampleRequest
from tests.decoding.scripted import ScriptedEngine, ids


def no_seed(rank: int) -> int:
    raise AssertionError("greedy decoding has no seed")


def test_one_completion_without_a_seed() -> None:
    engine = ScriptedEngine(continuations={"Q": " 4"})
    work = SampleRequest("p", ids("Q"), (0,))
    (sample,) = asyncio.run(Greedy().sample(engine, work, StoppingCriteria(10), no_seed))
    assert (sample.text, sample.seed, sample.first_token_logprob) == (" 4", None, None)
    assert (engine.requests[0].sampling, engine.requests[0].seed) == ({}, None)


def test_one_sample_however_many_are_asked_for() -> None:
    assert Greedy().samples(20) == 1
