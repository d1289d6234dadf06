"""Greedy decoding: the likeliest token at every step."""

from dataclasses import dataclass
from typing import ClassVar

from distlab.decoding.decoder import Decoder, SampleOrder, SeedOf, StoppingCriteria
from distlab.decoding.interface import Engine, EngineRequest, Sample, SampleRequest


@dataclass(frozen=True, slots=True)
class Greedy(Decoder):
    """One completion per problem."""

    kind: ClassVar[str] = "greedy"
    version: ClassVar[None] = None
    order: ClassVar[SampleOrder] = SampleOrder.SINGLE

    async def sample(
        self, engine: Engine, request: SampleRequest, stopping: StoppingCriteria, seed_of: SeedOf
    ) -> list[Sample]:
        """The one completion, if it is missing."""
        completion = EngineRequest(request.prompt_ids, stopping.max_tokens, stopping.stop)
        return [request.sampled(rank, await engine.generate(completion)) for rank in request.ranks]
