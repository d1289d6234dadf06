"""A question in two parts: its opening, which a probe of memory shows, and the rest.

A model that completes the rest word for word has seen the question before (Wu et al., arXiv
2507.10532).
"""

import math
import re
from typing import Final

# Share of the words that the opening has: the paper's first 60 %.
OPENING: Final = 0.6


def split_question(question: str) -> tuple[str, str]:
    """The opening and the rest; of a single word the rest is empty."""
    words = list(re.finditer(r"\S+", question))
    count = min(math.ceil(OPENING * len(words)), max(len(words) - 1, 1))
    end = words[count - 1].end() if words else 0
    return question[:end], question[end:].strip()


def goes_on(text: str, rest: str) -> bool:
    """Whether a text begins with the words of ``rest``, whatever the spaces between them."""
    words = rest.split()
    return bool(words) and text.split(maxsplit=len(words))[: len(words)] == words
