"""What an engine of vLLM's, or a client of one, does with its tokenizer."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from vllm.tokenizers import TokenizerLike


class VLLMDetokenizer:
    """vLLM's detokenizer outside of an engine: what it reads is text and stop strings as vLLM's."""

    def __init__(
        self, tokenizer: "TokenizerLike", prompt_ids: tuple[int, ...], stop: tuple[str, ...]
    ) -> None:
        from vllm import SamplingParams
        from vllm.v1.engine import EngineCoreRequest
        from vllm.v1.engine.detokenizer import IncrementalDetokenizer

        request = EngineCoreRequest(
            request_id="",
            prompt_token_ids=list(prompt_ids),
            mm_features=None,
            sampling_params=SamplingParams(stop=list(stop) or None),
            pooling_params=None,
            arrival_time=0.0,
            lora_request=None,
            cache_salt=None,
            data_parallel_rank=None,
        )
        self._reader = IncrementalDetokenizer.from_new_request(tokenizer, request)

    @property
    def text(self) -> str:
        """What was read, cut before the stop string."""
        return self._reader.get_next_output_text(finished=True, delta=False)

    def read(self, token_id: int) -> str | None:
        """Read a token that is no EOS; returns the stop string that it completes, if any."""
        return self._reader.update([token_id], stop_terminated=False)

    def fork(self) -> Self:
        """Another that has read the same, for what is read by either from here on."""
        forked, reader = copy(self), copy(self._reader)
        # What vLLM's two detokenizers change in place; the rest they replace.
        for name in {"stream", "token_ids", "tokens"} & vars(reader).keys():
            setattr(reader, name, copy(getattr(reader, name)))
        forked._reader = reader
        return forked


class TokenReader:
    """The part of an ``Engine`` that needs a tokenizer and no model."""

    def __init__(self, tokenizer: Any, eos_token_ids: frozenset[int]) -> None:  # noqa: ANN401
        """Take what reads the tokens.

        Args:
            tokenizer: transformers' own, which takes more arguments than vLLM's protocol says; None
                where a server gives text and no tokens.
            eos_token_ids: The tokenizer's and the generation config's.
        """
        self._tokenizer = tokenizer
        self._eos = eos_token_ids
        self._special = {} if tokenizer is None else special_tokens(tokenizer)

    @property
    def eos_token_ids(self) -> frozenset[int]:
        """Tokens that end a completion: the tokenizer's and the generation config's."""
        return self._eos

    @property
    def special_tokens(self) -> Mapping[int, str]:
        """Tokens that ``decode`` skips, and how the tokenizer writes them."""
        return self._special

    def decode(self, token_ids: Sequence[int]) -> str:
        """Token ids as text, special tokens skipped, spaces as the model wrote them."""
        return self._decode(token_ids)

    @cached_property
    def _decode(self) -> Callable[[Sequence[int]], str]:
        return _decoder(self._tokenizer)

    def detokenizer(self, prompt_ids: tuple[int, ...], stop: tuple[str, ...]) -> VLLMDetokenizer:
        """VLLM's own."""
        return VLLMDetokenizer(self._tokenizer, prompt_ids, stop)


def _decoder(tokenizer: Any) -> Callable[[Sequence[int]], str]:  # noqa: ANN401
    """What reads token ids; a tokenizer of Rust's by itself, since its wrapper costs as much again.

    Where a tokenizer has a way of its own to decode, it keeps it.
    """
    from transformers import PreTrainedTokenizerBase, TokenizersBackend

    is_plain = (
        isinstance(tokenizer, TokenizersBackend)
        and type(tokenizer).decode is PreTrainedTokenizerBase.decode
        and type(tokenizer)._decode is TokenizersBackend._decode
    )
    if is_plain:
        rust = tokenizer.backend_tokenizer
        return lambda ids: str(rust.decode(list(ids), skip_special_tokens=True))
    return lambda ids: str(
        tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    )


def special_tokens(tokenizer: Any) -> dict[int, str]:  # noqa: ANN401
    """What a tokenizer skips where it skips special tokens: those with a part, and added ones.

    Args:
        tokenizer: As transformers' or vLLM's own are; those of vLLM's name all as special.
    """
    added = getattr(tokenizer, "added_tokens_decoder", {})
    ids = sorted({*tokenizer.all_special_ids, *(i for i, t in added.items() if t.special)})
    return dict(zip(ids, tokenizer.convert_ids_to_tokens(ids), strict=True))
