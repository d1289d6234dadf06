import asyncio
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np
import pytest
from scipy.stats import chisquare

from distlab.decoding.decoder import StoppingCriteria
from distlab.decoding.interface import EngineRequest, Sample, SampleRequest
from distlab.decoding.seeds import sample_seed
from distlab.decoding.stochastic import Stochastic
from tests.decoding.softmax_engine import EOS, SoftmaxEngine

PROMPT = (1, 2)
GROUPS, N = 150, 20
# Under which every step can be told from its candidates.
TOLD = Stochastic(0.6, top_k=4)
DECODERS = {
    "cold": Stochastic(0.05),
    "hot": Stochastic(1.0),
    "top_p": Stochastic(0.6, top_p=0.95),
    "top_k": Stochastic(1.0, top_k=3),
    "min_p": Stochastic(1.0, min_p=0.2),
    "all": Stochastic(1.5, top_p=0.8, top_k=4, min_p=0.05),
}


def seed_of(group: int):  # type: ignore[no-untyped-def]  # noqa: ANN201
    return lambda rank: sample_seed(0, "weights", str(group), "test", rank)


def share(
    engine: SoftmaxEngine,
    decoder: Stochastic,
    stopping: StoppingCriteria,
    group: int = 0,
    n: int = N,
) -> list[Sample]:
    draw = SampleRequest("p", PROMPT, tuple(range(n)))
    return asyncio.run(decoder.share(engine, draw, stopping, seed_of(group)))


def completions(
    engine: SoftmaxEngine, decoder: Stochastic, most: int, ids: tuple[int, ...] = ()
) -> Iterator[tuple[tuple[int, ...], float]]:
    """Every completion that can be drawn, with its probability."""
    if ids and (ids[-1] == EOS or len(ids) == most):
        yield ids, 1.0
        return
    chances = engine.probabilities((*PROMPT, *ids), asdict(decoder))
    for token in np.flatnonzero(chances).tolist():
        for rest, chance in completions(engine, decoder, most, (*ids, token)):
            yield rest, float(chances[token]) * chance


@pytest.mark.parametrize("decoder", DECODERS.values(), ids=DECODERS)
def test_siblings_are_distributed_as_the_softmax_says(decoder: Stochastic) -> None:
    engine, most = SoftmaxEngine(), 3
    expected = dict(completions(engine, decoder, most))
    assert math.isclose(sum(expected.values()), 1)
    drawn = [s for g in range(GROUPS) for s in share(engine, decoder, StoppingCriteria(most), g)]
    counts = Counter(sample.token_ids for sample in drawn)
    assert counts.keys() <= expected.keys()
    # Siblings of a group are independent of each other too, so all of them are one sample.
    often = [ids for ids, chance in expected.items() if chance * len(drawn) >= 5]
    observed = [*(counts[ids] for ids in often), len(drawn) - sum(counts[ids] for ids in often)]
    chances = [*(expected[ids] for ids in often), 1 - sum(expected[ids] for ids in often)]
    kept = [(o, c * len(drawn)) for o, c in zip(observed, chances, strict=True) if c > 1e-9]
    if len(kept) > 1:
        seen, due = zip(*kept, strict=True)
        assert chisquare(seen, np.array(due) * sum(seen) / sum(due)).pvalue > 1e-3


def test_siblings_are_independent_of_each_other() -> None:
    # Pairs of first tokens: were the followers tied to their leader, the diagonal would show it.
    engine, decoder = SoftmaxEngine(vocabulary=3, spread=0.5), Stochastic(1.0)
    pairs = Counter(
        tuple(s.token_ids[0] for s in share(engine, decoder, StoppingCriteria(1), g, n=2))
        for g in range(1500)
    )
    chances = engine.probabilities(PROMPT, asdict(decoder))
    due = [1500 * a * b for a in chances for b in chances]
    seen = [pairs[a, b] for a in range(3) for b in range(3)]
    assert chisquare(seen, due).pvalue > 1e-3


def test_the_same_seeds_draw_the_same_samples_however_steps_come() -> None:
    drawn = [share(SoftmaxEngine(at_once=steps), TOLD, StoppingCriteria(12)) for steps in (1, 1, 4)]
    assert drawn[0] == drawn[1] == drawn[2]
    assert [sample.rank for sample in drawn[0]] == list(range(N))
    assert [sample.seed for sample in drawn[0]] == [seed_of(0)(rank) for rank in range(N)]


