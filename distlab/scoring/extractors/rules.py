"""Rules: the answer that a completion states, read off by rules alone."""

import re

from distlab.problems.problem import GoldKind
from distlab.scoring.extractors._boxes import shows_form
from distlab.scoring.extractors._closing import closing_answer, comes_to_a_value
from distlab.scoring.extractors._cut import run_on
from distlab.scoring.extractors._formulas import breaks_off
from distlab.scoring.extractors._found import Found
from distlab.scoring.extractors._kinds import NUMERIC
from distlab.scoring.extractors._marked import marked_answer
from distlab.scoring.extractors._statements import last_statement
from distlab.scoring.types import Extraction

# Characters of a completion that are read at all, and of its end that are searched for the
# answer. (ours) 8192 tokens are some 40 000 characters: only hostile texts are longer.
READ_LIMIT = 1_000_000
_TAIL = 100_000
# Full-width digits, each as one character, so that offsets stay.
_ASCII_DIGITS = {0xFF10 + digit: str(digit) for digit in range(10)}
_THOUGHT_END = "</think>"
# "maybe the answer is 5", "is the answer 5?"
_TENTATIVE = re.compile(
    r"\b(?:maybe|perhaps|possibly|probably|if|whether|suppose|supposing|guess|might|could|say"
    r"|wonder|doubt|expect|Maybe|Perhaps|Suppose|If|Could|Might|Is)\b[^.\n]{0,60}\Z"
)
_ASKED = re.compile(r"[^.!\n]{0,20}\?")
# What stands between a value and the text's end where the value itself may go on.
_OPEN_END = re.compile(r",?[ ]?(?:[-+*/^×÷=]|\\[A-Za-z]*)?[ ]?\Z")
# Behind the "!" of a factorial: the end of a formula or sentence, an operator, units.
_FACTORIAL_GOES_ON = re.compile(r"[$}\\)\].,]|\s?[-+*/=×÷^]|\s[a-z]")
_FACTORIALS = re.compile(r"[0-9A-Za-z)]!\s?(?:[-+*/=×÷^)]|\\)|[Ff]actorial|[Pp]ermut|\b[Aa]rrang")
_EXCLAIMED = re.compile(r"[A-Za-z]{2}!")


class Rules:
    r"""Reads the answer by rules.

    In this order:

    1. The text is cut where the model runs on into a new question (see ``_cut``); text up to a
       closing ``</think>`` is skipped.
    2. The last of: ``\boxed{}`` or ``\fbox{}``, a JSON ``"answer":``, ``#### N``, "final answer".
    3. The last "the answer is ..." or "Answer: ..." (also ``A:``, ``Ans.``, ``Result:``).
    4. The last box, JSON or ``#### N`` before ``</think>``; else the last statement there, unless
       it is a guess, or the text behind it ends in a bold value or a conclusion.
    5. Weak evidence: a last bold value, the value of the last sentence or formula. There is none
       where the text breaks off within a formula or on a word that calls for another.

    Within a statement the value is read in the form that the question asks for: one number, a
    date, weeks and days, or a LaTeX or plain expression. The answer is ``text[start:end]``,
    without markup around it, but for three: in JSON the escapes are undone, and boxes joined by
    "and" are given with commas; full-width digits are given as ASCII. Normalising is the graders'
    business.

    Args:
        cut: Cut the text where the model runs on. False is for measuring what the cut does.
    """

    name = "rules"
    version = "5"

    def __init__(self, cut: bool = True) -> None:
        self._cut = cut

    def extract(self, text: str, kind: GoldKind) -> Extraction:
        """Read the answer; linear in the length of ``text``, and never raises."""
        return self._extract(text, kind, turns=True)

    def extract_turn(self, text: str, kind: GoldKind) -> Extraction:
        """As ``extract``; a line that names a role ("user") is the model's own."""
        return self._extract(text, kind, turns=False)

    def _extract(self, text: str, kind: GoldKind, *, turns: bool) -> Extraction:
        text = text if text.isascii() else text.translate(_ASCII_DIGITS)
        end = min(len(text), READ_LIMIT)
        start = _after_thinking(text, end)
        if self._cut:
            end = run_on(text, start, end, turns=turns)
        found = _stated_in(text, max(start, end - _TAIL), end, kind)
        if found is None and start:
            found = _thought(text, start, end, kind)
        if (
            found
            and breaks_off(text, start, end)
            and not text[found.end : end].strip(" {}0123456789")
        ):
            return Extraction(None, 0, 0, end)
        if found:
            ended = end < len(text) or not _OPEN_END.match(text, found.end)
        else:
            # Where the model runs on, the text before it is whole.
            ended = end < len(text.rstrip())
            found = closing_answer(text, max(start, end - _TAIL), end, kind, ended)
        if found is None or found.read(text) is None:
            return Extraction(None, 0, 0, end)
        found = _with_factorial(text, found, end, kind)
        return Extraction(found.read(text), found.start, found.end, end, ended)


def _after_thinking(text: str, end: int) -> int:
    at = text.rfind(_THOUGHT_END, 0, end)
    behind = at + len(_THOUGHT_END)
    return behind if at >= 0 and text[behind:end].strip() else 0


def _with_factorial(text: str, found: Found, end: int, kind: GoldKind) -> Found:
    """An answer with the "!" behind it, where that is no exclamation."""
    at = found.end
    if found.answer or text[at : at + 1] != "!" or not text[at - 1].isdigit():
        return found
    if not _FACTORIAL_GOES_ON.match(text, at + 1, end):
        before = max(0, at - _TAIL)
        if kind in NUMERIC and not _FACTORIALS.search(text, before, at):
            return found
        if _EXCLAIMED.search(text, before, at):
            return found
    return Found(found.start, at + 1)


def _thought(text: str, start: int, end: int, kind: GoldKind) -> Found | None:
    """The answer that thoughts up to ``start`` state, unless what follows comes to a value."""
    begin, stop = max(0, start - _TAIL), start - len(_THOUGHT_END)
    if strong := marked_answer(text, begin, stop, kind):
        return strong
    stated = last_statement(text, begin, stop, kind)
    if stated is None or comes_to_a_value(text, start, end, kind):
        return None
    at, after = stated.found[:2]
    if _TENTATIVE.search(text, max(begin, at - 80), at) or _ASKED.match(text, after, stop):
        return None
    return stated.found


def _stated_in(text: str, start: int, end: int, kind: GoldKind) -> Found | None:
    latest = marked_answer(text, start, end, kind)
    stated = last_statement(text, max(start, latest.end) if latest else start, end, kind)
    if latest is None:
        return stated.found if stated else None
    form = shows_form(text, latest, end, kind)
    if stated and (stated.final or latest.start == latest.end or form):
        return stated.found
    return (_stated_before(text, start, latest, kind) if form else None) or latest


def _stated_before(text: str, start: int, box: Found, kind: GoldKind) -> Found | None:
    """The answer given before a box that only shows the form of one."""
    end = max(start, text.rfind("\\", start, box.start))
    stated = last_statement(text, start, end, kind)
    return stated.found if stated else marked_answer(text, start, end, kind)
