"""Where reasoning ends, by marks that are tokens, text, or not there."""

from collections.abc import Sequence
from typing import ClassVar

import pytest

from distlab.decoding.interface import Sample
from distlab.decoding.thinking import Thinking, parted
from distlab.decoding.token_lengths import token_lengths
from tests.decoding.scripted import ids
from tests.engines.unsure import Unsure

# A mark that is one token, as in a Qwen; \x02 stands for it.
CLOSE, HIDDEN = 2, 3
WRITTEN = Thinking("<think>", "</think>")
TOKEN = Thinking("<think>", "</think>", None, CLOSE)
SPECIAL = Thinking("[THINK]", "[/THINK]", 4, HIDDEN)


class Letters(Unsure):
    """Tokens are code points but for EOS, a mark that is text, and marks that are special."""

    eos_token_ids = frozenset({0})
    special_tokens: ClassVar = {0: "<eos>", HIDDEN: "[/THINK]", 4: "[THINK]"}

    def decode(self, token_ids: Sequence[int]) -> str:
        words = {CLOSE: "</think>", **dict.fromkeys(self.special_tokens, "")}
        return "".join(words.get(token, chr(token)) for token in token_ids)


def part(written: str, thinking: Thinking, *, lengths: bool = False, **facts: object) -> Sample:
    engine, emitted = Letters(), ids(written)
    sample = Sample(
        "p",
        0,
        (),
        emitted,
        engine.decode(emitted),
        token_lengths=token_lengths(engine.decode, emitted) if lengths else None,
        **{"truncated": False, **facts},  # type: ignore[arg-type]
    )
    return parted(engine, sample, (), thinking)


def answer(sample: Sample) -> tuple[str, int | None]:
    return sample.text[sample.thinking_end :], sample.thinking_tokens


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize(
    ("written", "thinking", "kept"),
    [
        ("<think>2 + 2</think>\n4\0", WRITTEN, ("\n4", 20)),
        ("<think>2 + 2\2\n4\0", TOKEN, ("\n4", 13)),
        ("\0042 + 2\3 4\0", SPECIAL, (" 4", 7)),
        # The prompt opened it.
        ("2 + 2\2 4", TOKEN, (" 4", 6)),
        # The answer may speak of the mark.
        ("<think>so\2 </think> ends", TOKEN, (" </think> ends", 10)),
        # No reasoning: the answer is whole.
        ("4 it is\0", TOKEN, ("4 it is", 0)),
        ("", TOKEN, ("", 0)),
    ],
)
def test_reasoning_ends_with_its_mark(
    written: str, thinking: Thinking, kept: tuple[str, int], lengths: bool
) -> None:
    assert answer(part(written, thinking, lengths=lengths)) == kept


@pytest.mark.parametrize(
    ("written", "thinking"),
    [
        ("<think>The answer is 4.", TOKEN),
        ("\n<think>The answer is 4.", WRITTEN),
        ("\004The answer is 4.", SPECIAL),
        ("The answer is 4.", Thinking("<think>", "</think>", None, CLOSE, is_opened=True)),
    ],
)
@pytest.mark.parametrize("truncated", [True, False])
def test_reasoning_that_is_not_closed_leaves_no_answer(
    written: str, thinking: Thinking, truncated: bool
) -> None:
    assert answer(part(written, thinking, truncated=truncated)) == ("", len(written))


def test_what_a_server_has_parted_stays() -> None:
    sample = part("</think>", WRITTEN, thinking_end=3, thinking_tokens=None)
    assert answer(sample) == ("hink>", None)


def test_without_tokens_the_text_is_parted_and_nothing_counted() -> None:
    sample = Sample("p", 0, (), (), "<think>a</think>4", truncated=False, computed_tokens=9)
    assert answer(parted(Letters(), sample, (), WRITTEN)) == ("4", None)
