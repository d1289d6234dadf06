"""Problems to prompts, for one prompt style, format, dataset and tokenizer."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from distlab.decoding.thinking import Thinking
from distlab.errors import UserError, brief
from distlab.problems.opening import split_question
from distlab.problems.problem import Exemplar, GoldKind, Problem
from distlab.prompts.exemplars import Shots
from distlab.prompts.instructions import answer_form
from distlab.prompts.layout import Layout
from distlab.prompts.prompt import (
    Prompt,
    PromptFormat,
    PromptSpec,
    PromptTokenizer,
    ShotsAs,
    Shown,
    Turn,
)
from distlab.prompts.thinking import ASKED, thinking_of
from distlab.prompts.tokens import encode, tokenizer_hash

# A base model that has answered goes on with the next block of what it takes for a list: of 1319
# stored Llama 3.1 base outputs on GSM8K 1113 do so with "\n\nQ:", the others end by themselves.
# The two other words are how such lists commonly go on (ours). A blank line alone is no sign:
# solutions have paragraphs.
PLAIN_STOP = ("\nQ:", "\nQuestion:", "\nProblem:")
# What stands where the question would (ours).
WITHHELD = "[The question is withheld. Guess its answer.]"
# Templates of Llama 3.x and SmolLM3 print today's date, which would make a new prompt every day.
# This is the date that Llama's own template falls back to.
FROZEN_DATE = datetime.date(2024, 7, 26)


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """Whose chat template is rendered, and how.

    Attributes:
        tokenizer: Has the template; another checkpoint's where it is borrowed.
        kwargs: Passed to it (hybrid thinkers: ``enable_thinking=False``).
        lender: Id of the checkpoint that it is borrowed from; None where it is the arm's own.
    """

    tokenizer: PromptTokenizer
    kwargs: Mapping[str, object]
    lender: str | None = None

    def render(self, turns: Sequence[Turn]) -> str:
        """Turns as text, with the opening of the assistant's turn.

        Raises:
            UserError: There is no template, or it fails on the turns or the keyword arguments.
        """
        return apply_template(self.tokenizer, [asdict(turn) for turn in turns], self.kwargs)

    @property
    def identity(self) -> dict[str, str]:
        """What of it shapes a prompt, as stable strings."""
        template = self.tokenizer.chat_template
        # Some checkpoints hold several templates by name.
        text = template if isinstance(template, str) else json.dumps(template, sort_keys=True)
        lent = {} if self.lender is None else {"chat_template_of": self.lender}
        return lent | {
            "chat_template_sha256": hashlib.sha256(text.encode()).hexdigest(),
            "chat_template_kwargs": json.dumps(self.kwargs, sort_keys=True),
            "chat_date": FROZEN_DATE.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders the problems of one cell.

    Attributes:
        layout: The prompt style on the dataset.
        shots: Its exemplars.
        tokenizer: The checkpoint's tokenizer.
        chat: What chat turns are rendered with; None for plain text.
        identity: All that shapes the prompt beside the problem, as stable strings.
        thinking: How the model marks its reasoning; None where no prompt asks for any.
    """

    layout: Layout
    shots: Shots
    tokenizer: PromptTokenizer
    chat: ChatTemplate | None
    identity: Mapping[str, str]
    thinking: Thinking | None = None

    def render(self, problem: Problem) -> Prompt:
        """The prompt of one problem.

        Raises:
            UserError: The problem is one of the exemplars, so that its answer would stand in the
                prompt; or a template cannot be rendered on it.
        """
        exemplars = self.shots.before(problem)
        question = _shown(problem.question, self.layout.spec.shows)
        turns: tuple[Turn, ...] = ()
        if self.chat is None:
            text = self.layout.plain(question, exemplars)
        else:
            turns = self.layout.turns(question, exemplars)
            text = self.chat.render(turns) + self.layout.opening
        return Prompt(problem.id, text, encode(self.tokenizer, text), self.stop, turns)

    @property
    def stop(self) -> tuple[str, ...]:
        """Strings that end a completion."""
        if self.layout.spec.stop is not None:
            return self.layout.spec.stop
        return PLAIN_STOP if self.chat is None else ()


