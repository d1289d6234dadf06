"""Chat messages in the place of token ids, for servers that take nothing else.

No tokenizer is at hand then. A prompt is the JSON of its messages, and its ids are the bytes of
that: they name the prompt as token ids would, and travel where these do.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

# What the renderer adds for templates that print a date.
_DATES: Final = ("strftime_now", "date_string")


class Messages(NamedTuple):
    """A chat prompt.

    Attributes:
        turns: Messages with role and content, oldest first.
        kwargs: For the chat template.
    """

    turns: Sequence[Mapping[str, str]]
    kwargs: Mapping[str, object]


class MessagesTokenizer:
    """Stands in for the tokenizer of a model that only a server has; a ``PromptTokenizer``."""

    bos_token: str | None = None
    bos_token_id: int | None = None
    special_tokens_map: Mapping[str, object] = {}
    chat_template = "the server's own"

    def __init__(self, name: str) -> None:
        self.name_or_path = name

    def __len__(self) -> int:
        return 256

    def encode(self, text: str, add_special_tokens: bool = True) -> list[int]:
        """The bytes of a text."""
        return list(text.encode())

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of some bytes."""
        return bytes(token_ids).decode()

    def get_vocab(self) -> dict[str, int]:
        """Nothing: bytes need none."""
        return {}

    def apply_chat_template(
        self,
        turns: Sequence[Mapping[str, str]],
        *,
        tokenize: bool,
        add_generation_prompt: bool,
        **kwargs: object,
    ) -> str:
        """The turns as JSON, with what the server's template is to be given."""
        kept = {name: value for name, value in kwargs.items() if name not in _DATES}
        return json.dumps({"turns": list(turns), "kwargs": kept}, ensure_ascii=False)


def messages_of(prompt_ids: Sequence[int]) -> Messages:
    """The messages that the ids of a prompt stand for."""
    return Messages(**json.loads(bytes(prompt_ids)))
