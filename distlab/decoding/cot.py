"""CoT-decoding (Wang & Zhou, arXiv 2402.10200).

Branch on the k likeliest tokens at the first position only, by raw log probability; continue every
branch greedily. Nothing later branches. Token ids throughout: the branch token is appended to the
prompt's ids, and no text is tokenised again.

A sample holds what Delta is made of: the margin of every step and where every token ends in the
text. Which tokens are the answer's depends on who reads it, so Delta itself is made in scoring.
"""

import asyncio
from dataclasses import dataclass, replace
from math import exp
from typing import ClassVar

from distlab.decoding.decoder import Decoder, SampleOrder, SeedOf, StoppingCriteria
from distlab.decoding.interface import (
    Completion,
    Engine,
    EngineRequest,
    FirstTokens,
    Sample,
    SampleRequest,
)
from distlab.decoding.reading import read
from distlab.decoding.token_lengths import token_lengths


@dataclass(frozen=True, slots=True)
class CoT(Decoder):
    """The n likeliest first tokens, each continued greedily."""

    kind: ClassVar[str] = "cot"
    version: ClassVar[None] = None
    order: ClassVar[SampleOrder] = SampleOrder.RANKED
    margins: ClassVar[bool] = True

    def branches(self, n: int) -> int:
        """One per sample."""
        return n

    async def sample(
        self, engine: Engine, request: SampleRequest, stopping: StoppingCriteria, seed_of: SeedOf
    ) -> list[Sample]:
        """The missing branches; a branch's rank is its first token's place, from 0."""
        # Two at least: the margin of the first position needs a runner-up.
        first = await engine.first_tokens(request.prompt_ids, max(2, max(request.ranks) + 1))
        tree = _Tree(engine, request, stopping, first)
        return await asyncio.gather(*map(tree.branch, request.ranks))


def greedy_of(branch: Sample, engine: Engine, stopping: StoppingCriteria) -> Sample:
    """The greedy sample of the prompt, which branch 0 is: the likeliest token at every step.

    Args:
        branch: Of rank 0.
        engine: What drew it.
        stopping: Where it ended.
    """
    completion = read(engine, branch.prompt_ids, stopping, branch.token_ids)
    request = SampleRequest(branch.problem_id, branch.prompt_ids, (0,))
    return replace(request.sampled(0, completion), computed_tokens=0)


@dataclass(frozen=True, slots=True)
class _Tree:
    """A prompt and its likeliest first tokens."""

    engine: Engine
    request: SampleRequest
    stopping: StoppingCriteria
    first: FirstTokens

    async def branch(self, rank: int) -> Sample:
        token = self.first.token_ids[rank]
        rest = await self._continue(token)
        token_ids = (token, *rest.token_ids)
        # A long branch takes a tenth of a second, in which the engine's other requests go on.
        text, lengths = await asyncio.to_thread(_spell, self.engine, token_ids)
        text, stop_string = _cut(text, self.stopping.stop)
        return Sample(
            problem_id=self.request.problem_id,
            rank=rank,
            prompt_ids=self.request.prompt_ids,
            token_ids=token_ids,
            text=text,
            truncated=rest.truncated and stop_string is None,
            stop_string=stop_string,
            first_token_logprob=self.first.logprobs[rank],
            margins=(_first_margin(self.first), *rest.margins),
            token_lengths=lengths,
            computed_tokens=len(rest.token_ids),
        )

    async def _continue(self, token: int) -> Completion:
        """Continue a branch greedily; a branch that starts with EOS is complete as it stands."""
        if token in self.engine.eos_token_ids:
            return Completion(token_ids=(), text="", truncated=False)
        if self.stopping.max_tokens == 1:
            return Completion(token_ids=(), text="", truncated=True)
        return await self.engine.generate(
            EngineRequest(
                prompt_ids=(*self.request.prompt_ids, token),
                max_tokens=self.stopping.max_tokens - 1,
                stop=self.stopping.stop,
                margins=True,
            )
        )


def _spell(engine: Engine, token_ids: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    return engine.decode(token_ids), token_lengths(engine.decode, token_ids)


def _cut(text: str, stop: tuple[str, ...]) -> tuple[str, str | None]:
    """Cut before the earliest stop string, which may begin inside the branch token."""
    found = [(at, string) for string in stop if (at := text.find(string)) >= 0]
    if not found:
        return text, None
    at, string = min(found)
    return text[:at], string


def _first_margin(first: FirstTokens) -> float:
    """p(top1) - p(top2) at the first position.

    The same for every branch: the paper's Delta reads the distribution at a step, not the
    probability of the token that was forced there (ours: it is silent on the forced step).
    """
    return exp(first.logprobs[0]) - exp(first.logprobs[1])
