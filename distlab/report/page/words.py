"""Words of ours that the page explains beside them."""

import re
from typing import Final

from markupsafe import Markup, escape

from distlab.escape import plain

WORDS: Final[dict[str, str]] = {
    "arm": "a model drawn in one way, as in base/cot: variant (base or instruct) and decoding.",
    "cell": "an arm of one family on one dataset under one prompt: the unit of every table.",
    "gold": "the right answer of a problem, as its dataset publishes it.",
    "judge": "what turns a sample into a verdict: an extractor, which reads the answer in the "
    "text, with a grader, which compares it with the gold.",
    "rank": "the place of a sample among those of its problem: by the likelihood of its first "
    "token in CoT-decoding, in the order of drawing elsewhere.",
}
# As in "decoding=grid" or "-m seed=0,1,2": what a person types, never broken at a hyphen.
_SETTING: Final = re.compile(r"(?<!\S)(?:-m )?\+?[a-z_][\w.]*=[^\s;:]*[^\s.,;:)]")
_WORD: Final = re.compile(rf"\b({'|'.join(WORDS)})(s?)\b")


def glossed(text: str, waiting: set[str]) -> Markup:
    """A sentence, escaped, in which words open what they mean and settings are code.

    Args:
        text: The sentence.
        waiting: Words that are still to be explained; those that are found are taken out.
    """
    parts: list[Markup] = []
    end = 0
    for found in _WORD.finditer(text):
        if found[1] in waiting:
            waiting.remove(found[1])
            parts += [_marked(text[end : found.start()]), button(found[1], found[0])]
            end = found.end()
    return Markup().join([*parts, _marked(text[end:])])


def _marked(text: str) -> Markup:
    """Escaped, with settings as code."""
    shown, parts, end = plain(text, None), list[Markup](), 0
    for found in _SETTING.finditer(shown):
        parts += [escape(shown[end : found.start()]), Markup("<code>{}</code>").format(found[0])]
        end = found.end()
    return Markup().join([*parts, escape(shown[end:])])


def button(word: str, shown: str) -> Markup:
    """A word that opens its meaning; without a script, too."""
    return Markup('<button type="button" class="word" popovertarget="word-{}">{}</button>').format(
        word, shown
    )
