import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from transformers import PreTrainedTokenizerBase

from distlab.errors import UserError
from distlab.problems import Exemplar, Gold, GoldKind, Problem
from distlab.prompts import (
    ChatTemplate,
    PromptFormat,
    PromptSpec,
    Renderer,
    build_renderer,
)
from distlab.prompts.exemplars import pick
from distlab.prompts.instructions import answer_form
from distlab.prompts.prompt import ShotsAs, Shown
from distlab.prompts.renderer import PLAIN_STOP, WITHHELD

ZERO = PromptSpec("zero-shot")
FEW = PromptSpec("few-shot", shots=2)
QA = PromptSpec("qa", chain_of_thought=False)
PROBLEM = Problem("p", "gsm8k", "What is 1 + 1?", Gold(GoldKind.NUMBER, "2"), cluster="p")
POOL = tuple(
    Exemplar(f"e{index}", f"What is {index} + 1?", f"{index} + 1 = {index + 1}.", str(index + 1))
    for index in range(10, 15)
)
Make = Callable[..., PreTrainedTokenizerBase]


def renderer(
    tokenizer: PreTrainedTokenizerBase,
    spec: PromptSpec,
    fmt: PromptFormat,
    dataset: str = "gsm8k",
    pool: Sequence[Exemplar] = POOL,
    **kwargs: object,
) -> Renderer:
    chat = ChatTemplate(tokenizer, kwargs) if fmt is PromptFormat.CHAT else None
    return build_renderer(spec, dataset, tokenizer, pool, chat)


def render(
    tokenizer: PreTrainedTokenizerBase, spec: PromptSpec, fmt: PromptFormat, **more: object
) -> str:
    return renderer(tokenizer, spec, fmt, **more).render(PROBLEM).text


def test_prompts_that_show_less_than_the_question(bytes_tokenizer: Make) -> None:
    tokenizer = bytes_tokenizer(template=None)
    opening = PromptSpec("opening", template="{{ question }}", shows=Shown.OPENING, stop=())
    assert render(tokenizer, opening, PromptFormat.PLAIN) == "What is 1"
    withheld = replace(ZERO, name="withheld", shows=Shown.NOTHING)
    text = render(tokenizer, withheld, PromptFormat.PLAIN)
    assert text == render(tokenizer, ZERO, PromptFormat.PLAIN).replace(PROBLEM.question, WITHHELD)
    identities = [
        renderer(tokenizer, spec, PromptFormat.PLAIN).identity
        for spec in (replace(ZERO, name="withheld"), withheld, opening)
    ]
    assert [identity.get("shows") for identity in identities] == [None, "nothing", "opening"]


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
    plain = renderer(tokenizer, ZERO, PromptFormat.PLAIN).render(PROBLEM)
    chat = renderer(tokenizer, ZERO, PromptFormat.CHAT).render(PROBLEM)
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
        prompt = renderer(tokenizer, ZERO, fmt).render(PROBLEM)
        wanted = adds_bos or (fmt is PromptFormat.CHAT and template.startswith("<s>"))
        assert prompt.token_ids.count(256) == int(wanted)


def test_dates_are_frozen(bytes_tokenizer: Make) -> None:
    today = bytes_tokenizer(template="{{ strftime_now('%d %b %Y') }}|{{ date_string }}")
    assert render(today, ZERO, PromptFormat.CHAT) == "26 Jul 2024|26 Jul 2024"


