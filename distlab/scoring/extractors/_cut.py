"""Where a completion runs on into a question that nobody asked.

All patterns are bounded, so that a search is linear in the text. (ours) throughout: the field
has no common definition, harnesses leave it to stop strings.
"""

import re
from itertools import islice

# End-of-turn and role tokens, in case special tokens were kept in the text.
_TOKEN = re.compile(r"<[|｜][A-Za-z_▁]{2,30}[|｜]>|</s>|\[/?INST\]|<(?:start|end)_of_turn>|<eos>")

_PREFIX = r"[ \t>*_#\[]{0,6}"
_SUFFIX = r"[*_\]]{0,3}[ \t]?\d{0,3}[*_\]]{0,3}[ \t]?"

# "Q:" and the roles of a chat never stand in a solution.
_STRONG = re.compile(
    rf"\n{_PREFIX}(?:Q{_SUFFIX}[:.)]"
    rf"|(?:Human|User|USER|HUMAN|###? ?Instruction|###? ?Input|Instruction){_SUFFIX}:)"
)

# What is left of a chat's turn when its special tokens are skipped: a role that has a line of its
# own ("18.\nuser\n", ChatML), or that follows a sentence's end ("18.assistant\n\n", Llama 3).
_TURN = re.compile(
    r"\n(?:user|assistant|system|model|human)[ \t]*(?=\n)"
    r"|(?<=[^\sA-Za-z_(])(?:assistant|user|system)(?=[ \t]*\n|\Z)|(?<=[a-z])assistant(?=\n\n)"
)

# These may also restate the problem or head a part of the solution.
_WEAK = re.compile(
    rf"\n{_PREFIX}(?:(?:Question|QUESTION|Problem|PROBLEM|Exercise|Task|Puzzle|Query|Input|P)"
    rf"(?:{_SUFFIX}[:.]|\s\d{{1,3}}[*_]{{0,3}}[ \t]?\n)"
    # How prompts that models were tuned on begin.
    r"|You are an? (?:AI|helpful|expert|assistant))"
    r"|\n#{1,4}\s(?:Question|Problem|Exercise)[ \t]?\n"
)

# What somebody says to himself behind such a word: "Problem: we forgot the second box."
_AUXILIARY = (
    r"(?:[Dd](?:id|o|oes)|[Ii]s|[Aa]re|[Ww](?:as|ere|hy)|[Hh]a(?:ve|s)|[Ss]hould|[Cc](?:an|ould))"
)
_ASIDE = r"[ \t*_]{0,4}(?:(?:[Bb]ut|[Ww]ait|[Hh]mm+|[Hh]owever|[Oo]h|[Oo]ops)\b[,.:!]?\s)?"
_OWN = r"(?:[Ww]e|I|[Mm]y|[Oo]ur|[Tt]his|[Tt]hat|[Ii]t)(?:'ve|'d|'m)?\s(?:\w{1,12}\s){0,3}?"
_OWN_WORDS = re.compile(
    rf"{_ASIDE}(?:{_AUXILIARY}(?:n't|\snot)?\s(?:we|I|this|that|it|my|our)\b|[Ww]hat\s(?:about|if)\b"
    rf"|{_OWN}(?:forg[eo]t(?:ten)?|miss(?:ed|es)|ignore[ds]?|overlook(?:ed|s)|omit(?:ted|s)|skipped"
    r"|miscounted|misread|left\sout|wrong|mistakes?|errors?|incorrect)\b)"
)
# "Problem 2: 6 * 2 = 12."
_COMPUTED = r"[0-9. ]{1,20}[-+*/×÷][-+*/×÷0-9. ]{1,40}=\s?[-−$]{0,2}[0-9]"
# Of these only where nothing is asked behind them.
_OWN_DOUBTS = re.compile(
    rf"{_ASIDE}(?:[a-z]|{_COMPUTED}|{_OWN}(?:counted|assumed|ha(?:ve|s)n't|didn't|doesn't|isn't|wasn't|not|only)\b)"
)
_ASKS = re.compile(r"[^?]{0,600}\?")

# These are steps of a solution far more often: they count once it has stated its answer, and name
# a question.
_EXERCISE = re.compile(
    rf"\n{_PREFIX}(?:(?:Let's try|Here(?: is|'s)) another "
    r"(?:one|question|problem|exercise|puzzle)\b"
    r"|(?:Answer|Solve) (?:(?:this|these|the following)(?: \w{1,12})? "
    r"(?:questions?|problems?|exercises?|puzzles?|riddles?)\b|the following:)"
    rf"|Example(?:{_SUFFIX}[:.]|\s\d{{1,3}}[*_]{{0,3}}[ \t]?\n))|\n#{{1,4}}\sExample[ \t]?\n"
)

# A question on the line of the answer.
_INLINE = re.compile(r"(?P<before>[.!?]\s{1,3})(?=(?P<marker>(?:Q|Question|Problem)\s?\d{0,2}:\s))")

