from typing import Any

import pytest

from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.config.prompt_styles import prompt_styles
from distlab.config.schema import PromptConfig, PromptGroup
from distlab.errors import UserError
from distlab.prompts import PromptFormat, PromptSpec


def styles(fields: dict[str, Any]) -> tuple[PromptSpec, ...]:
    return prompt_styles(PromptGroup({"mine": PromptConfig(**fields)}))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"format": "turns"}, "mine.format` is 'turns': take auto, plain or chat"),
        ({"shots_as": "turn"}, "mine.shots_as` is 'turn': take turns or one_turn"),
        ({"shots": -1}, "mine.shots` is -1: set it to 0 or more"),
        ({"redraw": True}, "mine.redraw` is True: .* set its shots above 0"),
        ({"exemplars": "x.jsonl"}, "mine.exemplars` is 'x.jsonl': .* set its shots above 0"),
        ({"shots_as": "one_turn"}, "mine.shots_as` is 'one_turn': .* leave it out"),
        ({"format": "plain", "system": "Hi"}, "mine.system` is 'Hi': .* take format: chat"),
        ({"format": "plain", "shots": 1, "shots_as": "one_turn"}, "mine.shots_as` .* format: chat"),
        ({"stop": "Q:"}, "mine.stop` is 'Q:': write it as a list"),
        ({"stop": ["Q:", ""]}, "mine.stop` .* leave it out"),
        ({"instruction": "{{ frm }}"}, "mine.instruction` names frm, .* did you mean form"),
        ({"instruction": "{{ form"}, "mine.instruction` is no Jinja template .line 1: .*raw"),
        ({"instruction": 3}, "mine.instruction` is 3: write it as a text, or as texts by what"),
        ({"instruction": {}}, "mine.instruction` is {}: write it as a text"),
        ({"instruction": {"numbr": "N."}}, "instruction.KIND` is 'numbr': take number, latex, "),
        ({"instruction": {"date": 3}}, "mine.instruction.date` is 3: write it as a text"),
        ({"instruction": {"date": "{{ frm }}"}}, "mine.instruction.date` names frm"),
        ({"template": "Solve!"}, "mine.template` is 'Solve!': it lacks question, .* put {{ quest"),
        (
            {"template": "{% if form is none %}{{ question }}{% endif %}"},
            "it names question and does not show it, .* put {{ question }} in",
        ),
        (
            {"template": "{% for e in exemplars %}{{ question }}{% endfor %}", "shots": 0},
            "it names question and does not show it",
        ),
        (
            {"template": "{{ question }}{{ exemplars | length }}", "shots": 1},
            "it names exemplars and does not show it",
        ),
        (
            {"template": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}{{ question }}"},
            "cannot be rendered .maximum recursion",
        ),
        ({"template": "{{ question }}", "shots": 2}, "it lacks exemplars, .* put {% for one in"),
        ({"template": "{{ question }}", "cue": "So"}, "it lacks cue, .* put {{ cue }} in"),
        ({"template": "{{ question }}", "instruction": "!"}, "it lacks instruction, and one is"),
        ({"template": "{{ question }}{{ form.kind }}"}, "mine.template` cannot be rendered .*kind"),
        ({"template": "{{ question + 1 }}"}, "mine.template` cannot be rendered"),
        ({"template": "{{ question }}{{ lipsum() }}"}, "lipsum"),
        ({"template": "{{ question }}{{ [1, 2] | random }}"}, "random"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_key(
    fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        styles(fields)


def test_a_group_without_a_style_is_refused() -> None:
    with pytest.raises(UserError, match="no prompt is selected"):
        prompt_styles(PromptGroup())


def test_the_styles_that_come_with_the_package() -> None:
    chosen = "prompt=[zero-shot,few-shot,qa,crossed,paraphrases,redrawn]"
    made = {spec.name: spec for spec in validate(compose_config([chosen])).prompts}
    assert len(made) == 3 + 2 + 10 + 5
    plain, chat = made["plain"], made["chat"]
    assert (plain.format, chat.format) == (PromptFormat.PLAIN, PromptFormat.CHAT)
    same = ("shots", "seed", "instruction", "cue", "stop", "exemplars", "template")
    assert all(getattr(plain, name) == getattr(chat, name) for name in same)
    wordings = {spec.instruction for name, spec in made.items() if name.startswith("wording")}
    assert len(wordings) == 10
    assert all(text is not None and "{{ form }}" in text for text in wordings)
    assert {made[f"exemplars-{seed}"].seed for seed in range(1, 6)} == set(range(1, 6))
