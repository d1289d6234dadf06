"""Row: what the front end of siblings bears, with an engine of a script that costs next to nothing.

Counted in CPU seconds of the process, which a busy machine does not move: tokens kept per second of
one core, drawing, forking, reading and the Arrow batches included.
"""

import asyncio
import math
import random
import time
from collections.abc import AsyncGenerator, Sequence
from copy import copy

from distlab.decoding.decoder import StoppingCriteria
from distlab.decoding.interface import Completion, EngineRequest, FirstTokens, SampleRequest, Step
from distlab.decoding.seeds import sample_seed
from distlab.decoding.sibling_trie import CANDIDATES
from distlab.decoding.stochastic import Stochastic
from distlab.store.batches import to_batch
from tests.benchmarks.harness import Goal, Measured, Row

PROBLEMS, DRAWS, MAX_TOKENS = 40, 20, 200
# A near tie in so many steps: siblings then keep some two tokens per token computed, fewer than at
# T = 0.05 on a model, so that there is more to fork and to read.
_TIES, _TABLE, _AT_ONCE = 0.03, 997, 4


def _likeliest(chance: random.Random) -> FirstTokens:
    gap = chance.uniform(0, 0.15) if chance.random() < _TIES else 0.5 + chance.expovariate(1 / 3)
    raw = [0.0, -gap, *(-3 - gap - 0.4 * place for place in range(CANDIDATES - 2))]
    total = math.log(sum(map(math.exp, raw)) + 0.01)
    tokens = chance.sample(range(1, 49_000), CANDIDATES)
    return FirstTokens(tuple(tokens), tuple(logprob - total for logprob in raw))


class Tabled:
    """An engine that emits the likeliest token, from a table by what was emitted before."""

    eos_token_ids = frozenset({0})

    def __init__(self) -> None:
        chance = random.Random(0)
        self._table = [_likeliest(chance) for _ in range(_TABLE)]

    def _after(self, ids: Sequence[int]) -> FirstTokens:
        return self._table[(31 * ids[-1] + 17 * ids[-2] + 7 * len(ids)) % _TABLE]

    async def stream(
        self, request: EngineRequest, top: int
    ) -> AsyncGenerator[Sequence[Step], None]:
        ids = list(request.prompt_ids)
        for begin in range(0, request.max_tokens, _AT_ONCE):
            steps = []
            for _ in range(min(_AT_ONCE, request.max_tokens - begin)):
                likeliest = self._after(ids)
                steps.append(Step(likeliest.token_ids[0], likeliest))
                ids.append(likeliest.token_ids[0])
            yield steps
            await asyncio.sleep(0)

    async def generate(self, request: EngineRequest) -> Completion:
        ids = list(request.prompt_ids)
        for _ in range(request.max_tokens):
            ids.append(self._after(ids).token_ids[0])
        await asyncio.sleep(0)
        new = tuple(ids[len(request.prompt_ids) :])
        return Completion(new, "word" * len(new), truncated=True)

    async def first_tokens(self, prompt_ids: tuple[int, ...], k: int) -> FirstTokens:
        raise NotImplementedError

    def decode(self, token_ids: Sequence[int]) -> str:
        return "word" * len(token_ids)

    def detokenizer(self, prompt_ids: tuple[int, ...], stop: tuple[str, ...]) -> "Words":
        return Words()


class Words:
    """Reads four letters a token."""

    def __init__(self) -> None:
        self._tokens = 0

    @property
    def text(self) -> str:
        return "word" * self._tokens

    def read(self, token_id: int) -> str | None:
        self._tokens += 1
        return None

    def fork(self) -> "Words":
        return copy(self)


async def _draw(salt: int) -> tuple[int, int]:
    """Tokens kept and computed of a job."""
    engine, stopping = Tabled(), StoppingCriteria(MAX_TOKENS)
    requests = [SampleRequest(str(i), (5, i), tuple(range(DRAWS))) for i in range(PROBLEMS)]
    drawn = await asyncio.gather(
        *(
            Stochastic(0.05).share(
                engine,
                request,
                stopping,
                lambda rank, name=request.problem_id: sample_seed(salt, "w", name, "t", rank),
            )
            for request in requests
        )
    )
    samples = [sample for of_problem in drawn for sample in of_problem]
    assert to_batch(samples, "bench").num_rows == PROBLEMS * DRAWS
    kept = sum(len(sample.token_ids) for sample in samples)
    return kept, sum(sample.computed_tokens or 0 for sample in samples)


def measure(pairs: int) -> Measured:
    """Tokens kept per CPU second, of so many jobs."""
    rates = []
    for pair in range(pairs):
        began = time.process_time()
        kept, computed = asyncio.run(_draw(pair))
        rates.append(kept / (time.process_time() - began))
    return Measured(rates, notes=[f"{kept:,} tokens kept, {computed:,} computed a job"])


ROW = Row(
    "front-end",
    "front end of siblings, tokens kept per CPU second",
    "-",
    Goal(100_000, at_least=True),
    measure,
)
