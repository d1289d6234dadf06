import json
from collections.abc import Callable

import pytest
from transformers import PreTrainedTokenizerBase

from distlab.errors import UserError
from distlab.problems import Exemplar, Gold, GoldKind, Problem
from distlab.prompts import PromptFormat, PromptSpec, build_renderer
from distlab.prompts.exemplars import pick
from distlab.prompts.instructions import answer_form
from distlab.prompts.renderer import PLAIN_STOP

ZERO = PromptSpec("zero-shot")
FEW = PromptSpec("few-shot", shots=2)
QA = PromptSpec("qa", chain_of_thought=False)
PROBLEM = Problem("p", "gsm8k", "What is 1 + 1?", Gold(GoldKind.NUMBER, "2"), cluster="p")
POOL = tuple(
    Exemplar(f"e{index}", f"What is {index} + 1?", f"{index} + 1 = {index + 1}.", str(index + 1))
    for index in range(10, 15)
)
Make = Callable[..., PreTrainedTokenizerBase]


def render(
    tokenizer: PreTrainedTokenizerBase, spec: PromptSpec, fmt: PromptFormat, **more: object
) -> str:
    renderer = build_renderer(spec, fmt, "gsm8k", tokenizer, POOL, **more)  # type: ignore[arg-type]
    return renderer.render(PROBLEM).text


def test_plain_prompts(bytes_tokenizer: Make) -> None:
    tokenizer = bytes_tokenizer(template=None)
    ask = answer_form("gsm8k").instruction
    assert render(tokenizer, ZERO, PromptFormat.PLAIN) == (
        f"Q: What is 1 + 1?\n{ask}\nA: Let's think step by step."
    )
    assert render(tokenizer, QA, PromptFormat.PLAIN) == "Q: What is 1 + 1?\nA:"
    blocks = render(tokenizer, FEW, PromptFormat.PLAIN).split("\n\n")
    assert len(blocks) == 3
    assert all("\nThe answer is 1" in block for block in blocks[:2])
    assert blocks[2] == "Q: What is 1 + 1?\nA:"


def test_chat_prompts(bytes_tokenizer: Make) -> None:
    tokenizer = bytes_tokenizer()
    ask = answer_form("gsm8k").instruction
    question = f"[user]What is 1 + 1?\n\n{ask}[end][assistant]"
    assert render(tokenizer, ZERO, PromptFormat.CHAT) == question
    assert render(tokenizer, QA, PromptFormat.CHAT) == "[user]What is 1 + 1?[end][assistant]"
    few = render(tokenizer, FEW, PromptFormat.CHAT)
    assert few.endswith(question)
    assert few.count(ask) == 3
    assert few.count("[assistant]") == 3


def test_stops_belong_to_plain_text(bytes_tokenizer: Make) -> None:
    tokenizer = bytes_tokenizer()
    plain = build_renderer(ZERO, PromptFormat.PLAIN, "gsm8k", tokenizer).render(PROBLEM)
    chat = build_renderer(ZERO, PromptFormat.CHAT, "gsm8k", tokenizer).render(PROBLEM)
    assert (plain.stop, chat.stop) == (PLAIN_STOP, ())
    # No stop string may stand where the answer is still being written.
    assert not any(stop in "\nThe answer is 1.\n\nStep 2: 1 + 1" for stop in PLAIN_STOP)


@pytest.mark.parametrize("adds_bos", [True, False])
@pytest.mark.parametrize(
    "template", ["<s>{{ messages[-1].content }}", "{{ messages[-1].content }}"]
)
def test_token_ids_carry_bos_once(bytes_tokenizer: Make, adds_bos: bool, template: str) -> None:
    tokenizer = bytes_tokenizer(adds_bos=adds_bos, template=template)
    for fmt in PromptFormat:
        prompt = build_renderer(ZERO, fmt, "gsm8k", tokenizer).render(PROBLEM)
        wanted = adds_bos or (fmt is PromptFormat.CHAT and template.startswith("<s>"))
        assert prompt.token_ids.count(256) == int(wanted)


