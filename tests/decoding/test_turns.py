"""Where a completion's own turn ends, by tokens."""

from collections.abc import Sequence

import pytest
from transformers import PreTrainedTokenizerBase

from distlab.decoding.interface import Sample
from distlab.decoding.token_lengths import token_lengths
from distlab.decoding.turns import turn_end
from distlab.engines.token_reader import special_tokens
from tests.decoding.scripted import ids
from tests.engines.unsure import Unsure

ASIDE = 1
ANSWER = "The answer is 18."


class Letters(Unsure):
    """Tokens are code points; token 1 is special, and written as told."""

    eos_token_ids = frozenset({0})

    def __init__(self, written: str) -> None:
        self.special_tokens = {0: "<eos>", ASIDE: written}

    def decode(self, token_ids: Sequence[int]) -> str:
        return "".join(chr(token) for token in token_ids if token not in self.special_tokens)

    def sample(self, written: str, text: str | None = None) -> Sample:
        emitted = ids(written)
        text = self.decode(emitted) if text is None else text
        return Sample("p", 0, (), emitted, text, truncated=False)


class Tokenized(Letters):
    """Reads with a tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.tokenizer = tokenizer
        self.special_tokens = special_tokens(tokenizer)

    def decode(self, token_ids: Sequence[int]) -> str:
        return str(self.tokenizer.decode(token_ids, skip_special_tokens=True))


@pytest.mark.parametrize(
    ("written", "own"),
    [
        (f"{ANSWER}<|im_end|>\n<|im_start|>user\nAnd é?<|im_end|>", ANSWER),
        (f"{ANSWER}\n<|im_start|>assistant\nIt is 5.", f"{ANSWER}\n"),
        (f"{ANSWER}<|endoftext|>assistant", ANSWER),
        # Opened as the template would have, then a turn of its own.
        (f"<|im_start|>assistant\n{ANSWER}", f"assistant\n{ANSWER}"),
        (f"<|im_start|>\n{ANSWER}<|im_end|>user", f"\n{ANSWER}"),
        # The model's own words.
        (f"The\nuser\nhas 9 pens.\n{ANSWER}", f"The\nuser\nhas 9 pens.\n{ANSWER}"),
        (f"{ANSWER}<|im_end|>", ANSWER),
        # As of a server that gives text alone.
        ("", None),
        # Tokens of files and repositories end no turn.
        (f"{ANSWER}<empty_output>\nuser\n5", None),
        (f"{ANSWER}<empty_output>\n<|im_end|>\nuser\n5", f"{ANSWER}\n"),
    ],
)
@pytest.mark.parametrize("branch", [False, True])
def test_a_turn_ends_at_its_tokens(
    smollm2: PreTrainedTokenizerBase, written: str, own: str | None, branch: bool
) -> None:
    engine = Tokenized(smollm2)
    emitted = tuple(smollm2.encode(written, add_special_tokens=False))
    text = engine.decode(emitted)
    lengths = token_lengths(engine.decode, emitted) if branch else None
    sample = Sample("p", 0, (), emitted, text, truncated=False, token_lengths=lengths)
    end = turn_end(engine, sample, ())
    assert (None if end is None else text[:end]) == own


@pytest.mark.parametrize(
    "token",
    [
        "<|eot_id|>",
        "<|start_header_id|>",
        "<|end_of_text|>",
        "</s>",
        "[INST]",
        "<start_of_turn>",
        "<|user|>",
        "<｜end▁of▁sentence｜>",
        "<|START_OF_TURN_TOKEN|>",
        "[|endofturn|]",
    ],
)
def test_templates_of_other_families(token: str) -> None:
    engine = Letters(token)
    assert turn_end(engine, engine.sample("18.\1user\n5"), ()) == 3


@pytest.mark.parametrize("token", ["<|channel|>", "<|python_tag|>", "<|fim_middle|>", "[THINK]"])
def test_tokens_within_a_turn_tell_nothing(token: str) -> None:
    engine = Letters(token)
    assert turn_end(engine, engine.sample("18.\1user\n5"), ()) is None


@pytest.mark.parametrize(
    ("text", "end"),
    [
        # Cut before a stop string that begins in the turn.
        ("It is 18", 8),
        # Not what the engine reads off the tokens.
        ("Otherwise", None),
    ],
)
def test_a_text_that_is_not_all_of_the_tokens(text: str, end: int | None) -> None:
    engine = Letters("<|im_end|>")
    assert turn_end(engine, engine.sample("It is 18.\n\1Q: 5", text), (".\nQ",)) == end
