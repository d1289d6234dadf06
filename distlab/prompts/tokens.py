"""Text to token ids with BOS exactly once, and the identity of a tokenizer."""

import hashlib
import json
from typing import Any

from transformers import PreTrainedTokenizerBase


def encode(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[int, ...]:
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


def writes_bos(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the tokenizer puts BOS in front of plain text."""
    bos = tokenizer.bos_token_id
    return bos is not None and tokenizer.encode("a")[:1] == [bos]


def tokenizer_hash(tokenizer: PreTrainedTokenizerBase) -> str:
    """sha256 (hex) over all that turns text into ids: vocabulary, merges, added tokens, rules.

    Truncation and padding are left out: they are settings of a call, and we use neither.
    """
    rules = _rules(tokenizer)
    for setting in ("truncation", "padding"):
        rules.pop(setting, None)
    rules["special_tokens"] = {
        name: str(value) for name, value in tokenizer.special_tokens_map.items()
    }
    rules["writes_bos"] = writes_bos(tokenizer)
    return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()


def _rules(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        rules: dict[str, Any] = json.loads(backend.to_str())
        return rules
    # A tokenizer in Python (Kimi-K2's) has no serial form: its class and vocabulary stand for it.
    return {"class": type(tokenizer).__name__, "vocabulary": dict(tokenizer.get_vocab())}