def test_the_engine_generates_no_prefix_twice() -> None:
    engine = SoftmaxEngine(spread=3)
    samples = share(engine, TOLD, StoppingCriteria(12))
    prefixes = {s.token_ids[: i + 1] for s in samples for i in range(len(s.token_ids))}
    forks = len({(*s.token_ids,) for s in samples}) - 1
    # A fork's first token was drawn here, from what its leader's step said.
    assert engine.tokens == sum(s.computed_tokens or 0 for s in samples) == len(prefixes) - forks
    assert engine.tokens < sum(len(s.token_ids) for s in samples) / 2


def test_a_fork_starts_while_its_leader_still_runs() -> None:
    class Watched(SoftmaxEngine):
        open = most_open = 0

        async def stream(self, request: EngineRequest, top: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            try:
                async for steps in super().stream(request, top):
                    yield steps
            finally:
                self.open -= 1

    engine = Watched()
    share(engine, TOLD, StoppingCriteria(40))
    assert engine.most_open > 1
    assert engine.open == 0


def test_where_the_candidates_do_not_tell_draws_go_on_as_independent_requests() -> None:
    # 200 tokens that are all alike: twenty candidates hold a tenth of the mass.
    engine, stopping = SoftmaxEngine(vocabulary=200, spread=0.01), StoppingCriteria(4)
    draw = SampleRequest("p", PROMPT, tuple(range(N)))
    shared = share(engine, Stochastic(1.0), stopping)
    alone = asyncio.run(
        Stochastic(1.0).sample(SoftmaxEngine(200, 0.01), draw, stopping, seed_of(0))
    )
    # From the first token on, so that even the samples are those of independent requests.
    assert shared == alone
    assert len(engine.streamed) == 1
    assert len(engine.requests) == N - 1


@pytest.mark.parametrize("stop", [("b",), ("cb",), ("bc", "e"), ("dcb",)])
def test_stop_strings_end_siblings_where_they_end_a_request(stop: tuple[str, ...]) -> None:
    stopping, ended = StoppingCriteria(10, stop), Counter[str | None]()
    for group in range(30):
        engine = SoftmaxEngine(at_once=3)
        for sample in share(engine, TOLD, stopping, group):
            text, found = engine.decode(sample.token_ids), None
            ends = [(text.index(s) + len(s), s) for s in stop if s in text]
            if ends:
                end, found = min(ends)
                # Nothing was emitted after it, and it is no part of the text.
                assert end == len(sample.token_ids) == len(sample.text) + len(found)
            assert sample.stop_string == found
            has_ended = found is not None or sample.token_ids[-1] == EOS
            assert sample.truncated is not has_ended
            assert len(sample.token_ids) == 10 if sample.truncated else True
            ended[found] += 1
    assert set(stop) & set(ended)


def test_a_fork_reads_its_own_tokens_alone() -> None:
    """One draw parts from the leader at every step: its path is not read again for it."""
    for most in (16, 64):
        engine = SoftmaxEngine(vocabulary=26, spread=0.6)
        samples = share(engine, Stochastic(0.1, top_k=4), StoppingCriteria(most, ("zzzz",)))
        kept = sum(len(sample.token_ids) for sample in samples)
        computed = sum(sample.computed_tokens or 0 for sample in samples)
        assert len(engine.streamed) > 1
        # Every sample is read once for its text, and every computed token once for stop strings.
        assert engine.read <= kept + computed + len(samples)


def test_new_draws_lead_anew() -> None:
    engine, stopping = SoftmaxEngine(), StoppingCriteria(6)

    def drawn(ranks: Sequence[int]) -> list[Sample]:
        draw = SampleRequest("p", PROMPT, tuple(ranks))
        return asyncio.run(TOLD.share(engine, draw, stopping, seed_of(0)))

    drawn(range(3))
    assert [s.rank for s in drawn(range(20, 40))] == list(range(20, 40))
    assert engine.streamed[-1].seed != engine.streamed[0].seed
    assert [s.seed for s in drawn((7,))] == [seed_of(0)(7)]
    assert engine.requests[-1].prompt_ids == PROMPT


def test_what_goes_wrong_in_a_branch_is_said_and_ends_the_others() -> None:
    class Refusing(SoftmaxEngine):
        async def generate(self, request: EngineRequest):  # type: ignore[no-untyped-def]  # noqa: ANN202
            raise ValueError("this prompt is refused")

    with pytest.raises(ValueError, match="this prompt is refused"):
        share(Refusing(), Stochastic(1.0), StoppingCriteria(30))
