"""Where a completion runs on into a question that nobody asked.

All patterns are bounded, so that a search is linear in the text. (ours) throughout: the field
has no common definition, harnesses leave it to stop strings.
"""

import re

# End-of-turn and role tokens, in case special tokens were kept in the text.
_TOKEN = re.compile(r"<[|｜][A-Za-z_▁]{2,30}[|｜]>|</s>|\[/?INST\]|<(?:start|end)_of_turn>|<eos>")

_PREFIX = r"[ \t>*_#]{0,6}"
_SUFFIX = r"[*_]{0,3}[ \t]?\d{0,3}[*_]{0,3}[ \t]?"

# "Q:" and the roles of a chat never stand in a solution.
_STRONG = re.compile(
    rf"\n{_PREFIX}(?:Q{_SUFFIX}[:.)]"
    rf"|(?:Human|User|USER|HUMAN|###? ?Instruction|###? ?Input|Instruction){_SUFFIX}:)"
)

# These may also restate the problem or head a part of the solution.
_WEAK = re.compile(
    rf"\n{_PREFIX}(?:Question|QUESTION|Problem|PROBLEM|Exercise|Example|Task|Puzzle|Query)"
    rf"{_SUFFIX}[:.]"
)

# An answer sentence, then a paragraph that asks something.
_NEW_QUESTION = re.compile(
    r"nswer(?: is|:)[^\n]{1,120}\n[ \t]{0,8}\n\s{0,8}(?=[^\n]{10,1500}\?[ \t*]{0,4}(?:\n|\Z))"
)

_RESTATED = re.compile(
    r"[ \t>*_#]{0,6}(?:Q|Question|QUESTION|Problem|PROBLEM|Exercise|Task|Query|User|Human)"
    rf"{_SUFFIX}[:.)]"
)

_STATED = re.compile(r"nswer|NSWER|\\boxed|\\fbox|####")
_HEADING = re.compile(r"\s{0,8}(?:#|\*\*|Step\b|\d+[.)]\s)")
_DIGIT = re.compile(r"[0-9]")


def _answered(text: str, start: int, end: int) -> bool:
    """Whether ``text[start:end]`` seems to hold an answer already."""
    if _STATED.search(text, start, end):
        return True
    body = text[max(start, end - 600) : end].rstrip()
    line = body[body.rfind("\n") + 1 :]
    return bool(_DIGIT.search(line)) and not _HEADING.match(line) and not line.endswith(":")


def run_on(text: str, start: int, end: int) -> int:
    """The offset in ``text[start:end]`` where a new, made-up question begins.

    A marker with nothing before it on the text's first line restates the question and does not
    count; one after leading newlines does: the model skipped the answer. The words that also
    head parts of a solution ("Question:", "Problem 2.", "Example:") count only once the text
    before them holds an answer.

    Returns:
        The offset to read up to; ``end`` where the model does not run on.
    """
    cut = end
    for token in _TOKEN.finditer(text, start, end):
        if text[start : token.start()].strip():
            cut = token.start()
            break
    first = start
    restated = _RESTATED.match(text, start, cut)
    if restated:
        first = restated.end()
    strong = _STRONG.search(text, first, cut)
    if strong:
        cut = strong.start()
    for weak in _WEAK.finditer(text, first, cut):
        if _answered(text, first, weak.start()):
            cut = weak.start()
            break
    question = _NEW_QUESTION.search(text, first, cut)
    return question.end() if question else cut
