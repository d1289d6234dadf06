from dataclasses import replace
from types import MappingProxyType
from typing import cast

import pytest

from distlab.checkpoints.checkpoint import BASE, INSTRUCT, CheckpointSpec
from distlab.config.values import Family, Stage
from distlab.errors import UserError
from distlab.prompts import ChatTemplate, PromptFormat, PromptSpec, build_renderer
from distlab.prompts.messages import MessagesTokenizer
from distlab.sampling.chat_templates import chat_template, lending_notes, switch_notes
from tests.prompts.conftest import TURNS, bytes_tokenizer
from tests.prompts.test_renderer import Make

__all__ = ["bytes_tokenizer"]

CHAT = PromptSpec("chat", format=PromptFormat.CHAT)
STAGES = (
    Stage(BASE, CheckpointSpec("org/base", "hub", "main"), PromptFormat.PLAIN),
    Stage(INSTRUCT, CheckpointSpec("org/instruct", "hub", "main"), PromptFormat.CHAT),
)


@pytest.fixture
def family() -> Family:
    made = Family("f", STAGES, 1.0, "bfloat16", None, 99, {}, None, {}, False, ())  # type: ignore[arg-type]
    return replace(made, chat_template_kwargs=MappingProxyType({}))


def chosen(
    make: Make, family: Family, style: PromptSpec, variant: str, **templates: str | None
) -> ChatTemplate | None:
    made = {name: make(template=template) for name, template in templates.items()}
    return chat_template(style, variant, family, lambda name: made[name])  # type: ignore[arg-type]


def test_auto_is_plain_for_base_and_chat_for_instruct(
    bytes_tokenizer: Make, family: Family
) -> None:
    auto, both = PromptSpec("auto"), {"base": TURNS, "instruct": TURNS}
    assert chosen(bytes_tokenizer, family, auto, "base", **both) is None
    assert chosen(bytes_tokenizer, family, auto, "instruct", **both) is not None
    plain = replace(auto, format=PromptFormat.PLAIN)
    assert chosen(bytes_tokenizer, family, plain, "instruct", **both) is None


def test_a_base_renders_its_own_template_or_borrows(bytes_tokenizer: Make, family: Family) -> None:
    own = chosen(bytes_tokenizer, family, CHAT, "base", base=TURNS, instruct="other")
    assert own is not None
    assert (own.lender, own.tokenizer.chat_template) == (None, TURNS)
    lent = chosen(bytes_tokenizer, family, CHAT, "base", base=None, instruct=TURNS)
    assert lent is not None
    assert (lent.lender, lent.tokenizer.chat_template) == ("org/instruct", TURNS)


def test_where_nobody_has_a_template_chat_is_refused(bytes_tokenizer: Make, family: Family) -> None:
    for variant in ("base", "instruct"):
        none = chosen(bytes_tokenizer, family, CHAT, variant, base=None, instruct=None)
        tokenizer = bytes_tokenizer(template=None)
        with pytest.raises(UserError, match=r"has no chat template; .* format: plain"):
            build_renderer(CHAT, "gsm8k", tokenizer, (), none)


def test_a_borrowed_template_is_said_once_with_what_it_costs(bytes_tokenizer: Make) -> None:
    own, lender = bytes_tokenizer(template=None), bytes_tokenizer(template=f"{TURNS}<|end|>")
    lender.add_special_tokens({"eos_token": "<|end|>"})
    lent = ChatTemplate(lender, {}, "org/instruct")
    rows = [("org/base", own, chat) for chat in (lent, lent, ChatTemplate(own, {}), None)]
    (said,) = lending_notes(cast("list[tuple[str, Make, ChatTemplate]]", rows))  # type: ignore[arg-type]
    assert "org/base has no chat template" in said
    assert "rendered with that of org/instruct; it has no token for <|end|>" in said


def test_switches_that_do_nothing_or_are_no_switch_are_said(bytes_tokenizer: Make) -> None:
    thinker = bytes_tokenizer(template=TURNS + "{% if enable_thinking %}<think>{% endif %}")
    thinker.name_or_path = "org/thinker"
    assert list(switch_notes(ChatTemplate(thinker, {"enable_thinking": True}))) == []
    (unknown,) = switch_notes(ChatTemplate(thinker, {"thinking": True}))
    assert unknown == (
        "`model.chat_template_kwargs.thinking` changes nothing: the chat template of org/thinker "
        "has no such switch"
    )
    server = MessagesTokenizer("org/served")
    for tokenizer in (thinker, server):
        (vague,) = switch_notes(ChatTemplate(tokenizer, {"enable_thinking": "maybe"}))
        assert vague.startswith("`model.chat_template_kwargs.enable_thinking` is 'maybe', and not")
    assert list(switch_notes(ChatTemplate(server, {"effort": "high"}))) == []
