"""Greedy decoding and independent stochastic draws."""

import asyncio
from collections.abc import Callable

from distlab.decoding.interface import DecodingSpec, Draw, Engine, Sample, SamplingRequest


async def sample_stochastic(
    engine: Engine,
    draw: Draw,
    spec: DecodingSpec,
    stop: tuple[str, ...],
    seed_of: Callable[[int], int],
) -> list[Sample]:
    """Draw the missing samples of a problem, each a request with its own seed.

    One request with ``n`` children would tie the seeds to the position in the batch, so that a
    top-up from 20 to 40 could not continue the sequence.
    """
    return await asyncio.gather(
        *(_one(engine, draw, spec, stop, rank, seed_of(rank)) for rank in draw.ranks)
    )


async def sample_greedy(
    engine: Engine, draw: Draw, spec: DecodingSpec, stop: tuple[str, ...]
) -> list[Sample]:
    """The one greedy completion of a problem."""
    return [await _one(engine, draw, spec, stop, rank, None) for rank in draw.ranks]


async def _one(
    engine: Engine,
    draw: Draw,
    spec: DecodingSpec,
    stop: tuple[str, ...],
    rank: int,
    seed: int | None,
) -> Sample:
    done = await engine.generate(
        SamplingRequest(
            prompt_ids=draw.prompt_ids,
            max_tokens=spec.max_tokens,
            stop=stop,
            temperature=spec.temperature,
            top_p=spec.top_p,
            seed=seed,
        )
    )
    return Sample(
        problem_id=draw.problem_id,
        rank=rank,
        prompt_ids=draw.prompt_ids,
        token_ids=done.token_ids,
        text=done.text,
        truncated=done.truncated,
        stop_string=done.stop_string,
        seed=seed,
    )
