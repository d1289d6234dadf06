"""Whether a tokenizer keeps what a text says, and whether two tokenizers are one."""

from __future__ import annotations

from distlab.errors import UserError
from distlab.prompts.prompt import PromptTokenizer

# Words, blanks, digits, line breaks: what prompts and answers of arithmetic are made of.
_TEXTS = (
    "hello world, 12 apples cost 3.50 each",
    "Q: What is 17 + 25?\nA: 17 + 25 = 42",
    "\\boxed{\\frac{1}{2}} of 1,000 units",
)


def check_fidelity(tokenizer: PromptTokenizer, checkpoint: str) -> None:
    """Refuse a tokenizer that loses blanks or digits of a text.

    A vocabulary of bytes that is declared as Llama's does so: "helloworld,12apples".

    Args:
        tokenizer: As prompts are encoded with it.
        checkpoint: What it is called in the sentence.

    Raises:
        UserError: It does; the sentence gives the text and what became of it.
    """
    for text in _TEXTS:
        back = tokenizer.decode(tokenizer.encode(text, add_special_tokens=False))
        if back.split() != text.split():
            raise UserError(
                f"the tokenizer of {checkpoint} makes {back!r} of {text!r}, so that prompts would "
                "not be what they say: correct `tokenizer_class` in its tokenizer_config.json "
                "(PreTrainedTokenizerFast reads tokenizer.json as it stands)"
            )


def are_one(first: PromptTokenizer, second: PromptTokenizer) -> bool:
    """Whether two tokenizers cut texts alike, and number alike all tokens that both of them have.

    One of them may have tokens more, as chat turns need.
    """
    return first is second or not (
        differing_texts(first, second) or differing_tokens(first, second)
    )


def differing_tokens(first: PromptTokenizer, second: PromptTokenizer) -> int:
    """Of the tokens that two tokenizers have, those that have another id in each."""
    others = second.get_vocab()
    return sum(others.get(token, number) != number for token, number in first.get_vocab().items())


def differing_texts(first: PromptTokenizer, second: PromptTokenizer) -> int:
    """Of the texts that are tried, those that two tokenizers cut differently."""
    return sum(
        first.encode(text, add_special_tokens=False)
        != second.encode(text, add_special_tokens=False)
        for text in _TEXTS
    )
