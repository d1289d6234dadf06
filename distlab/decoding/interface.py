"""What a decoder is given, what it asks of an engine, and what it returns."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, runtime_checkable


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """One completion to generate.

    Attributes:
        prompt_ids: Token ids that the completion continues.
        max_tokens: Most new tokens.
        stop: Strings that end the completion.
        sampling: How tokens are drawn: temperature, top_p and whatever else vLLM's
            ``SamplingParams`` has, by its names. Empty for greedy.
        seed: Of a stochastic draw.
        margins: Return p(top1) - p(top2) of every step.
    """

    prompt_ids: tuple[int, ...]
    max_tokens: int
    stop: tuple[str, ...] = ()
    sampling: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    margins: bool = False


@dataclass(frozen=True, slots=True)
class Completion:
    """What an engine generated.

    Attributes:
        token_ids: New tokens, EOS or the tokens of the stop string included.
        text: Their text, cut before the stop string.
        truncated: max_tokens was reached.
        stop_string: The stop string that ended it, None for EOS or truncation.
        margins: One value per token, empty unless asked for.
        tokens: New tokens, as a server counts them that does not give them; None where
            ``token_ids`` has them.
        prompt_tokens: Tokens of the prompt, as a server counts them that was given none.
        thinking_end: Characters of the text that are reasoning, where a server parts the two.
        thinking_tokens: Tokens of the reasoning, as that server counts them.
    """

    token_ids: tuple[int, ...]
    text: str
    truncated: bool
    stop_string: str | None = None
    margins: tuple[float, ...] = ()
    tokens: int | None = None
    prompt_tokens: int | None = None
    thinking_end: int | None = None
    thinking_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class FirstTokens:
    """The likeliest first tokens of a prompt.

    Attributes:
        token_ids: Descending by raw log probability; ties by ascending id.
        logprobs: Their raw log probabilities (before temperature or any logits processor).
    """

    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a completion that is under way.

    Attributes:
        token_id: What was emitted.
        likeliest: What could have been: at least two, descending by raw log probability.
    """

    token_id: int
    likeliest: FirstTokens


class Detokenizer(Protocol):
    """Reads a completion token by token, as the engine reads its own."""

    @property
    def text(self) -> str:
        """What was read, cut before the stop string."""
        ...

    def read(self, token_id: int) -> str | None:
        """Read a token that is no EOS; returns the stop string that it completes, if any."""
        ...

    def fork(self) -> Self:
        """Another that has read the same, for what is read by either from here on."""
        ...


class Engine(Protocol):
    """What a decoder needs; vLLM in a replica, a script in tests."""

    @property
    def eos_token_ids(self) -> frozenset[int]:
        """Tokens that end a completion."""
        ...

    @property
    def special_tokens(self) -> Mapping[int, str]:
        """Tokens that ``decode`` skips, and how the tokenizer writes them."""
        ...

    async def generate(self, request: EngineRequest) -> Completion:
        """Generate one completion."""
        ...

    def stream(self, request: EngineRequest, top: int) -> AsyncGenerator[Sequence[Step], None]:
        """Generate one completion and give its steps as they come; closing it ends the request.

        Args:
            request: Stop strings do not end it, only EOS and max_tokens.
            top: Candidates of each step.
        """
        ...

    def detokenizer(self, prompt_ids: tuple[int, ...], stop: tuple[str, ...]) -> Detokenizer:
        """Something to read a completion of the prompt with."""
        ...

    async def first_tokens(self, prompt_ids: tuple[int, ...], k: int) -> FirstTokens:
        """The ``k`` likeliest first tokens after the prompt."""
        ...

    def decode(self, token_ids: Sequence[int]) -> str:
        """Token ids as text, special tokens skipped; called from several threads."""
        ...


@dataclass(frozen=True, slots=True)
class Vitals:
    """How far an engine is.

    Attributes:
        steps: Steps that made a token or read a part of a prompt.
        tokens: New tokens.
        running: Requests in the batch.
        waiting: Requests that wait for room in it.
    """

    steps: int = 0
    tokens: int = 0
    running: int = 0
    waiting: int = 0


class ManagedEngine(Engine, Protocol):
    """An engine with a life of its own; made from settings and a site, see ``engines.messages``."""

    async def check(self) -> None:
        """Raise if the engine is dead."""
        ...

    def vitals(self) -> Vitals:
        """How far it is."""
        ...

    def shutdown(self) -> None:
        """Stop the engine's processes."""
        ...


@runtime_checkable
class TellsAttention(Protocol):
    """An engine that knows the kernels of its attention, which are kept with its samples."""

    async def attention(self) -> str:
        """Their name; empty where it cannot be had."""
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """One completion of one problem; see ``distlab.store.sample_schema`` for the columns.

    Margins and token lengths come together, one value per token. Where a server keeps its tokens to
    itself ``token_ids`` is empty.
    """

    problem_id: str
    rank: int
    prompt_ids: tuple[int, ...]
    token_ids: tuple[int, ...]
    text: str
    truncated: bool
    stop_string: str | None = None
    seed: int | None = None
    first_token_logprob: float | None = None
    margins: tuple[float, ...] | None = None
    token_lengths: tuple[int, ...] | None = None
    given_delta: float | None = None
    computed_tokens: int | None = None
    prompt_tokens: int | None = None
    thinking_end: int | None = None
    thinking_tokens: int | None = None
    turn_end: int | None = None

    @property
    def tokens(self) -> int:
        """New tokens: those that are known, or as many as a server says that it generated."""
        return len(self.token_ids) or self.computed_tokens or 0


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """The samples of one problem that are still missing.

    Attributes:
        problem_id: The problem.
        prompt_ids: The rendered prompt.
        ranks: Ranks to draw, ascending.
        greedy: Key of a cell that lacks the greedy completion of the same prompt, which branch 0 of
            CoT-decoding is; None where none does.
    """

    problem_id: str
    prompt_ids: tuple[int, ...]
    ranks: tuple[int, ...]
    greedy: str | None = None

    def sampled(self, rank: int, completion: Completion, seed: int | None = None) -> Sample:
        """A completion of the prompt as a sample.

        Args:
            rank: Of the sample.
            completion: What was generated.
            seed: What it was drawn with.
        """
        return Sample(
            problem_id=self.problem_id,
            rank=rank,
            prompt_ids=self.prompt_ids,
            token_ids=completion.token_ids,
            text=completion.text,
            truncated=completion.truncated,
            stop_string=completion.stop_string,
            seed=seed,
            computed_tokens=(
                len(completion.token_ids) if completion.tokens is None else completion.tokens
            ),
            prompt_tokens=completion.prompt_tokens,
            thinking_end=completion.thinking_end,
            thinking_tokens=completion.thinking_tokens,
        )
