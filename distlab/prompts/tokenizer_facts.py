"""What prompts need of a tokenizer beside its rules."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenizerFacts:
    """What is kept beside the rules.

    Attributes:
        name_or_path: As transformers names it.
        special_tokens_map: Names of special tokens to their texts.
        bos_token: BOS as text.
        bos_token_id: Its id.
        chat_template: Jinja source.
        size: Tokens in the vocabulary, added ones included.
    """

    name_or_path: str
    special_tokens_map: Mapping[str, object]
    bos_token: str | None
    bos_token_id: int | None
    chat_template: str | None
    size: int
