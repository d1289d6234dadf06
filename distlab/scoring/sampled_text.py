"""What extractors are shown of a stored sample: the answer of its own turn."""

from typing import NamedTuple

import pyarrow as pa

COLUMNS = ("text", "truncated", "turn_end", "thinking_end")


class SampledText(NamedTuple):
    """A sample as it is read for its answer.

    Attributes:
        text: The completion.
        truncated: Whether max_tokens ended it.
        turn_end: Characters of the text that are the turn that was asked for, by its tokens. None
            where they do not tell.
        thinking_end: Characters of the text that are reasoning. None where the prompt asks for
            none.
    """

    text: str
    truncated: bool
    turn_end: int | None = None
    thinking_end: int | None = None

    @property
    def turn(self) -> str:
        """The turn that was asked for, or all of the text where the tokens do not tell."""
        return self.text[: self.turn_end]

    @property
    def answer(self) -> str:
        """The turn without its reasoning; empty where it was cut off inside that."""
        return self.turn[self.thinking_end or 0 :]

    @property
    def breaks_off(self) -> bool:
        """Whether max_tokens ended the turn: one that ended before is whole."""
        return self.truncated and len(self.turn) == len(self.text)


def sampled_texts(samples: pa.Table | pa.RecordBatch) -> list[SampledText]:
    """Rows of stored samples, with at least ``COLUMNS``."""
    columns = (samples.column(name).to_pylist() for name in COLUMNS)
    return [SampledText(*row) for row in zip(*columns, strict=True)]
