"""Text to token ids with BOS exactly once, and the identity of a tokenizer."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from distlab.prompts.prompt import PromptTokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def encode(tokenizer: PromptTokenizer, text: str) -> tuple[int, ...]:
    """Token ids of a prompt.

    A BOS stands in front exactly where the tokenizer writes one itself: some chat templates hold
    it already, some tokenizers name a BOS that their models never saw in front (GPT-2's, SmolLM2's
    ``<|im_start|>``), and some have none. Nothing is appended: an EOS would end the prompt.
    """
    ids = tuple(tokenizer.encode(text, add_special_tokens=False))
    bos = tokenizer.bos_token_id
    if bos is None or not writes_bos(tokenizer) or ids[:1] == (bos,):
        return ids
    return (bos, *ids)


def writes_bos(tokenizer: PromptTokenizer) -> bool:
    """Whether the tokenizer puts BOS in front of plain text."""
    bos = tokenizer.bos_token_id
    return bos is not None and tokenizer.encode("a")[:1] == [bos]


def tokenizer_hash(tokenizer: PromptTokenizer) -> str:
    """sha256 (hex) over all that turns text into ids: vocabulary, merges, added tokens, rules.

    Truncation and padding are left out: they are settings of a call, and we use neither.
    """
    special = {name: str(value) for name, value in tokenizer.special_tokens_map.items()}
    parts = (_rules(tokenizer), json.dumps(special, sort_keys=True), str(writes_bos(tokenizer)))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _rules(tokenizer: PromptTokenizer) -> str:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        return _serial_form(backend)
    # A tokenizer in Python (Kimi-K2's) has no serial form: its class and vocabulary stand for it.
    return f"{type(tokenizer).__name__}\0{json.dumps(tokenizer.get_vocab(), sort_keys=True)}"


def _serial_form(backend: Tokenizer) -> str:
    """The tokenizer as JSON without truncation and padding; parsing it to drop them is slow."""
    truncation, padding = backend.truncation, backend.padding
    backend.no_truncation()
    backend.no_padding()
    try:
        return str(backend.to_str())
    finally:
        if truncation is not None:
            backend.enable_truncation(**truncation)
        if padding is not None:
            backend.enable_padding(**padding)
