"""An answer that was found in a completion, and what stands in place of one."""

import re
from typing import NamedTuple

# Statements looked at, last first, before giving up. (ours)
TRIES = 64
# What stands where the answer should: \boxed{answer}, "<number>", "...".
PLACEHOLDER = re.compile(
    r"(?:\\(?:text|mathrm|mbox|textbf)\s?\{)?[\s<\[({*_]{0,4}"
    r"(?:(?:(?:the|your|my|our|final|numerical|numeric|correct|actual|insert|put)[\s_-]){0,4}"
    r"(?:answer|solution|result|value|number|expression|placeholder)"
    r"(?:[\s_-](?:here|goes here|only|value|text))?|A(?:/[B-J]){2,9}"
    r"|\.{2,9}|\\[lc]?dots|…|\?{1,9}|(?:\\?_){1,20})[\s>\])}*_]{0,4}",
    re.IGNORECASE,
)


class Found(NamedTuple):
    """An answer's span, and the answer where it is not what stands there.

    Attributes:
        start: Offset of its first character.
        end: Offset after its last; ``start`` where the text says that it gives no answer.
        answer: Text without the escapes of JSON, or several boxes as a list; None where the
            answer is ``text[start:end]``.
    """

    start: int
    end: int
    answer: str | None = None

    def read(self, text: str) -> str | None:
        """The answer; None where there is none."""
        return self.answer or text[self.start : self.end] or None
