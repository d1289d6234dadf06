"""A scripted engine with a known distribution: the two tokens before give a token's logits."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from distlab.decoding.interface import Completion, EngineRequest, FirstTokens, Step

EOS = 0


@dataclass
class SoftmaxEngine:
    """Token 0 is EOS, the others spell letters from "a"; draws are seeded.

    Attributes:
        vocabulary: Tokens.
        spread: Standard deviation of the logits.
        at_once: Steps that a stream gives together.
    """

    vocabulary: int = 6
    spread: float = 2.0
    at_once: int = 1
    requests: list[EngineRequest] = field(default_factory=list)
    streamed: list[EngineRequest] = field(default_factory=list)
    tokens: int = 0
    read: int = 0
    _known: dict[bytes, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def eos_token_ids(self) -> frozenset[int]:
        return frozenset({EOS})

    @property
    def special_tokens(self) -> Mapping[int, str]:
        return {EOS: "</s>"}

    def decode(self, token_ids: Sequence[int]) -> str:
        return "".join(chr(96 + token) for token in token_ids if token != EOS)

    def logprobs(self, ids: Sequence[int]) -> np.ndarray:
        """Raw log probabilities of the token after ``ids``, shape [vocabulary]."""
        context = bytes(ids[-2:])
        if context not in self._known:
            self._known[context] = self._logprobs(context)
        return self._known[context]

    def _logprobs(self, context: bytes) -> np.ndarray:
        seed = hashlib.sha256(context).digest()[:8]
        logits = np.random.default_rng(list(seed)).normal(scale=self.spread, size=self.vocabulary)
        return logits - np.log(np.exp(logits).sum())

    def probabilities(self, ids: Sequence[int], sampling: dict) -> np.ndarray:
        """What a request draws from: temperature, min_p, top_k and top_p as vLLM applies them."""
        scaled = self.logprobs(ids) / sampling.get("temperature", 1.0)
        weights = np.exp(scaled - scaled.max())
        weights[weights < sampling.get("min_p", 0.0)] = 0
        if top_k := sampling.get("top_k", 0):
            weights[weights < np.sort(weights)[-top_k]] = 0
        order = np.argsort(-weights)
        before = np.cumsum(weights[order]) - weights[order]
        weights[order[before >= sampling.get("top_p", 1.0) * weights.sum()]] = 0
        return weights / weights.sum()

    def _steps(self, request: EngineRequest, top: int) -> Iterator[Step]:
        ids, random = list(request.prompt_ids), np.random.default_rng(request.seed)
        for _ in range(request.max_tokens):
            logprobs = self.logprobs(ids)
            order = np.argsort(-logprobs)[:top]
            likeliest = FirstTokens(tuple(order.tolist()), tuple(logprobs[order].tolist()))
            weights = self.probabilities(ids, dict(request.sampling))
            token = int(random.choice(self.vocabulary, p=weights))
            self.tokens += 1
            ids.append(token)
            yield Step(token, likeliest)
            if token == EOS:
                return

    async def stream(
        self, request: EngineRequest, top: int
    ) -> AsyncGenerator[Sequence[Step], None]:
        self.streamed.append(request)
        batch: list[Step] = []
        for step in self._steps(request, top):
            batch.append(step)
            if len(batch) == self.at_once:
                yield batch
                batch = []
                await asyncio.sleep(0)
        if batch:
            yield batch

    async def generate(self, request: EngineRequest) -> Completion:
        self.requests.append(request)
        reader, ids = self.detokenizer(request.prompt_ids, request.stop), []
        for step in self._steps(request, 2):
            ids.append(step.token_id)
            if step.token_id == EOS:
                return Completion(tuple(ids), reader.text, truncated=False)
            if (stop := reader.read(step.token_id)) is not None:
                return Completion(tuple(ids), reader.text, truncated=False, stop_string=stop)
        return Completion(tuple(ids), reader.text, truncated=True)

    def detokenizer(self, prompt_ids: tuple[int, ...], stop: tuple[str, ...]) -> "Letters":
        return Letters(self, stop)

    async def first_tokens(self, prompt_ids: tuple[int, ...], k: int) -> FirstTokens:
        raise NotImplementedError


@dataclass
class Letters:
    """Reads letters; a stop string is looked for in what this reader has read alone."""

    engine: SoftmaxEngine
    stop: tuple[str, ...]
    text: str = ""

    def read(self, token_id: int) -> str | None:
        self.engine.read += 1
        self.text += self.engine.decode([token_id])
        for stop in self.stop:
            if (at := self.text.find(stop)) >= 0:
                self.text = self.text[:at]
                return stop
        return None

    def fork(self) -> "Letters":
        return replace(self)
