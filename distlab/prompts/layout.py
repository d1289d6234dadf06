r"""How a prompt style lays a question out: as plain text, or as turns of a chat.

Plain text, zero-shot: ``Q: QUESTION\nINSTRUCTION\nA: Let's think step by step.`` (the cue of
Kojima et al., arXiv 2205.11916; that base and instruct read the same answer instruction is ours).
Few-shot: ``Q: ...\nA: REASONING ANSWER-SENTENCE`` blocks (Wei et al., arXiv 2201.11903), whose form
the exemplars show, so no instruction. qa: ``Q: QUESTION\nA:`` (Wang & Zhou, arXiv 2402.10200).

Chat: each question is a user turn that ends with the instruction, each exemplar's solution an
assistant turn; qa leaves the instruction out. We write no system turn (ours). What a style sets
itself, instruction or cue, stands in every format and with or without exemplars.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from distlab.problems.problem import Exemplar
from distlab.prompts.instructions import AnswerForm
from distlab.prompts.prompt import PromptSpec, ShotsAs, Turn
from distlab.prompts.templates import fill

CUE: Final = "Let's think step by step."


@dataclass(frozen=True, slots=True)
class Layout:
    """A prompt style on a dataset.

    Attributes:
        spec: The style.
        form: How the dataset's answers are asked for and stated.
    """

    spec: PromptSpec
    form: AnswerForm

    @property
    def _key(self) -> str:
        return f"prompt.styles.{self.spec.name}"

    @property
    def instruction(self) -> str:
        """The instruction as the style words it, or the dataset's own."""
        if self.spec.instruction is None:
            return self.form.instruction
        names = {"instruction": self.form.instruction, "form": self.form.request}
        return fill(f"{self._key}.instruction", self.spec.instruction, names)

    def plain(self, question: str, exemplars: Sequence[Exemplar]) -> str:
        """The prompt as text."""
        # Exemplars show the form, and a style without reasoning asks for nothing.
        is_ours = self.spec.chain_of_thought and not exemplars
        cue = self.spec.cue if self.spec.cue is not None else CUE if is_ours else ""
        instruction = self._said(by_default=is_ours)
        if self.spec.template is not None:
            return self._filled(question, instruction, cue, exemplars)
        blocks = [self._block(one, instruction) for one in exemplars]
        last = f"{self._asked(question, instruction)}\nA:{f' {cue}' if cue else ''}"
        return "\n\n".join([*blocks, last])

    def turns(self, question: str, exemplars: Sequence[Exemplar]) -> tuple[Turn, ...]:
        """The prompt as turns, the last of them the user's."""
        system = [] if self.spec.system is None else [Turn("system", self.spec.system)]
        instruction = self._said(by_default=self.spec.chain_of_thought)
        if self.spec.template is not None:
            text = self._filled(question, instruction, self.spec.cue or "", exemplars)
            return (*system, Turn("user", text))
        if self.spec.shots_as is ShotsAs.ONE_TURN:
            blocks = [self._block(one, instruction) for one in exemplars]
            text = "\n\n".join([*blocks, self._asked(question, instruction)])
            return (*system, Turn("user", text))
        shown = [
            turn
            for one in exemplars
            for turn in (
                Turn("user", _request(one.question, instruction)),
                Turn("assistant", self._solution(one)),
            )
        ]
        return (*system, *shown, Turn("user", _request(question, instruction)))

    @property
    def opening(self) -> str:
        """What the assistant's turn begins with; empty where a template places the cue."""
        return "" if self.spec.template is not None else self.spec.cue or ""

    def _said(self, *, by_default: bool) -> str:
        return self.instruction if by_default or self.spec.instruction is not None else ""

    def _filled(
        self, question: str, instruction: str, cue: str, exemplars: Sequence[Exemplar]
    ) -> str:
        assert self.spec.template is not None
        shown = [
            {
                "question": one.question,
                "reasoning": one.reasoning,
                "answer": one.answer,
                "solution": self._solution(one),
            }
            for one in exemplars
        ]
        values: dict[str, object] = {
            "question": question,
            "instruction": instruction,
            "form": self.form.request,
        }
        values |= {"cue": cue, "exemplars": shown}
        return fill(f"{self._key}.template", self.spec.template, values)

    def _block(self, one: Exemplar, instruction: str) -> str:
        said = "" if self.spec.instruction is None else instruction
        return f"{self._asked(one.question, said)}\nA: {self._solution(one)}"

    def _asked(self, question: str, instruction: str) -> str:
        return f"Q: {question}\n{instruction}" if instruction else f"Q: {question}"

    def _solution(self, one: Exemplar) -> str:
        sentence = self.form.sentence.format(answer=one.answer)
        if not self.spec.chain_of_thought:
            return sentence
        return f"{one.reasoning}\n{sentence}"


def _request(question: str, instruction: str) -> str:
    return f"{question}\n\n{instruction}" if instruction else question
