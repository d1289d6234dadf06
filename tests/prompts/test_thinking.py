"""Which chat prompts ask for reasoning, as templates of the kinds that there are say it."""

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast

from distlab.decoding.thinking import Thinking
from distlab.prompts.messages import MessagesTokenizer
from distlab.prompts.renderer import apply_template
from distlab.prompts.thinking import ASKED, thinking_of

USER = "{% for m in messages %}<u>{{ m.content.split('</think>')[-1] }}{% endfor %}<a>"
# Qwen3's: thinks unless it is told not to, and opens nothing. DeepSeek-V3.1's opens it on request.
QWEN = USER + "{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}"
DEEPSEEK = USER + "{% if thinking %}<think>{% else %}</think>{% endif %}"
ALWAYS = USER + "<think>\n"
MISTRAL = "{{ messages[0].content }}[THINK]{# until [/THINK] #}"
PLAIN = "{% for m in messages %}<u>{{ m.content }}{% endfor %}<a>"


def thinking(template: str, **kwargs: object) -> Thinking | None:
    rules = Tokenizer(WordLevel({"a": 0, "</think>": 1, "?": 2}, unk_token="?"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=rules, chat_template=template)
    tokenizer.add_tokens(["<think>", "</think>"])
    turns = [{"role": "user", "content": ASKED}]
    return thinking_of(tokenizer, tokenizer, apply_template(tokenizer, turns, kwargs), kwargs)


@pytest.mark.parametrize(
    ("template", "kwargs", "opened"),
    [
        (QWEN, {}, False),
        (QWEN, {"enable_thinking": True}, False),
        (QWEN, {"enable_thinking": False}, None),
        (DEEPSEEK, {"thinking": True}, True),
        (DEEPSEEK, {}, None),
        (ALWAYS, {}, True),
        (PLAIN, {}, None),
        # A switch that the template does not have turns nothing on.
        (PLAIN, {"enable_thinking": True}, None),
    ],
)
def test_the_template_says_whether_a_model_thinks(
    template: str, kwargs: dict[str, object], opened: bool | None
) -> None:
    found = thinking(template, **kwargs)
    assert (found is None) == (opened is None)
    if found is not None:
        assert (found.open, found.close, found.is_opened) == ("<think>", "</think>", opened)
        assert found.close_id == 1


def test_marks_may_be_others() -> None:
    assert thinking(MISTRAL) == Thinking("[THINK]", "[/THINK]", 2, 2, is_opened=True)


@pytest.mark.parametrize(("kwargs", "thinks"), [({"enable_thinking": True}, True), ({}, False)])
def test_of_a_servers_template_only_the_switch_is_known(
    kwargs: dict[str, object], thinks: bool
) -> None:
    tokenizer = MessagesTokenizer("m")
    found = thinking_of(tokenizer, tokenizer, ASKED, kwargs)
    assert found == (Thinking("<think>", "</think>") if thinks else None)
