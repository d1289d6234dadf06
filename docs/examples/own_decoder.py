"""A decoder of your own: greedy first, then hotter and hotter draws."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from distlab.decoding.decoder import (
    Decoder,
    ParameterError,
    SampleOrder,
    SeedOf,
    StoppingCriteria,
)
from distlab.decoding.interface import Engine, EngineRequest, Sample, SampleRequest


@dataclass(frozen=True, slots=True)
class Insistent(Decoder):
    """Greedy first, then draws that are hotter and hotter.

    Attributes:
        step: What each rank adds to the temperature.
    """

    order: ClassVar[SampleOrder] = SampleOrder.RANKED
    random: ClassVar[bool] = True
    # Raise it with every change of what is drawn: samples are drawn anew then.
    version: ClassVar[str] = "1"

    step: float = 0.1

    def __post_init__(self) -> None:
        """Refuse steps that vLLM would not take at 20 ranks."""
        if not 0 < self.step <= 0.1:
            raise ParameterError("step", self.step, "set it above 0 and at most 0.1")

    async def sample(
        self, engine: Engine, request: SampleRequest, stopping: StoppingCriteria, seed_of: SeedOf
    ) -> list[Sample]:
        """Draw the missing ranks of a problem, each with its temperature."""

        async def one(rank: int) -> Sample:
            seed = seed_of(rank) if rank else None
            completion = EngineRequest(
                request.prompt_ids,
                stopping.max_tokens,
                stopping.stop,
                {"temperature": self.step * rank},
                seed,
            )
            return request.sampled(rank, await engine.generate(completion), seed)

        return await asyncio.gather(*map(one, request.ranks))
