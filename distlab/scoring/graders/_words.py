"""Choices and answers in words: equal texts after normalising, for `standard`."""

import re
import string
import unicodedata
from typing import Final

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.graders._characters import visible

WORDED: Final = frozenset({GoldKind.CHOICE, GoldKind.TEXT})
_BOX: Final = re.compile(r"\\(?:text(?:bf|rm|it)?|mathrm|mathbf|mbox|boxed|fbox)\s?\{([^{}]*)\}")
_ARTICLE: Final = re.compile(r"(?:an?|the)\s(?=\S)")
_LETTER: Final = re.compile(r"(?:option |choice )?\(?([a-z])(?:\)?[.:)]?|\)?[.:)]\s?(?P<text>.+))")
_ENDS: Final = string.punctuation.translate(str.maketrans("", "", "+%()[]{}<>#")) + " “”‘’…"


def judge_words(gold: Gold, answer: str) -> bool:
    """Whether an answer is the gold's choice, or one of the texts that the gold accepts."""
    if gold.kind is GoldKind.CHOICE:
        return _same_choice(gold, answer)
    accepted = {normalised(text) for text in (gold.text, *gold.items)}
    return normalised(answer) in accepted - {""}


def normalised(text: str) -> str:
    r"""A text in one spelling: NFKC, no case, one blank, no markup, no article in front.

    Punctuation inside of it stays: "U.S." is "U.S", and not "US".
    """
    text = unicodedata.normalize("NFKC", visible(text))
    while (unboxed := _BOX.sub(r"\1", text)) != text:
        text = unboxed
    text = " ".join(text.replace("**", "").replace("`", "").casefold().split()).strip(_ENDS)
    article = _ARTICLE.match(text)
    return text[article.end() :] if article else text


def _same_choice(gold: Gold, answer: str) -> bool:
    given = normalised(answer)
    texts = [normalised(text) for text in gold.items]
    place = ord(gold.text) - ord("A")
    if given in texts and texts.count(given) == 1:
        # A choice may read "b", where its letter is another.
        return texts.index(given) == place
    letter = _LETTER.fullmatch(given)
    return letter is not None and letter[1] == gold.text.casefold()
