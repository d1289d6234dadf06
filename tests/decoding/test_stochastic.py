import asyncio

from distlab.decoding.interface import DecodingKind, DecodingSpec, Draw
from distlab.decoding.stochastic import sample_greedy, sample_stochastic
from tests.decoding.scripted import ScriptedEngine, ids


def test_every_draw_is_a_request_with_its_own_seed() -> None:
    engine = ScriptedEngine(continuations={"Q": " 4"})
    spec = DecodingSpec("t", DecodingKind.STOCHASTIC, 10, temperature=0.6, top_p=0.95)
    work = Draw("p", ids("Q"), (2, 5))
    samples = asyncio.run(sample_stochastic(engine, work, spec, (), lambda rank: 100 + rank))
    assert [(s.rank, s.seed, s.text) for s in samples] == [(2, 102, " 4"), (5, 105, " 4")]
    assert [(r.temperature, r.top_p, r.seed) for r in engine.requests] == [
        (0.6, 0.95, 102),
        (0.6, 0.95, 105),
    ]


def test_greedy_has_no_seed() -> None:
    engine = ScriptedEngine(continuations={"Q": " 4"})
    spec = DecodingSpec("greedy", DecodingKind.GREEDY, 10)
    (sample,) = asyncio.run(sample_greedy(engine, Draw("p", ids("Q"), (0,)), spec, ()))
    assert (sample.seed, sample.first_token_logprob, sample.margins) == (None, None, None)
    assert engine.requests[0].temperature == 0.0
