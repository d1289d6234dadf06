"""Tokenizers that lose what a text says, made of a vocabulary of bytes."""

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from distlab.errors import UserError
from distlab.prompts.fidelity import are_one, check_fidelity, differing_texts, differing_tokens
from distlab.prompts.snapshot import Snapshot
from distlab.prompts.tokenizer_facts import TokenizerFacts


def tokenizer(
    *, declared_as_llama: bool = False, digits: bool = True, swapped: str = "", added: str = ""
) -> Snapshot:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    if swapped:
        one, other = map(letters.index, swapped)
        letters[one], letters[other] = letters[other], letters[one]
    kept = [letter for letter in letters if digits or not letter.isdigit()]
    made = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(kept)}, merges=[]))
    if declared_as_llama:
        # What transformers makes of one that is labelled so: SentencePiece's blanks.
        made.pre_tokenizer = pre_tokenizers.Metaspace()
        made.decoder = decoders.Metaspace()
    else:
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = decoders.ByteLevel()
    if added:
        made.add_special_tokens([added])
    return Snapshot(TokenizerFacts("x", {}, None, None, None, len(kept)), made.to_str())


def test_a_tokenizer_that_keeps_texts_is_taken() -> None:
    check_fidelity(tokenizer(), "org/name")


@pytest.mark.parametrize(
    ("lossy", "made"),
    [
        (tokenizer(declared_as_llama=True), "'helloworld,12applescost3.50each'"),
        (tokenizer(digits=False), r"'hello world,  apples cost \. each'"),
    ],
)
def test_one_that_loses_blanks_or_digits_is_refused(lossy: Snapshot, made: str) -> None:
    with pytest.raises(UserError, match=rf"^the tokenizer of org/name makes {made} of 'hello"):
        check_fidelity(lossy, "org/name")


def test_tokenizers_that_cut_texts_differently_are_told_apart() -> None:
    assert differing_texts(tokenizer(), tokenizer()) == 0
    assert differing_texts(tokenizer(), tokenizer(digits=False)) == 3


def test_tokens_that_no_text_tried_are_compared_too() -> None:
    plain, swapped = tokenizer(), tokenizer(swapped="zj")
    assert differing_texts(plain, swapped) == 0
    assert differing_tokens(plain, swapped) == differing_tokens(swapped, plain) == 2
    assert not are_one(plain, swapped)
    for other in (plain, tokenizer(), tokenizer(added="<|im_start|>")):
        assert are_one(plain, other)
        assert are_one(other, plain)
    # The id of one added token may be another's.
    assert are_one(tokenizer(added="<a>"), tokenizer(added="<b>"))
