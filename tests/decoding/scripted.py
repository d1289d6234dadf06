"""A scripted engine: deterministic text from a tiny vocabulary, for tests that need no model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from distlab.decoding.interface import Completion, EngineRequest, FirstTokens

EOS = 0


@dataclass
class ScriptedEngine:
    """Token ids are characters' code points; continuations come from a script.

    Attributes:
        first: The likeliest first tokens, in order, with their log probabilities.
        continuations: Prompt tail (as text) to the text that greedy decoding appends.
        margin: p(top1) - p(top2) of a token, by character.
    """

    first: Sequence[tuple[str, float]] = ()
    continuations: Mapping[str, str] = field(default_factory=dict)
    margin: Mapping[str, float] = field(default_factory=dict)
    requests: list[EngineRequest] = field(default_factory=list)

    @property
    def eos_token_ids(self) -> frozenset[int]:
        return frozenset({EOS})

    @property
    def special_tokens(self) -> Mapping[int, str]:
        return {EOS: "</s>"}

    def decode(self, token_ids: Sequence[int]) -> str:
        return "".join(chr(token) for token in token_ids if token != EOS)

    async def first_tokens(self, prompt_ids: tuple[int, ...], k: int) -> FirstTokens:
        chosen = self.first[:k]
        return FirstTokens(
            tuple(ord(c) if c else EOS for c, _ in chosen), tuple(logprob for _, logprob in chosen)
        )

    async def generate(self, request: EngineRequest) -> Completion:
        self.requests.append(request)
        prompt = self.decode(request.prompt_ids)
        text = next((t for tail, t in self.continuations.items() if prompt.endswith(tail)), "")
        ids = [*map(ord, text), EOS][: request.max_tokens]
        stop = next((s for s in request.stop if s in text), None)
        if stop is not None:
            ids = [*map(ord, text[: text.index(stop) + len(stop)])]
        return Completion(
            token_ids=tuple(ids),
            text=text.partition(stop)[0] if stop else self.decode(ids),
            truncated=stop is None and EOS not in ids,
            stop_string=stop,
            margins=tuple(self.margin.get(chr(i), 0.5) for i in ids) if request.margins else (),
        )


def ids(text: str) -> tuple[int, ...]:
    """Text as the scripted engine's token ids."""
    return tuple(map(ord, text))
