"""Whether a chat prompt asks a model to reason before it answers, and how it marks that."""

import json
from collections.abc import Mapping
from typing import Final

from distlab.decoding.thinking import Thinking
from distlab.prompts.messages import MessagesTokenizer
from distlab.prompts.prompt import PromptTokenizer

ASKED: Final = "1 + 1 = ?"
# What begins and ends reasoning: of Qwen, DeepSeek, SmolLM3 and most others; Mistral's; Seed's; and
# of models whose makers took plainer words. (ours)
_MARKS: Final = (
    ("<think>", "</think>"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
    ("<thinking>", "</thinking>"),
    ("<reasoning>", "</reasoning>"),
)
# Switches of chat templates that turn it on.
THINKING_SWITCHES: Final = ("enable_thinking", "thinking")


def thinking_of(
    lender: PromptTokenizer, tokenizer: PromptTokenizer, rendered: str, kwargs: Mapping[str, object]
) -> Thinking | None:
    """How reasoning is marked; None where the prompt asks for none.

    The template says it: it names the marks, and what it puts behind the user's turn neither closes
    reasoning at once, as templates do that switch it off, nor is there without it.

    Args:
        lender: Has the template; mostly the checkpoint's tokenizer itself.
        tokenizer: The checkpoint's.
        rendered: A chat prompt whose last turn is ``ASKED``.
        kwargs: What the template was given.
    """
    if isinstance(tokenizer, MessagesTokenizer):
        # Only the switch is known of a server's template.
        is_on = any(kwargs.get(switch) is True for switch in THINKING_SWITCHES)
        return Thinking(*_MARKS[0]) if is_on else None
    template = lender.chat_template
    source = template if isinstance(template, str) else json.dumps(template)
    behind = rendered.rpartition(ASKED)[2]
    for begin, end in _MARKS:
        if end in source and end not in behind:
            open_id, close_id = _token(tokenizer, begin), _token(tokenizer, end)
            return Thinking(begin, end, open_id, close_id, is_opened=begin in behind)
    return None


def _token(tokenizer: PromptTokenizer, mark: str) -> int | None:
    ids = tokenizer.encode(mark, add_special_tokens=False)
    return ids[0] if len(ids) == 1 else None
