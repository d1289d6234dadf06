"""Independent stochastic draws."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

from distlab.decoding.decoder import Decoder, ParameterError, SeedOf, StoppingCriteria
from distlab.decoding.interface import Engine, EngineRequest, Sample, SampleRequest
from distlab.decoding.next_token import Warp
from distlab.decoding.sibling_trie import VERSION, Drawing, draw_siblings

# In every address and seed, at their defaults too: they were there before the others.
_ALWAYS: Final = ("temperature", "top_p")
# Up to here draws of a problem mostly begin alike, and candidates tell nearly every step (ours);
# above it that is measured first.
_NEARLY_GREEDY = 0.1


@dataclass(frozen=True, slots=True)
class Stochastic(Decoder):
    """Draws from the model's distribution, changed by parameters that are named as vLLM names them.

    Attributes:
        temperature: Divides the logits.
        top_p: Mass of the likeliest tokens that are drawn from; 1 for all.
        top_k: Likeliest tokens that are drawn from; 0 for all.
        min_p: Least probability of a token that is drawn, as a share of the likeliest one's.
        repetition_penalty: Divides the logits of tokens that prompt or completion hold already
            (multiplies negative ones); 1 for none.
    """

    kind: ClassVar[str] = "stochastic"
    version: ClassVar[None] = None
    random: ClassVar[bool] = True

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        # vLLM clamps lower temperatures to 0.01 without a word that reaches the user, and refuses
        # higher ones request by request.
        if not 0.01 <= self.temperature <= 2:
            remedy = "set it to 0.01 or more and at most 2, or take kind greedy"
            raise ParameterError("temperature", self.temperature, remedy)
        if not 0 < self.top_p <= 1:
            raise ParameterError("top_p", self.top_p, "set it above 0 and at most 1")
        if self.top_k < 0:
            raise ParameterError("top_k", self.top_k, "set it to 1 or more, or to 0 for all tokens")
        if not 0 <= self.min_p <= 1:
            raise ParameterError("min_p", self.min_p, "set it to 0 or more and at most 1")
        if not 0 < self.repetition_penalty < math.inf:
            remedy = "set it to a finite number above 0, or to 1 for no penalty"
            raise ParameterError("repetition_penalty", self.repetition_penalty, remedy)

    def identity(self) -> Mapping[str, Any]:
        """Temperature and top_p, and what else is not at its default."""
        return {**{name: getattr(self, name) for name in _ALWAYS}, **Decoder.identity(self)}

    @property
    def seed_name(self) -> str:
        """Kind and parameters: "stochastic:0.6:0.95:top_k=20"."""
        others = {name: v for name, v in self.identity().items() if name not in _ALWAYS}
        named = (f"{name}={value}" for name, value in others.items())
        return ":".join((self.kind, str(self.temperature), str(self.top_p), *named))

    @property
    def sharing(self) -> str | None:
        """Not under a penalty: it changes logits that a step's candidates may not show."""
        return f"trie-{VERSION}" if self.repetition_penalty == 1 else None

    @property
    def expects_to_share(self) -> bool:
        """At low temperatures."""
        return self.temperature <= _NEARLY_GREEDY

    async def share(
        self, engine: Engine, request: SampleRequest, stopping: StoppingCriteria, seed_of: SeedOf
    ) -> list[Sample]:
        """Draw the missing samples as siblings; see ``sibling_trie``."""
        warp = Warp(self.temperature, self.top_p, self.top_k, self.min_p)
        return await draw_siblings(Drawing(engine, request, stopping, asdict(self), warp, seed_of))

    async def sample(
        self, engine: Engine, request: SampleRequest, stopping: StoppingCriteria, seed_of: SeedOf
    ) -> list[Sample]:
        """Draw the missing samples, each a request with its own seed.

        One request with ``n`` children would tie the seeds to the position in the batch, so that a
        top-up from 20 to 40 could not continue the sequence.
        """

        async def one(rank: int) -> Sample:
            seed = seed_of(rank)
            completion = EngineRequest(
                prompt_ids=request.prompt_ids,
                max_tokens=stopping.max_tokens,
                stop=stopping.stop,
                sampling=asdict(self),
                seed=seed,
            )
            return request.sampled(rank, await engine.generate(completion), seed)

        return await asyncio.gather(*map(one, request.ranks))
