"""Prompt: what a replica is given, and the settings it is rendered from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol


class PromptFormat(StrEnum):
    """Plain text, or the turns of a chat template."""

    PLAIN = "plain"
    CHAT = "chat"


class ShotsAs(StrEnum):
    """Where a chat prompt shows its exemplars: as turns of their own, or in the question's."""

    TURNS = "turns"
    ONE_TURN = "one_turn"


class Shown(StrEnum):
    """How much of a question a prompt shows; what shows less than all of it is a probe."""

    QUESTION = "question"
    OPENING = "opening"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class PromptSpec:
    """A prompt style as the config asks for it, validated; see ``conf/prompt`` for the keys.

    Attributes:
        name: Key in ``prompt.styles``: zero-shot, few-shot, qa.
        shots: Solved exemplars before the question; 0 for none.
        seed: Picks the exemplars.
        chain_of_thought: Ask for reasoning; False is the plain "Q: ... A:" of CoT-decoding.
        format: None for the variant's own.
        system: System turn of a chat prompt; None for none.
        instruction: Jinja source of what follows every question, see ``templates``. None for the
            dataset's own, which plain few-shot text and prompts without reasoning do without.
        instructions: The same by what a dataset's answers are (``instructions.FORM_KINDS``), in the
            place of ``instruction``; what it leaves out has the dataset's own.
        cue: What the answer begins with. None for ours, in plain zero-shot text alone.
        exemplars: File that the exemplars are picked from; None for the dataset's train split.
        redraw: Pick other exemplars for every problem.
        shots_as: Where a chat prompt shows its exemplars.
        stop: Strings that end a completion; None for those of the format.
        template: Jinja source of plain text, or of the last user turn; None for our layout.
        shows: How much of the question it shows.
    """

    name: str
    shots: int = 0
    seed: int = 0
    chain_of_thought: bool = True
    format: PromptFormat | None = None
    system: str | None = None
    instruction: str | None = None
    instructions: tuple[tuple[str, str], ...] = ()
    cue: str | None = None
    exemplars: str | None = None
    redraw: bool = False
    shots_as: ShotsAs = ShotsAs.TURNS
    stop: tuple[str, ...] | None = None
    template: str | None = None
    shows: Shown = Shown.QUESTION

    def asked_of(self, kind: str) -> "PromptSpec":
        """The style for a dataset whose answers are of a kind."""
        if not self.instructions:
            return self
        return replace(self, instruction=dict(self.instructions).get(kind), instructions=())


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn of a chat: "system", "user" or "assistant", and what it says."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One problem rendered for one arm.

    Attributes:
        problem_id: The problem's id.
        text: What the model sees, as text, for people.
        token_ids: What the model sees; BOS exactly once where the tokenizer has one.
        stop: Strings that end a completion; part of the metric.
        turns: What the chat template was given; empty for plain text.
    """

    problem_id: str
    text: str
    token_ids: tuple[int, ...]
    stop: tuple[str, ...]
    turns: tuple[Turn, ...] = ()


class PromptTokenizer(Protocol):
    """What prompts need of a tokenizer: transformers' own have it, and a ``Snapshot``."""

    name_or_path: str
    bos_token: str | None
    bos_token_id: int | None

    @property
    def special_tokens_map(self) -> Mapping[str, object]:
        """Names of special tokens to their texts."""
        ...

    @property
    def chat_template(self) -> str | Mapping[str, str] | None:
        """Jinja source, or several templates by name."""
        ...

    def __len__(self) -> int:
        """Tokens in the vocabulary, added ones included."""
        ...

    def encode(self, text: str, add_special_tokens: bool = True) -> list[int]:
        """Token ids of a text."""
        ...

    def decode(self, token_ids: Sequence[int]) -> str:
        """Token ids as text, special tokens included."""
        ...

    def get_vocab(self) -> dict[str, int]:
        """Tokens to their ids."""
        ...

    def apply_chat_template(
        self,
        turns: Sequence[Mapping[str, str]],
        *,
        tokenize: bool,
        add_generation_prompt: bool,
        **kwargs: object,
    ) -> str:
        """Render chat turns as text."""
        ...
