"""Which chat template a prompt style is rendered with, and what is to be said of a borrowed one."""

import json
import re
from collections.abc import Callable, Iterable, Iterator

from distlab.checkpoints.checkpoint import Variant
from distlab.config.values import Family
from distlab.escape import plain
from distlab.prompts import ChatTemplate, PromptFormat, PromptSpec, Turn
from distlab.prompts.messages import MessagesTokenizer
from distlab.prompts.prompt import PromptTokenizer
from distlab.prompts.thinking import THINKING_SWITCHES


def chat_template(
    style: PromptSpec,
    variant: Variant,
    family: Family,
    tokenizer_of: Callable[[Variant], PromptTokenizer],
) -> ChatTemplate | None:
    """What a style's turns are rendered with under a variant; None where it is plain text.

    A style that asks for chat borrows the template of another checkpoint of the family, the last
    that has one, where the variant's own has none.

    Args:
        style: The prompt style.
        variant: Of the arms.
        family: Its checkpoints, in order.
        tokenizer_of: The tokenizer of a variant; asked for the variant's own first.

    Raises:
        UserError: A tokenizer cannot be had.
    """
    if (style.format or family.stage(variant).format) is PromptFormat.PLAIN:
        return None
    own, kwargs = tokenizer_of(variant), family.chat_template_kwargs
    if style.format is not None and not own.chat_template:
        for lender in reversed(tuple(family.checkpoints)):
            if (tokenizer := tokenizer_of(lender)).chat_template:
                return ChatTemplate(tokenizer, kwargs, family.checkpoints[lender].id)
    return ChatTemplate(own, kwargs)


def lending_notes(
    borrowed: Iterable[tuple[str, PromptTokenizer, ChatTemplate | None]],
) -> Iterator[str]:
    """What is to be said of borrowed templates.

    Args:
        borrowed: Ids of checkpoints, their tokenizers and what their turns are rendered with.
    """
    said: set[tuple[str, str]] = set()
    for checkpoint, tokenizer, chat in borrowed:
        if chat is None or chat.lender is None or (checkpoint, chat.lender) in said:
            continue
        said.add((checkpoint, chat.lender))
        split = ", ".join(_split(chat, tokenizer))
        spelled = f"; it has no token for {split}, which it reads in pieces" if split else ""
        yield (
            f"{checkpoint} has no chat template: its chat prompts are rendered with that of "
            f"{chat.lender}{spelled}"
        )


def switch_notes(chat: ChatTemplate) -> Iterator[str]:
    """What is to be said of keyword arguments that do not do what they seem to.

    Args:
        chat: What turns are rendered with. Which switches a server's template has nobody knows.
    """
    template = chat.tokenizer.chat_template
    source = template if isinstance(template, str) else json.dumps(template)
    for name, value in chat.kwargs.items():
        key = f"`model.chat_template_kwargs.{name}`"
        is_known = isinstance(chat.tokenizer, MessagesTokenizer) or re.search(
            rf"\b{re.escape(name)}\b", source
        )
        if not is_known:
            yield (
                f"{key} changes nothing: the chat template of {chat.tokenizer.name_or_path} has no "
                "such switch"
            )
        elif name in THINKING_SWITCHES and not isinstance(value, bool):
            yield (
                f"{key} is {plain(repr(value), 40)}, and not true or false: whether reasoning is "
                "asked for is left to what the chat template makes of that"
            )


def _split(chat: ChatTemplate, tokenizer: PromptTokenizer) -> Iterator[str]:
    """Special tokens of a template that a tokenizer reads as several."""
    rendered = chat.render((Turn("user", "1 + 1 = ?"),))
    for value in chat.tokenizer.special_tokens_map.values():
        for token in map(str, value if isinstance(value, list) else [value]):
            if token in rendered and len(tokenizer.encode(token, add_special_tokens=False)) > 1:
                yield token