# An answer, then a line that asks something, but not whether that was right.
_NEW_QUESTION = re.compile(
    r"(?:nswer(?: is|:)[^\n]{1,120}|####[^\n#]{1,60}|\\boxed\{[^\n]{1,120})\n\s{0,8}"
    r"(?:[-*=_#]{3,20}[ \t]{0,4}\n\s{0,8})?"
    r"(?!(?:Wait|Hmm|But|So|Now|Let|Is|Are|Does|Do|Did|Can|Could|Would|Should|Why|OK|Okay|Right)\b)"
    r"(?=[^\n]{24,1500}\?[ \t*]{0,4}(?:\n|\Z))"
)

_RESTATED = re.compile(
    r"[ \t>*_#]{0,6}(?:Q|Question|QUESTION|Problem|PROBLEM|Exercise|Task|Query|User|Human)"
    rf"{_SUFFIX}[:.)]"
)

# Characters looked back for a line's beginning, and markers looked at. (ours)
_LINE = 600
_TRIES = 200
_STATED = re.compile(r"nswer|NSWER|\\boxed|\\fbox|####")
_ANSWERED = re.compile(
    r"nswer(?:\sis\b|[*_]{0,3}[:=])[^\n]{0,60}?[0-9\\$]|\\(?:boxed|fbox)\s?\{|####[ \t]*[-$0-9\\]"
)
_HEADING = re.compile(r"\s{0,8}(?:#|\*\*(?:Step\b|[^*\n]*\*\*:|(?![^*\n]*[0-9]))|Step\b|\d+[.)]\s)")
_DIGIT = re.compile(r"[0-9]")


def _concluded(text: str, start: int, end: int) -> bool:
    """Whether the last line of ``text[start:end]`` gives a value, and is no heading."""
    body = text[max(start, end - _LINE) : end].rstrip()
    line = body[body.rfind("\n") + 1 :]
    return bool(_DIGIT.search(line)) and not _HEADING.match(line) and not line.endswith(":")


def run_on(text: str, start: int, end: int, *, turns: bool) -> int:
    """The offset in ``text[start:end]`` where a new, made-up question begins.

    A marker with nothing before it on the text's first line restates the question and does not
    count; one after leading newlines does: the model skipped the answer. The words that also
    head parts of a solution ("Question:", "Problem 2.") count only once the text before them
    holds an answer; "Solve this problem", "Example:" and their like only once the text has stated
    it.

    Args:
        text: The completion.
        start: Where its part to read begins.
        end: Where that ends.
        turns: Look for what is left of another chat turn once its special tokens are skipped.

    Returns:
        The offset to read up to; ``end`` where the model does not run on.
    """
    cut = end
    head = start
    for token in islice(_TOKEN.finditer(text, start, end), _TRIES):
        if text[head : token.start()].strip():
            cut = token.start()
            break
        head = token.end()
    restated = _RESTATED.match(text, head, cut)
    first = restated.end() if restated else head
    for marker in (_STRONG, _TURN) if turns else (_STRONG,):
        strong = marker.search(text, first, cut)
        cut = strong.start() if strong else cut
    cut = _weak_cut(text, first, cut)
    cut = _exercise_cut(text, first, cut)
    question = _NEW_QUESTION.search(text, first, cut)
    cut = question.end() if question else cut
    while start < cut < end and text[cut - 1].isspace():
        cut -= 1
    return cut


def _weak_cut(text: str, start: int, end: int) -> int:
    stated = _STATED.search(text, start, end)
    answered = stated.start() if stated else end
    for inline in islice(_INLINE.finditer(text, answered, end), _TRIES):
        if not _is_said_to_oneself(text, inline.end("marker"), end):
            end = inline.end("before")
            break
    for weak in islice(_WEAK.finditer(text, start, end), _TRIES):
        labelled = text[weak.end() - 1] in ":."
        if labelled and _is_said_to_oneself(text, weak.end(), end):
            continue
        if answered < weak.start() or _concluded(text, start, weak.start()):
            return weak.start()
    return end


def _is_said_to_oneself(text: str, start: int, end: int) -> bool:
    """Whether ``text[start:end]``, behind a word such as "Problem:", is no new question.

    The solution goes on there with what it overlooked, or asks itself something.
    """
    if _OWN_WORDS.match(text, start, end):
        return True
    paragraph = text.find("\n\n", start, end)
    stop = paragraph if paragraph >= 0 else end
    return bool(_OWN_DOUBTS.match(text, start, stop)) and not _ASKS.match(text, start, stop)


def _exercise_cut(text: str, start: int, end: int) -> int:
    answered = _ANSWERED.search(text, start, end)
    exercise = _EXERCISE.search(text, answered.end(), end) if answered else None
    return exercise.start() if exercise else end