def test_dates_are_frozen(bytes_tokenizer: Make) -> None:
    today = bytes_tokenizer(template="{{ strftime_now('%d %b %Y') }}|{{ date_string }}")
    assert render(today, ZERO, PromptFormat.CHAT) == "26 Jul 2024|26 Jul 2024"


def test_template_arguments_reach_the_template_and_the_identity(bytes_tokenizer: Make) -> None:
    tokenizer = bytes_tokenizer(template="{{ 'on' if enable_thinking else 'off' }}")
    renderer = build_renderer(
        ZERO, PromptFormat.CHAT, "gsm8k", tokenizer, (), {"enable_thinking": False}
    )
    assert renderer.render(PROBLEM).text == "off"
    assert json.loads(renderer.identity["chat_template_kwargs"]) == {"enable_thinking": False}


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (None, "has no chat template"),
        ("{{ raise_exception('no such role') }}", "cannot be rendered .*no such role"),
        ("{% for %}", "cannot be rendered"),
    ],
)
def test_bad_templates_are_refused_before_any_problem(
    bytes_tokenizer: Make, template: str | None, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        build_renderer(ZERO, PromptFormat.CHAT, "gsm8k", bytes_tokenizer(template=template))


def test_a_small_pool_is_refused(bytes_tokenizer: Make) -> None:
    spec = PromptSpec("few-shot", shots=6)
    with pytest.raises(UserError, match=r"few-shot\.shots is 6, but dataset gsm8k has 5 exemplars"):
        build_renderer(spec, PromptFormat.PLAIN, "gsm8k", bytes_tokenizer(), POOL)


def test_an_evaluated_exemplar_is_refused(bytes_tokenizer: Make) -> None:
    exemplar = Exemplar("e", PROBLEM.question, "1 + 1 = 2.", "2")
    spec = PromptSpec("few-shot", shots=1)
    renderer = build_renderer(spec, PromptFormat.PLAIN, "gsm8k", bytes_tokenizer(), [exemplar])
    with pytest.raises(UserError, match="problem p is also an exemplar"):
        renderer.render(PROBLEM)


def test_the_pick_depends_on_seed_and_pool_alone() -> None:
    assert pick(ZERO, "gsm8k", ()) == ()
    assert pick(FEW, "gsm8k", POOL) == pick(FEW, "math", POOL[::-1])
    assert len(set(pick(PromptSpec("few-shot", shots=5), "gsm8k", POOL))) == 5
    seeds = {pick(PromptSpec("few-shot", shots=2, seed=seed), "gsm8k", POOL) for seed in range(9)}
    assert len(seeds) > 1


def test_the_identity_names_what_shapes_the_prompt(bytes_tokenizer: Make) -> None:
    def identity(spec: PromptSpec, fmt: PromptFormat, dataset: str, **tokenizer: object) -> str:
        made = build_renderer(spec, fmt, dataset, bytes_tokenizer(**tokenizer), POOL)
        return json.dumps(dict(made.identity), sort_keys=True)

    plain, chat = PromptFormat.PLAIN, PromptFormat.CHAT
    cases = [
        identity(ZERO, plain, "gsm8k"),
        identity(ZERO, chat, "gsm8k"),
        identity(ZERO, chat, "gsm8k", template="x{{ messages[0].content }}"),
        identity(ZERO, plain, "math"),
        identity(ZERO, plain, "gsm8k", adds_bos=True),
        identity(FEW, plain, "gsm8k"),
        identity(PromptSpec("few-shot", shots=2, seed=1), plain, "gsm8k"),
        identity(QA, plain, "gsm8k"),
    ]
    assert len(set(cases)) == len(cases)
    # Plain text does not see the chat template.
    assert identity(ZERO, plain, "gsm8k", template=None) == cases[0]


def test_datasets_that_users_add_are_asked_for_a_number() -> None:
    assert answer_form("mine") == answer_form("gsm8k")
