r"""Problems to prompts, for one prompt style, format, dataset and tokenizer.

Plain text (base), zero-shot: ``Q: QUESTION\nINSTRUCTION\nA: Let's think step by step.`` (the cue
of Kojima et al., arXiv 2205.11916; that the base arm reads the same answer instruction as the
instruct arm is ours). Few-shot: ``Q: ...\nA: REASONING ANSWER-SENTENCE`` blocks (Wei et al.,
arXiv 2201.11903), whose form the exemplars show, so no instruction. qa: ``Q: QUESTION\nA:``
(Wang & Zhou, arXiv 2402.10200).

Chat (instruct): each question is a user turn that ends with the instruction, each exemplar's
solution an assistant turn; qa leaves the instruction out. We write no system turn (ours).
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jinja2

from distlab.errors import UserError
from distlab.problems.problem import Exemplar, Problem
from distlab.prompts import exemplars as shots
from distlab.prompts.instructions import AnswerForm, answer_form
from distlab.prompts.prompt import Prompt, PromptFormat, PromptSpec, PromptTokenizer
from distlab.prompts.tokens import encode, tokenizer_hash

CUE = "Let's think step by step."
# A base model that has answered goes on with the next block of what it takes for a list: of 1319
# stored Llama 3.1 base outputs on GSM8K 1113 do so with "\n\nQ:", the others end by themselves.
# The two other words are how such lists commonly go on (ours). A blank line alone is no sign:
# solutions have paragraphs.
PLAIN_STOP = ("\nQ:", "\nQuestion:", "\nProblem:")
# Templates of Llama 3.x and SmolLM3 print today's date, which would make a new prompt every day.
# This is the date that Llama's own template falls back to.
FROZEN_DATE = datetime.date(2024, 7, 26)


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders the problems of one cell.

    Attributes:
        format: Plain text or chat.
        spec: The prompt style.
        form: The dataset's instruction and answer sentence.
        exemplars: The shots, in order.
        tokenizer: The checkpoint's tokenizer.
        chat_template_kwargs: Passed to the chat template.
        identity: All that shapes the prompt beside the problem, as stable strings.
    """

    format: PromptFormat
    spec: PromptSpec
    form: AnswerForm
    exemplars: tuple[Exemplar, ...]
    tokenizer: PromptTokenizer
    chat_template_kwargs: Mapping[str, object]
    identity: Mapping[str, str]

    def render(self, problem: Problem) -> Prompt:
        """The prompt of one problem.

        Raises:
            UserError: The problem is one of the exemplars: its answer would stand in the prompt.
        """
        if any(one.question.strip() == problem.question for one in self.exemplars):
            raise UserError(
                f"problem {problem.id} is also an exemplar of prompt {self.spec.name}; "
                "give a train_path that holds no evaluated problem"
            )
        chat = self.format is PromptFormat.CHAT
        text = self._chat(problem.question) if chat else self._plain(problem.question)
        ids = encode(self.tokenizer, text)
        return Prompt(problem.id, text, ids, () if chat else PLAIN_STOP)

    def _plain(self, question: str) -> str:
        blocks = [f"Q: {one.question}\nA: {self._solution(one)}" for one in self.exemplars]
        return "\n\n".join([*blocks, self._plain_question(question)])

    def _plain_question(self, question: str) -> str:
        if self.exemplars or not self.spec.chain_of_thought:
            return f"Q: {question}\nA:"
        return f"Q: {question}\n{self.form.instruction}\nA: {CUE}"

    def _chat(self, question: str) -> str:
        turns = []
        for one in self.exemplars:
            turns.append({"role": "user", "content": self._request(one.question)})
            turns.append({"role": "assistant", "content": self._solution(one)})
        turns.append({"role": "user", "content": self._request(question)})
        return apply_template(self.tokenizer, turns, self.chat_template_kwargs)

    def _request(self, question: str) -> str:
        if not self.spec.chain_of_thought:
            return question
        return f"{question}\n\n{self.form.instruction}"

    def _solution(self, one: Exemplar) -> str:
        sentence = self.form.sentence.format(answer=one.answer)
        if not self.spec.chain_of_thought:
            return sentence
        return f"{one.reasoning}\n{sentence}"


def build_renderer(
    spec: PromptSpec,
    fmt: PromptFormat,
    dataset: str,
    tokenizer: PromptTokenizer,
    exemplars: Sequence[Exemplar] = (),
    chat_template_kwargs: Mapping[str, object] | None = None,
) -> Renderer:
    """Settle everything but the problem.

    Args:
        spec: The prompt style.
        fmt: Plain text or chat.
        dataset: Name of the dataset, which words the instruction.
        tokenizer: The checkpoint's tokenizer.
        exemplars: The pool that ``spec.shots`` are drawn from: all of ``load_exemplars``.
        chat_template_kwargs: For the chat template (hybrid thinkers: ``enable_thinking=False``).

    Raises:
        UserError: The pool is smaller than the shots, or chat is asked of a tokenizer without a
            chat template, or its template refuses the turns.
    """
    chosen = shots.pick(spec, dataset, exemplars)
    kwargs = dict(chat_template_kwargs or {})
    form = answer_form(dataset)
    if fmt is PromptFormat.CHAT:
        # A template that cannot take the turns says so before an engine is started.
        apply_template(tokenizer, [{"role": "user", "content": "1 + 1 = ?"}], kwargs)
    identity = _identity(spec, fmt, form, chosen)
    identity |= {"tokenizer_sha256": tokenizer_hash(tokenizer)}
    if fmt is PromptFormat.CHAT:
        identity |= _chat_identity(tokenizer, kwargs)
    return Renderer(fmt, spec, form, chosen, tokenizer, kwargs, identity)


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
            f"the instruct checkpoint {tokenizer.name_or_path} has no chat template; "
            "put the one that it was trained with there as chat_template.jinja, or name a "
            "checkpoint that has one as model.instruct.id"
        )
    dated = {"strftime_now": FROZEN_DATE.strftime, "date_string": FROZEN_DATE.strftime("%d %b %Y")}
    try:
        text = tokenizer.apply_chat_template(
            list(turns), tokenize=False, add_generation_prompt=True, **{**dated, **kwargs}
        )
    except (jinja2.TemplateError, TypeError, ValueError) as error:
        raise UserError(
            f"the chat template of {tokenizer.name_or_path} cannot be rendered ({error}); "
            "correct model.chat_template_kwargs"
        ) from error
    return str(text)


def _identity(
    spec: PromptSpec, fmt: PromptFormat, form: AnswerForm, chosen: tuple[Exemplar, ...]
) -> dict[str, str]:
    return {
        "style": spec.name,
        "format": fmt.value,
        "shots": str(spec.shots),
        "seed": str(spec.seed),
        "chain_of_thought": str(spec.chain_of_thought).lower(),
        "instruction": form.instruction,
        "answer_sentence": form.sentence,
        "exemplars": json.dumps([one.id for one in chosen]),
        "exemplars_sha256": shots.fingerprint(chosen),
    }


def _chat_identity(tokenizer: PromptTokenizer, kwargs: Mapping[str, object]) -> dict[str, str]:
    template = tokenizer.chat_template
    # Some checkpoints hold several templates by name.
    text = template if isinstance(template, str) else json.dumps(template, sort_keys=True)
    return {
        "chat_template_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "chat_template_kwargs": json.dumps(kwargs, sort_keys=True),
        "chat_date": FROZEN_DATE.isoformat(),
    }
