"""Streams of scripted engines, whose candidates tell nothing: siblings are drawn one by one."""

import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field

from distlab.decoding.interface import Completion, EngineRequest, FirstTokens, Step

# Half of the mass is out of sight.
_UNKNOWN = FirstTokens((0, 1), (math.log(0.25), math.log(0.25)))


class Unsure:
    """What an engine of a script lacks besides ``generate`` and ``decode``."""

    special_tokens: Mapping[int, str] = {}

    async def generate(self, request: EngineRequest) -> Completion:
        raise NotImplementedError

    def decode(self, token_ids: Sequence[int]) -> str:
        raise NotImplementedError

    async def stream(
        self, request: EngineRequest, top: int
    ) -> AsyncGenerator[Sequence[Step], None]:
        completion = await self.generate(request)
        yield [Step(token, _UNKNOWN) for token in completion.token_ids]

    def detokenizer(self, prompt_ids: tuple[int, ...], stop: tuple[str, ...]) -> "WholeText":
        return WholeText(self)


@dataclass
class WholeText:
    """Reads with the engine's own ``decode``, and finds no stop strings."""

    engine: Unsure
    token_ids: list[int] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.engine.decode(self.token_ids)

    def read(self, token_id: int) -> str | None:
        self.token_ids.append(token_id)
        return None

    def fork(self) -> "WholeText":
        return WholeText(self.engine, list(self.token_ids))
