"""CoT-decoding (Wang & Zhou, arXiv 2402.10200).

Branch on the k likeliest tokens at the first position only, by raw log probability; continue every
branch greedily. Nothing later branches. Token ids throughout: the branch token is appended to the
prompt's ids, and no text is tokenised again.
"""

import asyncio
from collections.abc import Callable, Sequence
from math import exp
from statistics import fmean

from distlab.decoding.types import (
    Completion,
    DecodingSpec,
    Draw,
    Engine,
    FirstTokens,
    Sample,
    SamplingRequest,
)

AnswerSpan = Callable[[str], tuple[int, int] | None]
"""Text to the character offsets of its answer, or None."""


async def sample_cot(
    engine: Engine,
    draw: Draw,
    spec: DecodingSpec,
    stop: tuple[str, ...],
    answer_span: AnswerSpan,
) -> list[Sample]:
    """The missing branches of a problem; a branch's rank is its first token's place, from 0."""
    # Two at least: the margin of the first position needs a runner-up.
    first = await engine.first_tokens(draw.prompt_ids, max(2, max(draw.ranks) + 1))
    margin = _first_margin(first)
    return await asyncio.gather(
        *(
            _branch(engine, draw, spec, stop, rank, first, margin, answer_span)
            for rank in draw.ranks
        )
    )


async def _branch(
    engine: Engine,
    draw: Draw,
    spec: DecodingSpec,
    stop: tuple[str, ...],
    rank: int,
    first: FirstTokens,
    first_margin: float,
    answer_span: AnswerSpan,
) -> Sample:
    token = first.token_ids[rank]
    rest = await _continue(engine, draw, spec, stop, token)
    token_ids = (token, *rest.token_ids)
    text, stop_string = _cut(engine.decode(token_ids), stop)
    margins = (first_margin, *rest.margins)
    return Sample(
        problem_id=draw.problem_id,
        rank=rank,
        prompt_ids=draw.prompt_ids,
        token_ids=token_ids,
        text=text,
        truncated=rest.truncated and stop_string is None,
        stop_string=stop_string,
        first_token_logprob=first.logprobs[rank],
        margins=margins,
        delta=_delta(engine, token_ids, margins, answer_span(text)),
    )


async def _continue(
    engine: Engine, draw: Draw, spec: DecodingSpec, stop: tuple[str, ...], token: int
) -> Completion:
    """Continue a branch greedily; a branch that starts with EOS is complete as it stands."""
    if token in engine.eos_token_ids:
        return Completion(token_ids=(), text="", truncated=False)
    if spec.max_tokens == 1:
        return Completion(token_ids=(), text="", truncated=True)
    return await engine.generate(
        SamplingRequest(
            prompt_ids=(*draw.prompt_ids, token),
            max_tokens=spec.max_tokens - 1,
            stop=stop,
            margins=True,
        )
    )


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


def _delta(
    engine: Engine,
    token_ids: Sequence[int],
    margins: Sequence[float],
    span: tuple[int, int] | None,
) -> float | None:
    """Mean margin over the tokens that overlap the answer's characters (section 2 of the paper)."""
    if span is None or len(margins) != len(token_ids):
        return None
    start, end = span
    first = _token_at(engine, token_ids, start)
    last = _token_at(engine, token_ids, end - 1)
    if first is None or last is None:
        return None
    return fmean(margins[first : last + 1])


def _token_at(engine: Engine, token_ids: Sequence[int], offset: int) -> int | None:
    """Index of the token that completes the character at ``offset``, by bisection.

    The length of a decoded prefix grows with its tokens; an incomplete character decodes to a
    replacement mark, so the token that finishes it is the one reported.
    """
    low, high = 0, len(token_ids)
    while low < high:
        middle = (low + high) // 2
        prefix = engine.decode(token_ids[: middle + 1]).rstrip("\N{REPLACEMENT CHARACTER}")
        if len(prefix) > offset:
            high = middle
        else:
            low = middle + 1
    return low if low < len(token_ids) else None