def test_template_arguments_reach_the_template_and_the_identity(bytes_tokenizer: Make) -> None:
    tokenizer = bytes_tokenizer(template="{{ 'on' if enable_thinking else 'off' }}")
    made = renderer(tokenizer, ZERO, PromptFormat.CHAT, enable_thinking=False)
    assert made.render(PROBLEM).text == "off"
    assert json.loads(made.identity["chat_template_kwargs"]) == {"enable_thinking": False}


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (None, "has no chat template"),
        ("{{ raise_exception('no such role') }}", "cannot be rendered .*no such role"),
        ("{% for %}", "cannot be rendered"),
        ("{{ 1 // 0 }}", "cannot be rendered .*by zero.*; correct it, or model"),
    ],
)
def test_bad_templates_are_refused_before_any_problem(
    bytes_tokenizer: Make, template: str | None, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        renderer(bytes_tokenizer(template=template), ZERO, PromptFormat.CHAT)


def test_a_small_pool_is_refused(bytes_tokenizer: Make) -> None:
    spec = PromptSpec("few-shot", shots=6)
    with pytest.raises(UserError, match=r"few-shot\.shots is 6, but dataset gsm8k has 5 exemplars"):
        renderer(bytes_tokenizer(), spec, PromptFormat.PLAIN)


def test_an_evaluated_exemplar_is_refused(bytes_tokenizer: Make) -> None:
    exemplar = Exemplar("e", PROBLEM.question, "1 + 1 = 2.", "2")
    spec = PromptSpec("few-shot", shots=1)
    made = renderer(bytes_tokenizer(), spec, PromptFormat.PLAIN, pool=[exemplar])
    with pytest.raises(UserError, match="problem p is also an exemplar"):
        made.render(PROBLEM)


def test_the_pick_depends_on_seed_and_pool_alone() -> None:
    assert pick(ZERO, "gsm8k", ()) == ()
    assert pick(FEW, "gsm8k", POOL) == pick(FEW, "math", POOL[::-1])
    assert len(set(pick(PromptSpec("few-shot", shots=5), "gsm8k", POOL))) == 5
    seeds = {pick(PromptSpec("few-shot", shots=2, seed=seed), "gsm8k", POOL) for seed in range(9)}
    assert len(seeds) > 1


def test_the_identity_names_what_shapes_the_prompt(bytes_tokenizer: Make) -> None:
    def identity(spec: PromptSpec, fmt: PromptFormat, dataset: str, **tokenizer: object) -> str:
        made = renderer(bytes_tokenizer(**tokenizer), spec, fmt, dataset)
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


# What stands in the addresses of all samples that were drawn before styles could set more.
IDENTITIES = {
    "zero-shot/plain/gsm8k": "a9174ceb72086db5",
    "zero-shot/plain/math": "65365ff88f15505b",
    "zero-shot/chat/medcalc": "b49c029c75081e21",
    "few-shot/plain/medcalc": "6d42f54b31aff171",
    "few-shot/chat/gsm8k": "6595a14cc03dd68f",
    "qa/plain/math": "d79cd7242b533864",
    "qa/chat/medcalc": "84586cbf7b627ff5",
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_identities_are_what_they_always_were(bytes_tokenizer: Make, name: str) -> None:
    style, fmt, dataset = name.split("/")
    spec = {"zero-shot": ZERO, "few-shot": FEW, "qa": QA}[style]
    pool = [Exemplar(f"e{i}", f"Q{i}?", f"r{i}.", str(i)) for i in range(5)]
    made = renderer(bytes_tokenizer(), spec, PromptFormat(fmt), dataset, pool)
    text = json.dumps(dict(made.identity), sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == IDENTITIES[name]


def test_every_setting_of_a_style_is_in_the_identity(bytes_tokenizer: Make) -> None:
    settings: dict[str, object] = {
        "seed": 1,
        "system": "Be brief.",
        "instruction": "{{ instruction }}",
        "cue": "",
        "redraw": True,
        "shots_as": ShotsAs.ONE_TURN,
        "template": "{{ question }}",
    }
    made = [FEW, *(replace(FEW, **{key: value}) for key, value in settings.items())]
    found = {
        json.dumps(dict(renderer(bytes_tokenizer(), spec, PromptFormat.CHAT).identity))
        for spec in made
    }
    assert len(found) == len(made)


def test_a_styles_own_instruction_and_cue_stand_in_every_format(bytes_tokenizer: Make) -> None:
    spec = replace(FEW, instruction="Be quick. {{ form }}", cue="So", shots=1)
    ask = f"Be quick. {answer_form('gsm8k').request}"
    for fmt, opening in ((PromptFormat.PLAIN, "\nA: So"), (PromptFormat.CHAT, "[assistant]So")):
        text = render(bytes_tokenizer(), spec, fmt)
        assert text.count(ask) == 2
        assert text.endswith(opening)
    none = replace(ZERO, instruction="", cue="")
    assert render(bytes_tokenizer(), none, PromptFormat.PLAIN) == "Q: What is 1 + 1?\nA:"


def test_an_instruction_by_what_answers_are_is_in_prompt_and_identity(
    bytes_tokenizer: Make,
) -> None:
    spec = replace(ZERO, instructions=(("number", "A number. {{ form }}"), ("choice", "A letter.")))
    made = {
        kind: build_renderer(spec, "mine", bytes_tokenizer(), (), None, (kind,))
        for kind in (GoldKind.INTEGER, GoldKind.CHOICE, GoldKind.DATE)
    }
    texts = {kind: one.render(PROBLEM).text for kind, one in made.items()}
    assert f"\nA number. {answer_form('gsm8k').request}\nA:" in texts[GoldKind.INTEGER]
    assert "\nA letter.\nA:" in texts[GoldKind.CHOICE]
    assert answer_form("mine", (GoldKind.DATE,)).instruction in texts[GoldKind.DATE]
    assert made[GoldKind.CHOICE].identity["instruction"] == "A letter."
    # What is asked of other answers is nothing to this address.
    alone = build_renderer(
        replace(ZERO, instruction="A letter."), "mine", bytes_tokenizer(), (), None, ()
    )
    assert made[GoldKind.CHOICE].identity == alone.identity


def test_formats_differ_in_nothing_but_the_format(bytes_tokenizer: Make) -> None:
    spec = replace(ZERO, instruction="{{ instruction }}", cue="", stop=PLAIN_STOP)
    plain, chat = (renderer(bytes_tokenizer(), spec, fmt) for fmt in PromptFormat)
    assert plain.stop == chat.stop == PLAIN_STOP
    common = set(plain.identity.items()) & set(chat.identity.items())
    assert plain.identity.keys() - dict(common).keys() == {"format"}


def test_shots_in_one_turn_and_a_system_turn(bytes_tokenizer: Make) -> None:
    spec = replace(FEW, shots_as=ShotsAs.ONE_TURN, system="Be brief.")
    prompt = renderer(bytes_tokenizer(), spec, PromptFormat.CHAT).render(PROBLEM)
    assert [turn.role for turn in prompt.turns] == ["system", "user"]
    assert prompt.turns[1].content.count("\nA: ") == 2
    assert prompt.text == "".join(f"[{t.role}]{t.content}[end]" for t in prompt.turns) + (
        "[assistant]"
    )


def test_exemplars_are_redrawn_for_every_problem(bytes_tokenizer: Make) -> None:
    spec = replace(FEW, redraw=True)
    made = renderer(bytes_tokenizer(), spec, PromptFormat.CHAT)
    shown = {
        name: made.shots.before(replace(PROBLEM, id=name, question="?"))
        for name in ("a", "b", "c", "d")
    }
    assert len(set(shown.values())) > 1
    again = renderer(bytes_tokenizer(), spec, PromptFormat.CHAT, pool=POOL[::-1])
    assert again.shots.before(replace(PROBLEM, id="a", question="?")) == shown["a"]
    # A problem that is in the pool is never shown solved.
    own = replace(PROBLEM, question=POOL[0].question)
    for seed in range(9):
        shots = renderer(bytes_tokenizer(), replace(spec, seed=seed, shots=4), PromptFormat.CHAT)
        assert POOL[0] not in shots.shots.before(own)


def test_a_template_of_ones_own(bytes_tokenizer: Make) -> None:
    source = (
        "{% for one in exemplars %}{{ one.question }} -> {{ one.answer }}\n{% endfor %}"
        "{{ question }} ({{ form }}){{ cue }}"
    )
    spec = replace(FEW, template=source, cue=" ->")
    text = render(bytes_tokenizer(), spec, PromptFormat.PLAIN)
    first, second, last = text.split("\n")
    assert {first, second} <= {f"{one.question} -> {one.answer}" for one in POOL}
    assert last == f"What is 1 + 1? ({answer_form('gsm8k').request}) ->"
    chat = renderer(bytes_tokenizer(), spec, PromptFormat.CHAT).render(PROBLEM)
    assert chat.turns[-1].content == text
    # Braces of a question are text.
    braces = replace(PROBLEM, question="{{ 7 * 7 }} {% x %}")
    assert (
        "{{ 7 * 7 }} {% x %}"
        in renderer(bytes_tokenizer(), spec, PromptFormat.PLAIN).render(braces).text
    )


def test_a_borrowed_chat_template_is_in_the_identity(bytes_tokenizer: Make) -> None:
    own, lender = bytes_tokenizer(template=None), bytes_tokenizer()
    lent = build_renderer(ZERO, "gsm8k", own, (), ChatTemplate(lender, {}, "org/instruct"))
    assert lent.render(PROBLEM).text.endswith("[end][assistant]")
    assert lent.identity["chat_template_of"] == "org/instruct"


@pytest.mark.parametrize(
    ("kinds", "asked"),
    [
        ((), "the number alone"),
        ((GoldKind.NUMBER, GoldKind.INTERVAL), "the number alone"),
        ((GoldKind.CHOICE,), "the letter of the right choice"),
        ((GoldKind.DATE,), "the date as MM/DD/YYYY"),
        ((GoldKind.NUMBER, GoldKind.LIST), "within \\boxed{}"),
        ((GoldKind.NUMBER, GoldKind.DATE), "the value alone: a number without units, a date"),
        ((GoldKind.TEXT,), "the answer alone, in as few words"),
        # All problems are asked alike: none is told what its own answer looks like.
        ((GoldKind.NUMBER, GoldKind.CHOICE), "the answer alone, in as few words"),
    ],
)
def test_datasets_that_users_add_are_asked_for_what_their_golds_are(
    bytes_tokenizer: Make, kinds: tuple[GoldKind, ...], asked: str
) -> None:
    made = build_renderer(ZERO, "mine", bytes_tokenizer(), (), None, kinds)
    assert asked in made.render(PROBLEM).text
    assert asked in answer_form("mine", kinds).request
    assert answer_form("gsm8k", kinds) == answer_form("gsm8k")
