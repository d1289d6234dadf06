"""Extractors that read with a model: what one must be, and which model it names.

An engine reads before scoring (``distlab.sampling.readings``) and its outputs are stored like any
samples; the extractor looks them up. Scoring starts no engine.
"""

import hashlib
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from distlab.checkpoints.checkpoint import SOURCES, CheckpointSource
from distlab.scoring.sampled_text import SampledText
from distlab.scoring.types import ComponentSpec, Extractor, TurnExtractor, load_extractor


@dataclass(frozen=True, slots=True)
class ReadingModel:
    """The model that reads.

    Attributes:
        id: Checkpoint, as ``model.*.id``.
        source: Where it is from; not "tiny".
        revision: Hub branch, tag or commit.
        dtype: Of the weights.
        max_model_len: Context length, tokens; of a longer completion the end is read.
        max_tokens: Most tokens of an answer.
        chat_template_kwargs: For the chat template (Qwen3: ``{enable_thinking: false}``).
    """

    id: str
    source: CheckpointSource = "hub"
    revision: str = "main"
    dtype: str = "bfloat16"
    max_model_len: int = 4096
    max_tokens: int = 48
    chat_template_kwargs: tuple[tuple[str, object], ...] = ()

    def __post_init__(self) -> None:
        if self.source not in SOURCES or self.source == "server":
            raise ValueError(f"source '{self.source}' is unknown: take hub, local or packaged")


@runtime_checkable
class ReadingExtractor(Extractor, Protocol):
    """An extractor that reads with a model.

    Its class takes the keyword arguments ``store`` and ``cell``, beside its options: the uri of the
    store and the folder in it that holds the readings. A run fills them in before it scores.

    Attributes:
        reader: The model.
        request: The user's message to it; ``{solution}`` stands for the completion.
    """

    reader: ReadingModel
    request: str

    def shown(self, text: str) -> str:
        """The part of a completion that the model is shown; empty where nothing is to be read.

        Its reading is stored under the ``text_key`` of this part.
        """
        ...


@runtime_checkable
class TurnReadingExtractor(ReadingExtractor, TurnExtractor, Protocol):
    """A reading extractor that looks in the text for where the model's turn ends."""

    def shown_turn(self, text: str) -> str:
        """As ``shown``, of a text that is one turn, as its tokens show: nothing opens another."""
        ...


def shown_of(extractor: ReadingExtractor, sampled: SampledText) -> str:
    """The part of a sample that the model is shown; empty where nothing is to be read."""
    if sampled.turn_end is not None and isinstance(extractor, TurnReadingExtractor):
        return extractor.shown_turn(sampled.answer)
    return extractor.shown(sampled.answer)


def reading_extractor(spec: ComponentSpec) -> ReadingExtractor | None:
    """The extractor that ``spec`` names where it reads with a model, else None.

    Raises:
        UserError: It cannot be made.
    """
    extractor = load_extractor(spec)
    return extractor if isinstance(extractor, ReadingExtractor) else None


def text_key(text: str) -> str:
    """First 32 hex digits of sha256 over the text: what its reading is stored under."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
