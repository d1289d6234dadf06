"""Prompt styles: entries of ``prompt.styles`` in, frozen values out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import jinja2

from distlab.config.refusal import refuse
from distlab.config.schema import PromptConfig, PromptGroup
from distlab.errors import UserError, brief, nearest
from distlab.escape import plain
from distlab.files import expanded
from distlab.prompts.instructions import FORM_KINDS
from distlab.prompts.prompt import PromptFormat, PromptSpec, ShotsAs, Shown
from distlab.prompts.templates import INSTRUCTION_NAMES, LAYOUT_NAMES, fill, names_in

# The format of a variant, whatever it is.
_AUTO: Final = "auto"


def prompt_styles(raw: PromptGroup) -> tuple[PromptSpec, ...]:
    """The selected prompt styles.

    Raises:
        UserError: None is selected, a value is out of range, a template is none or names what it
            is not given, or a key would have no effect.
    """
    if not raw.styles:
        raise UserError("no prompt is selected: set `prompt=NAME` or `prompt=[NAME,NAME]`")
    return tuple(_style(name, style) for name, style in raw.styles.items())


def _style(name: str, raw: PromptConfig) -> PromptSpec:
    key = f"prompt.styles.{name}"
    _one_of(f"{key}.format", raw.format, (_AUTO, *PromptFormat))
    _one_of(f"{key}.shots_as", raw.shots_as, tuple(ShotsAs))
    _one_of(f"{key}.shows", raw.shows, tuple(Shown))
    if raw.shots < 0:
        refuse(f"{key}.shots", raw.shots, "set it to 0 or more")
    instruction, instructions = _instruction(f"{key}.instruction", raw.instruction)
    for field, value, remedy in _idle(raw):
        refuse(f"{key}.{field}", value, remedy)
    return PromptSpec(
        name=name,
        shots=raw.shots,
        seed=raw.seed,
        chain_of_thought=raw.chain_of_thought,
        format=None if raw.format == _AUTO else PromptFormat(raw.format),
        system=raw.system,
        instruction=instruction,
        instructions=instructions,
        cue=raw.cue,
        exemplars=None if raw.exemplars is None else expanded(raw.exemplars),
        redraw=raw.redraw,
        shots_as=ShotsAs(raw.shots_as),
        stop=_stop(f"{key}.stop", raw.stop),
        template=_template(f"{key}.template", raw),
        shows=Shown(raw.shows),
    )


def _instruction(key: str, raw: object) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    """An instruction for all datasets, or one by what their answers are."""
    if raw is None:
        return None, ()
    if isinstance(raw, str):
        _names(key, raw, INSTRUCTION_NAMES)
        return raw, ()
    if not isinstance(raw, dict) or not raw:
        refuse(key, raw, "write it as a text, or as texts by what a dataset's answers are")
    for kind, text in raw.items():
        _one_of(f"{key}.KIND", str(kind), FORM_KINDS)
        if not isinstance(text, str):
            refuse(f"{key}.{kind}", text, "write it as a text")
        _names(f"{key}.{kind}", text, INSTRUCTION_NAMES)
    return None, tuple(raw.items())


def _one_of(key: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        refuse(key, value, f"take {', '.join(known[:-1])} or {known[-1]}")


def _idle(raw: PromptConfig) -> Iterator[tuple[str, object, str]]:
    """Keys that would have no effect, and what to do about each."""
    if not raw.shots:
        for field in ("exemplars", "redraw"):
            if value := getattr(raw, field):
                yield field, value, "the style shows no exemplars; set its shots above 0"
    in_turns = raw.shots_as == ShotsAs.TURNS
    if not in_turns and (not raw.shots or raw.template is not None):
        yield "shots_as", raw.shots_as, "nothing is laid out by it here; leave it out"
    if raw.format == PromptFormat.PLAIN:
        remedy = "plain text has no turns; leave it out, or take format: chat"
        if raw.system is not None:
            yield "system", raw.system, remedy
        if not in_turns:
            yield "shots_as", raw.shots_as, remedy


# Of no language and without case, so that filters of a template leave them as they are.
_MARKS: Final = {name: chr(0xE000 + place) for place, name in enumerate(LAYOUT_NAMES)}


def _names(key: str, source: str, known: Sequence[str]) -> frozenset[str]:
    """What a template names.

    Raises:
        UserError: It is no template, or names something else.
    """
    try:
        found = names_in(source)
    except jinja2.TemplateSyntaxError as error:
        line = f"line {error.lineno}: {brief(str(error.message))}"
        raise UserError(
            f"`{key}` is no Jinja template ({line}); correct it, or write {{% raw %}} and "
            "{% endraw %} around text that is none"
        ) from error
    for name in sorted(found.difference(known)):
        raise UserError(f"`{key}` names {plain(name)}, which it is not given{nearest(name, known)}")
    return found


def _template(key: str, raw: PromptConfig) -> str | None:
    if raw.template is None:
        return None
    named = _names(key, raw.template, LAYOUT_NAMES)
    wanted: Mapping[str, tuple[object, str]] = {
        "question": (True, "every prompt would be the same: put {{ question }} in"),
        "exemplars": (raw.shots, "shots are asked for: put {% for one in exemplars %} in"),
        "instruction": (raw.instruction is not None, "one is set: put {{ instruction }} in"),
        "cue": (raw.cue is not None, "one is set: put {{ cue }} in"),
    }
    for name, (is_set, remedy) in wanted.items():
        if is_set and name not in named:
            refuse(key, raw.template, f"it lacks {name}, and {remedy}")
    # A name may stand where nothing is written: each text is marked, and the mark looked for.
    texts = {name: f"1 + 1 = {mark} ?" for name, mark in _MARKS.items()}
    made_up = dict.fromkeys(("question", "reasoning", "answer", "solution"), texts["exemplars"])
    filled = fill(key, raw.template, {**texts, "exemplars": [made_up] * raw.shots})
    for name, (is_set, remedy) in wanted.items():
        if is_set and _MARKS[name] not in filled:
            refuse(key, raw.template, f"it names {name} and does not show it, and {remedy}")
    return raw.template


def _stop(key: str, raw: object) -> tuple[str, ...] | None:
    if raw is None:
        return None
    if not isinstance(raw, list) or not all(isinstance(text, str) for text in raw):
        refuse(key, raw, "write it as a list of texts; [] is none")
    if not all(raw):
        refuse(key, raw, "an empty text ends every completion at once; leave it out")
    return tuple(raw)