def _shown(question: str, shows: Shown) -> str:
    """What a prompt shows in a question's place."""
    if shows is Shown.OPENING:
        return split_question(question)[0]
    return WITHHELD if shows is Shown.NOTHING else question


def build_renderer(
    spec: PromptSpec,
    dataset: str,
    tokenizer: PromptTokenizer,
    exemplars: Sequence[Exemplar] = (),
    chat: ChatTemplate | None = None,
    kinds: Iterable[GoldKind] = (),
) -> Renderer:
    """Settle everything but the problem.

    Args:
        spec: The prompt style.
        dataset: Name of the dataset, which words the instruction where it is a published one.
        tokenizer: The checkpoint's tokenizer.
        exemplars: The pool that ``spec.shots`` are drawn from, see ``ExemplarPools``.
        chat: What chat turns are rendered with; None for plain text.
        kinds: Of the dataset's golds, which word the instruction of any other dataset.

    Raises:
        UserError: The pool is smaller than the shots, or chat is asked of a tokenizer without a
            chat template, or its template refuses the turns.
    """
    form = answer_form(dataset, kinds)
    spec = spec.asked_of(form.kind)
    layout = Layout(spec, form)
    shots = Shots.of(spec, dataset, exemplars)
    thinking = None
    if chat is not None:
        # A template that cannot take the turns says so before an engine is started.
        tried = chat.render(layout.turns(ASKED, shots.pool[: spec.shots]))
        thinking = thinking_of(chat.tokenizer, tokenizer, tried, chat.kwargs)
    identity = _identity(layout, shots, PromptFormat.PLAIN if chat is None else PromptFormat.CHAT)
    identity |= {"tokenizer_sha256": tokenizer_hash(tokenizer)}
    if chat is not None:
        identity |= chat.identity
    return Renderer(layout, shots, tokenizer, chat, identity, thinking)


def apply_template(
    tokenizer: PromptTokenizer,
    turns: Sequence[Mapping[str, str]],
    kwargs: Mapping[str, object],
) -> str:
    """Render chat turns as text, with the opening of the assistant's turn.

    Raises:
        UserError: There is no chat template, or it fails on the turns or the keyword arguments.
    """
    if not tokenizer.chat_template:
        raise UserError(
            f"the checkpoint {tokenizer.name_or_path} has no chat template; put the one that it "
            "was trained with there as chat_template.jinja, name a checkpoint that has one as "
            "model.instruct.id, or take a prompt style with format: plain"
        )
    dated = {"strftime_now": FROZEN_DATE.strftime, "date_string": FROZEN_DATE.strftime("%d %b %Y")}
    try:
        text = tokenizer.apply_chat_template(
            list(turns), tokenize=False, add_generation_prompt=True, **{**dated, **kwargs}
        )
    except Exception as error:  # a template is code, of which anything may be raised
        raise UserError(
            f"the chat template of {tokenizer.name_or_path} cannot be rendered "
            f"({brief(str(error))}); correct it, or model.chat_template_kwargs"
            f"{', or leave the system turn out' if turns[0]['role'] == 'system' else ''}"
        ) from error
    return str(text)


def _identity(layout: Layout, shots: Shots, fmt: PromptFormat) -> dict[str, str]:
    spec = layout.spec
    first = {
        "style": spec.name,
        "format": fmt.value,
        "shots": str(spec.shots),
        "seed": str(spec.seed),
        "chain_of_thought": str(spec.chain_of_thought).lower(),
        "instruction": layout.instruction,
        "answer_sentence": layout.form.sentence,
    }
    return first | shots.identity | _later(spec)


def _later(spec: PromptSpec) -> dict[str, str]:
    """What styles may set since the first addresses: in the identity where it is set alone."""
    texts = {
        "system": spec.system,
        "instruction_template": spec.instruction,
        "cue": spec.cue,
        "template": spec.template,
    }
    found = {name: text for name, text in texts.items() if text is not None}
    if spec.redraw:
        found["redraw"] = "true"
    if spec.shots_as is not ShotsAs.TURNS:
        found["shots_as"] = spec.shots_as.value
    if spec.shows is not Shown.QUESTION:
        found["shows"] = spec.shows.value
    if spec.shows is Shown.NOTHING:
        found["withheld"] = WITHHELD
    return found
