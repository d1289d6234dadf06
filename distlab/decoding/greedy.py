"""Greedy decoding: the likeliest token at every step."""

from dataclasses import dataclass
from typing import ClassVar

from distlab.decoding.decoder import Decoder, SampleOrder, SeedOf, StoppingCriteria
from distlab.decoding.interface import Draw, Engine, Sample, SamplingRequest


@dataclass(frozen=True, slots=True)
class Greedy(Decoder):
    """One completion per problem."""

    kind: ClassVar[str] = "greedy"
    order: ClassVar[SampleOrder] = SampleOrder.SINGLE

    async def sample(
        self, engine: Engine, draw: Draw, stopping: StoppingCriteria, seed_of: SeedOf
    ) -> list[Sample]:
        """The one completion, if it is missing."""
        request = SamplingRequest(draw.prompt_ids, stopping.max_tokens, stopping.stop)
        return [draw.sampled(rank, await engine.generate(request)) for rank in draw.ranks]
