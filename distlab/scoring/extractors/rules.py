"""Rules: the answer that a completion states, read off by rules alone."""

import re
from collections.abc import Callable
from typing import NamedTuple

from distlab.brackets import group_end
from distlab.problems.problem import GoldKind
from distlab.scoring.equations import is_condition
from distlab.scoring.extractors._cut import run_on
from distlab.scoring.extractors._options import last_option, last_words, option_in, words_in
from distlab.scoring.extractors._values import (
    DATE,
    NUMBER,
    ONE_NUMBER,
    PAIR,
    SINGLED_OUT,
    WEEKS_AND_DAYS,
    WEEKS_OR_DAYS,
    WORDED,
    Span,
    aside,
    concluded,
    number_in,
    skip_junk,
    trim_end,
)
from distlab.scoring.plain_number import plain_number
from distlab.scoring.types import Extraction

# Characters of a completion that are read at all, and of its end that are searched for the
# answer. (ours) 8192 tokens are some 40 000 characters: only hostile texts are longer.
READ_LIMIT = 1_000_000
_TAIL = 100_000
# Longest answer in plain words, in characters after "is" and in words after a label. (ours)
_PHRASE = 120
_LABEL_WORDS = 3
# Characters of the end that weak evidence is looked for in. (ours)
_CLOSING_CHARACTERS = 2_000
# Characters of the end that come again where a text loops. (ours)
_LOOPED = 60
# Statements looked at, last first, before giving up. (ours)
_TRIES = 64
# Boxes looked at, from the end. (ours)
_BOXES = 16

# Most telling first.
_WEEKS = (WEEKS_AND_DAYS, PAIR, WEEKS_OR_DAYS)
_NUMERIC = frozenset({GoldKind.NUMBER, GoldKind.INTEGER, GoldKind.INTERVAL})
# Kinds whose reader takes what a statement says as it stands.
_LITERAL = frozenset({GoldKind.DATE, GoldKind.WEEKS_DAYS, GoldKind.CHOICE, GoldKind.TEXT})

_BOX = re.compile(r"\\(?:boxed|fbox|framebox)\b\s{0,4}")
# Their argument without braces: \boxed 18, \boxed\frac12, but not "\boxed notation".
_ARGUMENT = re.compile(r"\\[A-Za-z]+\w*|[0-9][\w.]*|[A-Za-z](?=\$|[.\s]{0,3}\Z)")
# What stands between boxes that make one answer.
_BETWEEN = re.compile(
    r"\}?(?:(?:\$|\\\))?(?:\s[A-Za-z]{2,15}){1,2}(?=\s(?:and|or)\s))?"
    r"(?:[\s$,;&]|\\[()\[\],;:!\\]|\\q?quad\b|\b(?:and|or|as\swell\sas)\b"
    r"|\\(?:text|mbox|mathrm|textrm)\s?\{[^{}]{0,60}\}|[A-Za-z](?:_\{?\w{1,3}\}?)?\s?=){0,80}+"
)
_LISTED = re.compile(r"\b(?:and|or|as\swell\sas)\b|[,;&]|\}\Z")
# What shows the form of an answer: "in the format \boxed{...}", "\boxed{...} is the format".
_FORM = r"(?:format|form|notation|style|syntax|command|template|environment)"
_FORM_BEFORE = re.compile(
    rf"(?:\b{_FORM}\b|\be\.g\.|\bsuch as|\bfor example|\bfor instance|\blike)"
    r"[^\w\n]{0,4}(?:of\s|as\s|is\s|like\s)?[$`'\"]{0,2}\\(?:boxed|fbox)\s?\{\s?\Z"
)
_FORM_AFTER = re.compile(
    rf"\s?\}}?[^\w\n]{{0,4}}(?:(?:is|as|being|will\sbe|shows)\s)?(?:the\s|a\s|my\s|our\s)?"
    rf"(?:\w{{1,12}}\s)?{_FORM}\b"
)
_UNKNOWN = re.compile(r"[A-Za-z]|xx|XX|ANS|ans|N/A")
_JSON_KEY = re.compile(
    r"""["'“](?:final[_ ]?|numerical[_ ]?|the[_ ]?)?answer["'”]\s{0,8}:\s{0,8}""", re.IGNORECASE
)
# An escape of JSON; of ``\n`` and ``\t`` only what cannot be the start of a LaTeX command.
_ESCAPE = re.compile(r"""\\(?:(?P<itself>["\\/])|u(?P<code>[0-9a-fA-F]{4})|[nt](?![A-Za-z]))""")
_SOME_ESCAPES = re.compile(r"""\\(?:(?P<itself>")|u(?P<code>[0-9a-fA-F]{4}))""")
# At the start of a line; inside one only in front of a number.
_HASHES = re.compile(
    r"(?:^|(?<=\n))[ \t*]{0,4}####[ \t]{0,8}(?=[^\s#])"
    r"|(?<=[^\s#])[ \t]{0,3}####[ \t]{0,8}(?=[-−]?\\?[$€£]?\s?[0-9.])"
)
# "#### Step 2" heads a part of the solution.
_HEADING = re.compile(
    r"\**(?:Step|Part|Case|Question|Problem|Section|Method|Example|Given|Solution)\b"
    r"|[^\n]{0,200}:\**[ \t]*\n"
)
# What stands where the answer should: \boxed{answer}, "<number>", "...".
_PLACEHOLDER = re.compile(
    r"(?:\\(?:text|mathrm|mbox|textbf)\s?\{)?[\s<\[({*_]{0,4}"
    r"(?:(?:(?:the|your|my|our|final|numerical|numeric|correct|actual|insert|put)[\s_-]){0,4}"
    r"(?:answer|solution|result|value|number|expression)(?:[\s_-](?:here|goes here|only))?"
    r"|\.{2,9}|\\[lc]?dots|…|\?{1,9}|(?:\\?_){1,20})[\s>\])}*_]{0,4}",
    re.IGNORECASE,
)

# "the answer (to ...) is", "Answer:", "answer = ", matched at the word "answer".
_BE = (
    r"(?:is|are|was|equals?|would\sbe|will\sbe|should\sbe|must\sbe|can\sbe|becomes"
    r"|comes\s(?:out\s)?to(?:\sbe)?|turns\sout\sto\sbe)\b"
)
_STATES = re.compile(
    r"(?:answers?|ANSWERS?|Answers?)\b[*_\"'”’)\]}]{0,4}(?:\s?\([A-Za-z]\))?"
    r"(?:\s(?:to|of|for|in|as|here|we|that|rounded|therefore|then)\b[^\n.:=]{0,100}?)?"
    rf"(?:\s{{0,3}}\**\s?(?P<is>{_BE})(?P<not>\s+not\b|n't\b)?"
    r"(?:\s(?:thus|then|also|simply|just|indeed|clearly|equal\sto|therefore|given\sby))?[:=]?"
    r"|[ \t]{0,3}[*_]{0,3}(?P<label>[:=：→]|-(?=\s))|(?P<heading>[ \t*_]{0,6}\n))"
)
_LABEL = re.compile(
    r"(?:^|\n)[ \t>*_#]{0,6}(?:A|Ans|ANS|ans|Result|Solution|Output)[*_]{0,3}[ \t]?[:.=][*_]{0,3}"
)
_HEADING_WORDS = re.compile(
    r"[ \t>*_#\d.]{0,10}(?:(?:the|my|our)\s)?(?:final\s|numerical\s|correct\s)?\Z", re.IGNORECASE
)
_FINAL = re.compile(r"final\s(?:\w{1,12}\s)?\Z", re.IGNORECASE)

# Not the "!" of a factorial: "8! / 24 = 1680".
_SENTENCE_END = re.compile(
    r"(?<![Aa]pprox)(?<!\b[Nn]o)[.!?](?=[\s*\"'”’)]|\Z)"
    r"(?!(?<=[0-9)!]!)\s{0,2}[-+*/×÷=≈)^]\s?)|\n|;\s|。"
)
_LEAD = re.compile(r"(?:[\s:*_`>~≈\"“]|\\\"|(?:about|approximately|exactly|simply|just)\s)*+")
_BECAUSE = re.compile(
    r",?\s(?:because|since|which|where|when|as\s(?:we|the|it|shown|required)|so\s)"
    r"|\s\((?:since|because|i\.e|or\s|approx|rounded)",
    re.IGNORECASE,
)
# A formula in dollars that has space inside them holds no words: prices stand in words.
_TERMS = (
    r"(?:\\(?:text|mbox|mathrm|textbf|begin|end|operatorname)\s?\{[^{}$\n]{0,80}\}|\\[A-Za-z]+"
    r"|\\[^A-Za-z]|[A-Za-z]{1,2}(?![A-Za-z])|[^A-Za-z$\n\\]){1,2000}+"
)
_MATH = re.compile(
    r"\$\$(?P<dd>(?:[^$\\]|\\.){1,2000}+)\$\$"
    r"|(?<![\\$])\$(?P<d>(?:[^$\n\s\\]|\\.)"
    r"(?:(?:[^$\n\\]|\\.){0,2000}?(?:[^$\s\\]|\\.))?)\$(?![0-9])"
    rf"|(?<![\\$])\$(?P<s>{_TERMS})\$(?![0-9])"
    r"|\\\((?P<p>(?:[^\\]|\\[^()]){1,2000}+)\\\)|\\\[(?P<b>(?:[^\\]|\\[^\[\]]){1,2000}+)\\\]",
    re.DOTALL,
)
_JOINED = re.compile(r"[\s,.]{0,3}(?:,?\s?(?:and|or)\b|,)\s{0,2}")
# "is", said of a formula or of what has been named, and a value behind it.
_PREDICATE = re.compile(
    r"\s(?:is|are|was|equals?|equal\sto|=)\s"
    r"(?:(?:exactly|about|approximately|therefore|thus|also|then)\s)?"
    r"(?=[-−+]?(?:\\?\$|\\\(|\\frac|\\sqrt|[0-9.(\[√π]))"
)
_LIST_COMMA = re.compile(r",(?!(?:\\!)?\s?[0-9]{3}(?![0-9]))")
# A name and no value: n, f(x), f(2), a_{10}, x + y, \angle ABC.
_NAMED = re.compile(
    r"[^0-9=]{1,40}|[A-Za-z]'{0,2}\([A-Za-z0-9()+*/ -]{1,30}\)|[A-Za-z]_\{?[0-9]{1,3}\}?"
)
# Where a number's units end and the sentence goes on.
_BEYOND = re.compile(
    r"\s(?:(?:is|are|was|were|in|for|of|on|at|when|during|from|after|before|with|that|if|as|until)\s"
    r"(?=[A-Za-z0-9($\\])|(?:to|by)\s(?=[A-Za-z]))"
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|be|will|would|should|can|could|must|has|have|had|costs?|takes?|needs?"
    r"|charges?|makes?|earns?|gets?|equals?|there|spends?|pays?|weighs?|contains?|remains?|leaves?"
    r"|holds?|sells?|buys?|gives?)\b"
)
_SAID = re.compile(r"\b(?:is|are|equals|equal to|was)\s(?:(?:exactly|about|approximately)\s)?\Z")
_PLAIN_START = re.compile(r"[-+−(\[{\\0-9.]|[A-Za-z](?![A-Za-z])")

_ENUMERATOR = re.compile(r"[ \t>*_#]{0,6}(?:Step\s)?[0-9]{1,2}[.):](?=[\s*])")
# Steps in words; of steps in figures the second has to follow.
_FIRST_OF_LIST = re.compile(
    r"1[.)]\s+(?:(?:\*\*)?[A-Za-z]|[^\n]{1,300}\n(?:[^\n]{0,300}\n){0,4}?[ \t*]{0,4}2[.)]\s)"
)
# "1. 12", and no second.
_ONLY_ITEM = re.compile(
    r"(?:1[.)]|\(?[a1]\)|[-•])\s{1,3}[*_]{0,2}(?=[-−]?\\?[$€£(]?\s?[0-9\\])"
    r"(?![^\n]{0,300}\n(?:[^\n]{0,300}\n){0,4}?[ \t*]{0,4}(?:2[.)]|\(?[b2]\)|[-•])\s)"
)
_WORDS = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{3,}")
_NOTE = re.compile(r"[ \t>*_(]{0,6}(?:Note|NB|P\.S\.)\b")
_CHECK = re.compile(
    r"\n[ \t>*_#]{0,6}(?:(?:To\s|Let(?:'s|\sme|\sus)\s)?(?:double[- ])?(?:check|verify)|Verif)",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b")
# "2.19 m^2", "kg/m<sup>2</sup>": what is raised, and "Step 7".
_NO_VALUE = re.compile(
    r"(?:\^\s?\{?|<sup>"
    r"|\b(?:[Ss]tep|Part|Case|Figure|Table|Equation|Eq\.|Section|Stage|Phase)\s\(?)\Z"
)
_THOUGHT_END = "</think>"
# "maybe the answer is 5", "is the answer 5?"
_TENTATIVE = re.compile(
    r"\b(?:maybe|perhaps|possibly|probably|if|whether|suppose|supposing|guess|might|could|say"
    r"|wonder|doubt|expect|Maybe|Perhaps|Suppose|If|Could|Might|Is)\b[^.\n]{0,60}\Z"
)
_ASKED = re.compile(r"[^.!\n]{0,20}\?")
_CONCLUDES = re.compile(
    r"[\s*_>#-]{0,8}(?:So|Thus|Therefore|Hence|In (?:total|all|conclusion|the end|summary)"
    r"|Altogether|Finally|Overall|Consequently|(?:This|That|Which) (?:is|means|makes|gives))\b"
)
# No answer, said in place of one.
_REFUSED = re.compile(
    r"answers?(?:\sis|:)?[*_]{0,3}\s"
    r"(?:can(?:not|'t|\snot)\sbe\s(?:determined|calculated|computed|found|given)"
    r"|unknown|undetermined|indeterminate|insufficient|not\senough|impossible\sto|n/a"
    r"|not\s(?:given|available|provided|specified|known|stated|determinable))\b",
    re.IGNORECASE,
)
# Text that ends like this was cut off: on an operator, or on a word that calls for another.
_UNFINISHED = re.compile(
    r"(?:[=+×÷^_(&≈−]|\s[-*/<>]|\\|\\(?:frac|dfrac|sqrt|times|cdot|text|left|approx|le|ge)"
    r"|\b(?:and|or|of|the|an?|is|are|to|for|with|that|by|at|from|so|if|then|because|which|but))"
    r"\s{0,4}\Z"
)
# What stands between a value and the text's end where the value itself may go on.
_OPEN_END = re.compile(r",?[ ]?(?:[-+*/^×÷=]|\\[A-Za-z]*)?[ ]?\Z")
# The dollars of a display formula, no price.
_DISPLAYED = re.compile(r"(?<![\\$])\$\$(?![0-9$])")
# Behind the "!" of a factorial: the end of a formula or sentence, an operator, units.
_FACTORIAL_GOES_ON = re.compile(r"[$}\\)\].,]|\s?[-+*/=×÷^]|\s[a-z]")
_FACTORIALS = re.compile(r"[0-9A-Za-z)]!\s?(?:[-+*/=×÷^)]|\\)|[Ff]actorial|[Pp]ermut|\b[Aa]rrang")
_EXCLAIMED = re.compile(r"[A-Za-z]{2}!")
# What opens a formula, and what closes it.
_PAIRS = (("\\[", "\\]"), ("\\(", "\\)"), ("\\begin{", "\\end{"))
_COEFFICIENT = re.compile(r"[0-9]{1,9}\Z")
# A pair or an interval, several values, and the right side of an equation, in plain text.
_TUPLE = re.compile(r"[(\[][^()\[\]\n,]{1,60}(?:,[^()\[\]\n,]{1,60}){1,5}[)\]]")
_SERIES = re.compile(
    r"(?:[a-z]\s?=\s?)?[-−]?[0-9][0-9./√π]{0,20}"
    r"(?:(?:,|,?\s(?:and|or)\b)\s?(?:[a-z]\s?=\s?)?[-−]?[0-9][0-9./√π]{0,20}){1,8}"
)
_PLAIN_FORMULA = re.compile(
    r"(?:[-−+*/^()0-9.√π ²³]|(?:sqrt|pi|sin|cos|tan|log|ln)\b|[A-Za-z](?![A-Za-z])"
    r"|(?<=[0-9])[a-z]{2,3}(?=\s?[-−+*/^)]|\s?\Z)){1,80}"
)
_SAYS = re.compile(
    r"\b(?:is|equals|equal\sto|becomes|gives|get|obtain|simplifies\s(?:down\s)?to|reduces\sto"
    r"|(?:expands|factors|comes\sout)\s(?:to|as|into)|(?:written|expressed)\sas|leaves)\s"
    r"(?=[-−+(0-9A-Za-z√π])"
)
# A sign between two terms, or a number that multiplies.
_TERM = re.compile(r"[\w)²³π]\s?[-−+*/^]\s?[\w(√π]|[0-9)][A-Za-z(√π]")
_CLAUSE_AFTER = re.compile(r",?\s(?:after|when|for|if|where|in|as|by|since|because|once|using)\s")
_FACTOR = re.compile(
    r"\)?(?:\s?π|\s?√(?:[0-9]{1,9}|\([^()\n]{1,40}\)))+(?:/[0-9]{1,9})?|\)?/[0-9]{1,9}"
)
# All that a completion is: "B", "(B)".
_OPTION = re.compile(r"[\s*]{0,8}\(?(?P<letter>[A-J])\)?[.\s*]{0,8}")
_DIRECTION = r"(?:facing|heading|pointing|going|moving|looking|walking|travell?ing)"
_IS_WORD = re.compile(
    r"(?:\b(?:is|are|was|were)\s(?:(?:now|then|thus|therefore|still)\s)?"
    rf"(?:(?:an?|the|called|named|on)\s)?|\b{_DIRECTION}\s|\b(?:faces|face)\s)"
    r"(?:(?:toward|towards|to|due|the|directly|straight)\s){0,2}[*_\"“]{0,3}"
    r"(?P<word>(?:[Nn]orth|[Ss]outh)[- ]?(?:[Ee]ast|[Ww]est)|[A-Z][A-Za-z]{0,20}"
    r"|even|odd|yes|no|true|false"
    r"|north|south|east|west|ellipse|circle|parabola|hyperbola|line|point|plane|sphere|cone"
    r"|cylinder|empty)[*_\"”]{0,3}\Z"
)
_SURE = re.compile(r"\s?(?:\w{1,12}\s){0,2}?(?:sure|certain|confiden|correct|accura|positive)")
_CONFIDENCE = re.compile(r"(?:confidence|confident|certain|sure)\W{0,3}(?:\w{1,10}\s){0,3}\Z", re.I)
_BOLD = re.compile(r"\*\*([^*\n]{1,80})\*\*")
# Of "3 and a half" the number alone is another one.
_AND_HALF = re.compile(r"\s{0,9}(?:and|&)\s")
_UNITS = re.compile(r"[\s$%°]{0,3}(?:[A-Za-z°²³/^]{1,20}[\s.]?){0,4}[\s.!]{0,3}")


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
    without markup around it, but for two: in JSON the escapes are undone, and boxes joined by
    "and" are given with commas. Normalising is the graders' business.

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
        end = min(len(text), READ_LIMIT)
        start = _after_thinking(text, end)
        if self._cut:
            end = run_on(text, start, end, turns=turns)
        found = _stated_in(text, max(start, end - _TAIL), end, kind)
        if found is None and start:
            found = _thought(text, start, end, kind)
        if found:
            ended = end < len(text) or not _OPEN_END.match(text, found.end)
        else:
            # Where the model runs on, the text before it is whole.
            ended = end < len(text.rstrip())
            found = _weak_in(text, max(start, end - _TAIL), end, kind, ended)
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
        if kind in _NUMERIC and not _FACTORIALS.search(text, before, at):
            return found
        if _EXCLAIMED.search(text, before, at):
            return found
    return Found(found.start, at + 1)


def _thought(text: str, start: int, end: int, kind: GoldKind) -> Found | None:
    """The answer that thoughts up to ``start`` state, unless what follows comes to a value."""
    begin, stop = max(0, start - _TAIL), start - len(_THOUGHT_END)
    if strong := _strong_in(text, begin, stop, kind):
        return strong
    stated = _stated(text, begin, stop, kind)
    if stated is None or _comes_to_a_value(text, start, end, kind):
        return None
    at, after = stated.found[:2]
    if _TENTATIVE.search(text, max(begin, at - 80), at) or _ASKED.match(text, after, stop):
        return None
    return stated.found


def _comes_to_a_value(text: str, start: int, end: int, kind: GoldKind) -> bool:
    """Whether a reply gives a value in bold, or in a last sentence that concludes it."""
    if kind in _NUMERIC and _last_bold(text, start, end):
        return True
    stop = trim_end(text, start, end)
    begin = start
    for mark in _SENTENCE_END.finditer(text, max(start, stop - _CLOSING_CHARACTERS), stop):
        begin = mark.end()
    return stop < end and bool(_CONCLUDES.match(text, begin, stop))


def _strong_in(text: str, start: int, end: int, kind: GoldKind) -> Found | None:
    """The last box, JSON answer or ``#### N``."""
    json = _json(text, start, end, kind)
    start = json.stop if json else start
    later = (_boxed(text, start, end, kind), _hashes(text, start, end, _reader(kind)))
    latest = max((found for found in later if found), key=lambda found: found.start, default=None)
    return latest or (json.found if json else None)


def _stated_in(text: str, start: int, end: int, kind: GoldKind) -> Found | None:
    latest = _strong_in(text, start, end, kind)
    stated = _stated(text, max(start, latest.end) if latest else start, end, kind)
    if latest is None or (
        stated
        and (stated.final or latest.start == latest.end or _shows_form(text, latest, end, kind))
    ):
        return stated.found if stated else None
    return latest


def _shows_form(text: str, box: Found, end: int, kind: GoldKind) -> bool:
    r"""Whether a box shows how an answer is going to be written: ``\boxed{x} is the format``."""
    before, after = max(0, box.start - 60), min(end, box.end + 60)
    if _FORM_BEFORE.search(text, before, box.start) or _FORM_AFTER.match(text, box.end, after):
        return True
    return kind in _NUMERIC and bool(_UNKNOWN.fullmatch(text, box.start, box.end))


SpanReader = Callable[[str, int, int], Span | None]


def _reader(kind: GoldKind) -> SpanReader:
    """How a value of this kind is read off the statement in ``text[start:end]``."""
    if kind in _NUMERIC:
        return number_in
    if kind is GoldKind.DATE:
        return _date_in
    if kind is GoldKind.WEEKS_DAYS:
        return _weeks_in
    if kind is GoldKind.CHOICE:
        return option_in
    return words_in if kind is GoldKind.TEXT else _expression_in


def _date_in(text: str, start: int, end: int) -> Span | None:
    match = DATE.search(text, start, end)
    return match.span() if match else None


def _weeks_in(text: str, start: int, end: int) -> Span | None:
    for pattern in _WEEKS:
        match = pattern.search(text, start, end)
        if match:
            return match.span(pattern.groups)
    return None


def _expression_in(text: str, start: int, end: int) -> Span | None:
    """The formula or phrase that a statement gives: inline math if any, else its words."""
    lead = _LEAD.match(text, start, end)
    start = lead.end() if lead else start
    math = _MATH.search(text, start, end)
    if math and (math.start() == start or not _PLAIN_START.match(text, start, end)):
        return _predicate(text, start, math, end) or _joined_math(text, math, end)
    because = _BECAUSE.search(text, start, end)
    stop = trim_end(text, start, because.start() if because else end)
    return _phrase(text, start, stop) if start < stop else None


def _predicate(text: str, start: int, math: re.Match[str], end: int) -> Span | None:
    """What a formula, or something that it is part of, is said to be: "the largest $n$ is 34"."""
    if math.start() == start and not _NAMED.fullmatch(text, *_content(math)):
        return None
    because = _BECAUSE.search(text, math.end(), end)
    end = because.start() if because else end
    marks = list(_PREDICATE.finditer(text, math.end(), end))
    return _expression_in(text, marks[-1].end(), end) if marks else None


def _phrase(text: str, start: int, stop: int) -> Span | None:
    """The value of a phrase in plain text: its number and units, or all of it."""
    number = NUMBER.match(text, start, stop)
    if number:
        beyond = _BEYOND.search(text, number.end(), stop)
        stop = trim_end(text, start, beyond.start()) if beyond else stop
        return _right_side(text, start, stop) if stop <= start + _PHRASE else number.span()
    words = len(re.findall(r"[A-Za-z]{2,}", text[start : start + _PHRASE]))
    if words > 1 and _VERB.search(text, start, stop):
        value = number_in(text, start, stop)
        return _whole_term(text, start, value, stop) if value else _last_word(text, start, stop)
    return (start, stop) if stop <= start + _PHRASE else None


def _joined_math(text: str, math: re.Match[str], end: int) -> Span | None:
    """One formula, or several joined by "and", "or" or commas, as one span."""
    begin, stop = _content(math)
    after = math.end()
    for _ in range(8):
        joined = _JOINED.match(text, after, end)
        more = _MATH.match(text, joined.end(), end) if joined else None
        if more is None:
            break
        stop, after = _content(more)[1], more.end()
    return _right_side(text, begin, stop) if after == math.end() else (begin, stop)


def _content(math: re.Match[str]) -> Span:
    return math.span(math.lastgroup or 0)


def _right_side(text: str, start: int, end: int) -> Span | None:
    """The value of a chain a = b = c, or of an equation whose left side holds no letter."""
    while start < end and text[start].isspace():
        start += 1
    end = trim_end(text, start, end)
    body = text[start:end]
    at = _last_equals(body)
    if at > 0 and not _LIST_COMMA.search(body) and body[at - 1] not in "<>!\\":
        left = body[:at]
        if "=" in left or not re.search(r"(?<![\\A-Za-z])[A-Za-z]|\\text", left):
            start += at + 1
            while start < end and text[start].isspace():
                start += 1
    return (start, end) if end > start else None


def _last_equals(body: str) -> int:
    """The offset of the last "=" that stands in no braces, or -1."""
    depth, at = 0, -1
    for mark in re.finditer(r"\\.|[{}=]", body, re.DOTALL):
        depth += (mark[0] == "{") - (mark[0] == "}")
        if mark[0] == "=" and depth == 0:
            at = mark.start()
    return at


class _Answered(NamedTuple):
    """A JSON answer: what it says, and where its value ends."""

    found: Found
    stop: int


def _json(text: str, start: int, end: int, kind: GoldKind) -> _Answered | None:
    """The value of the last JSON "answer", whether or not the object is closed.

    A value that holds none of the kind asked for is the answer all the same: none.
    """
    for key in reversed(list(_JSON_KEY.finditer(text, start, end))[-_TRIES:]):
        begin = key.end()
        quote = text[begin : begin + 1]
        if quote in ('"', "'", "“"):
            begin += 1
            stop = _string_end(text, begin, end, "”" if quote == "“" else quote)
            found = _decoded(text, begin, stop, kind)
        else:
            stop = _bare_end(text, begin, end)
            span = _reader(kind)(text, begin, stop)
            found = Found(*span) if span else None
        if found or not _PLACEHOLDER.fullmatch(text, begin, stop):
            return _Answered(found or Found(begin, begin), stop)
    return None


def _decoded(text: str, start: int, end: int, kind: GoldKind) -> Found | None:
    """The value of a JSON string, read with its escapes undone."""
    body, offsets = _unescaped(text, start, end)
    found = _boxed(body, 0, len(body), kind)
    span = found[:2] if found else _reader(kind)(body, 0, len(body))
    if span is None:
        return None
    answer = found.read(body) if found else body[span[0] : span[1]]
    first, last = offsets[span[0]], offsets[span[1]]
    return Found(first, last, None if answer == text[first:last] else answer)


def _unescaped(text: str, start: int, end: int) -> tuple[str, range | list[int]]:
    r"""A JSON string without its escapes, and where in ``text`` each of its characters begins.

    Models write ``"\frac{1}{2}"`` as well as ``"\\frac{1}{2}"``: where no backslash is escaped,
    only quotes and codes are taken for escapes.
    """
    if "\\" not in text[start:end]:
        return text[start:end], range(start, end + 1)
    escape = _ESCAPE if "\\\\" in text[start:end] else _SOME_ESCAPES
    characters: list[str] = []
    offsets: list[int] = []
    at = start
    for match in escape.finditer(text, start, end):
        characters += text[at : match.start()]
        offsets += range(at, match.start())
        characters.append(_character(match))
        offsets.append(match.start())
        at = match.end()
    characters += text[at:end]
    offsets += range(at, end + 1)
    return "".join(characters), offsets


def _string_end(text: str, start: int, end: int, quote: str) -> int:
    """The end of a JSON string; where it is never closed, the end of its line."""
    at = start
    while (at := text.find(quote, at, end)) >= 0:
        if text[at - 1] != "\\":
            return at
        at += 1
    line = text.find("\n", start, end)
    return line if line >= 0 else end


def _bare_end(text: str, start: int, end: int) -> int:
    if text[start : start + 1] in ("[", "("):
        close = text.find("]" if text[start] == "[" else ")", start, min(end, start + 200))
        if close >= 0:
            return close + 1
    match = re.compile(r"[}\n]|,\s").search(text, start, end)
    return match.start() if match else end


def _boxed(text: str, start: int, end: int, kind: GoldKind) -> Found | None:
    """The content of the last box that holds anything."""
    boxes = list(_BOX.finditer(text, start, end))[-_BOXES:]
    for index in range(len(boxes) - 1, -1, -1):
        span = _box_content(text, boxes[index].end(), end)
        if span is None or _PLACEHOLDER.fullmatch(text, *span):
            continue
        if kind in _LITERAL:
            return Found(*(_reader(kind)(text, *span) or span))
        joined = _joined_boxes(text, boxes[: index + 1], span)
        if kind in _NUMERIC and joined.answer is None:
            return Found(*_number_alone(text, *span))
        return joined
    return None


def _box_content(text: str, start: int, end: int) -> Span | None:
    """What the box whose argument begins at ``start`` holds; up to the line's end if unclosed."""
    if text[start : start + 1] == "{":
        begin, stop = start + 1, group_end(text, start, end)
        if stop < 0:
            line = re.compile(r"\n|\$").search(text, begin, end)
            stop = line.start() if line else end
    else:
        argument = _ARGUMENT.match(text, start, end)
        begin, stop = argument.span() if argument else (start, start)
    while begin < stop and text[begin].isspace():
        begin += 1
    while stop > begin and text[stop - 1].isspace():
        stop -= 1
    return (begin, stop) if stop > begin else None


def _character(escape: re.Match[str]) -> str:
    """The character that a JSON escape stands for; a line break or a tab is a space."""
    if escape["code"]:
        return chr(int(escape["code"], 16))
    return escape["itself"] or " "


def _joined_boxes(text: str, boxes: list[re.Match[str]], last: Span) -> Found:
    r"""Boxes that share a sentence, as ``\boxed{1} and \boxed{2}``, are one answer."""
    spans = [last]
    for later, box in zip(reversed(boxes), reversed(boxes[:-1]), strict=False):
        span = _box_content(text, box.end(), later.start())
        between = _BETWEEN.fullmatch(text, span[1], later.start()) if span else None
        if span is None or between is None or not _LISTED.search(between[0]):
            break
        spans.insert(0, span)
    values = {plain_number(v) or v: v for v in (text[begin:end] for begin, end in spans)}
    if len(values) == 1:
        return Found(*last)
    return Found(spans[0][0], last[1], ", ".join(values.values()))


def _number_alone(text: str, start: int, end: int) -> Span:
    """The number in a box that holds one number and its units; else all of the box."""
    span = number_in(text, start, end)
    number = NUMBER.match(text, *span) if span else None
    if span is None or number is None or number.end() < span[1]:
        # Of an expression the brackets around it are a part.
        return start, end
    rest = re.sub(r"\\(?:text|mbox|mathrm|textbf|,|;|!|\s)|[{}$~]", " ", text[span[1] : end])
    left = text[start : span[0]]
    if _AND_HALF.match(rest):
        return start, end
    if _UNITS.fullmatch(" ".join(rest.split())) and (
        ("=" in left and not is_condition(text[start:end]))
        or skip_junk(text, start, end) >= span[0]
    ):
        return span
    return start, end


def _hashes(text: str, start: int, end: int, read: SpanReader) -> Found | None:
    for mark in reversed(list(_HASHES.finditer(text, start, end))[-_TRIES:]):
        if _HEADING.match(text, mark.end(), end):
            continue
        line = text.find("\n", mark.end(), end)
        span = read(text, mark.end(), line if line >= 0 else end)
        if span:
            return Found(*span)
    return None


class _StatedAnswer(NamedTuple):
    """A statement of an answer, and whether it calls itself final."""

    found: Found
    final: bool


def _stated(text: str, start: int, end: int, kind: GoldKind) -> _StatedAnswer | None:
    """The last statement of an answer."""
    at = end
    read = _reader(kind)
    label = _last_label(text, start, end, kind, read)
    for _ in range(_TRIES):
        at = max(text.rfind("nswer", start, at), text.rfind("NSWER", start, at))
        if at <= start - 1 or at < 1:
            break
        if label and label[0] > at:
            break
        span = _statement(text, at - 1, end, kind, read)
        if span:
            final = bool(_FINAL.search(text, max(0, at - 20), at - 1))
            return _StatedAnswer(Found(*span), final)
    return _StatedAnswer(Found(*label), False) if label else None


def _statement(text: str, at: int, end: int, kind: GoldKind, read: SpanReader) -> Span | None:
    """The value stated at the word "answer" that begins at ``at``."""
    match = _STATES.match(text, at, end)
    if kind in _NUMERIC and _refused(text, at, end):
        return at, at
    if match is None or match["not"]:
        return None
    if match["heading"] and not _HEADING_WORDS.search(text, max(0, at - 24), at):
        return None
    if match["is"]:
        return read(text, *_clause(text, match.end(), end))
    return _labelled(text, match.end(), end, kind, read)


def _refused(text: str, at: int, end: int) -> bool:
    """Whether the text says of the answer that there is none, and gives no number after it."""
    refusal = _REFUSED.match(text, at, end)
    return bool(refusal) and not NUMBER.search(text, refusal.end() if refusal else at, end)


def _clause(text: str, start: int, end: int) -> Span:
    """The rest of the sentence from its first character that is no markup."""
    lead = _LEAD.match(text, start, end)
    start = lead.end() if lead else start
    only = _ONLY_ITEM.match(text, start, end)
    start = only.end() if only else start
    math = _MATH.match(text, start, end)
    stop = _SENTENCE_END.search(text, math.end() if math else start, end)
    return start, stop.start() if stop else end


def _labelled(text: str, start: int, end: int, kind: GoldKind, read: SpanReader) -> Span | None:
    """The value behind "Answer:", unless a worked solution stands there."""
    begin, stop = _clause(text, start, end)
    if "\n" in text[start:begin] and _FIRST_OF_LIST.match(text, begin, end):
        return None
    span = read(text, begin, stop)
    if span is None or kind in _LITERAL:
        return span
    line = text.find("\n", stop, end)
    line_end = line if line >= 0 else end
    alone = not text[stop:line_end].strip(" \t*_.!$")
    if kind not in _NUMERIC:
        short = len(text[span[0] : span[1]].split()) <= _LABEL_WORDS
        valued = text[begin] == "$" or bool(_PLAIN_START.match(text, span[0], end))
        return span if alone and (short or valued) else None
    if skip_junk(text, begin, stop) >= span[0] and len(text[span[1] : stop].split()) <= 4:
        return span
    return span if alone and not NUMBER.search(text, line_end, end) else None


def _last_label(text: str, start: int, end: int, kind: GoldKind, read: SpanReader) -> Span | None:
    for mark in reversed(list(_LABEL.finditer(text, start, end))[-_TRIES:]):
        span = _labelled(text, mark.end(), end, kind, read)
        if span and span[1] - span[0] <= 200:
            return span
    return None


def _weak_in(text: str, start: int, end: int, kind: GoldKind, ended: bool) -> Found | None:
    """What a text that states no answer comes to, unless it breaks off before."""
    if not ended and _broken_off(text, max(start, end - _CLOSING_CHARACTERS), end):
        return None
    span = _fallback(text, start, end, kind)
    return Found(*span) if span else None


def _broken_off(text: str, start: int, end: int) -> bool:
    """Whether the text ends within a formula, on what calls for more, or goes round in circles."""
    if _UNFINISHED.search(text, max(start, end - 40), end):
        return True
    if _looping(text, start, end):
        return True
    if any(text.rfind(begin, start, end) > text.rfind(stop, start, end) for begin, stop in _PAIRS):
        return True
    for math in _MATH.finditer(text, start, end):
        start = math.end()
    return bool(_DISPLAYED.search(text, start, end))


def _looping(text: str, start: int, end: int) -> bool:
    """Whether the text ends in the same words again and again, at one distance."""
    words = text[max(start, end - _LOOPED) : end]
    places = [end - len(words)]
    for _ in range(3):
        places.append(text.rfind(words, start, places[-1] + len(words) - 1))
        if places[-1] < 0 or places[-2] - places[-1] != places[0] - places[1]:
            return False
    return any(character.isalpha() for character in words)


def _fallback(text: str, start: int, end: int, kind: GoldKind) -> Span | None:
    if kind is GoldKind.CHOICE:
        return last_option(text, start, end)
    if kind is GoldKind.TEXT:
        return last_words(text, start, end)
    alone = ONE_NUMBER.fullmatch(text, start, end)
    if alone:
        return alone.span("number")
    if kind in _NUMERIC:
        return _last_bold(text, start, end) or _last_number(text, start, end)
    if kind is GoldKind.DATE:
        return _last_of((DATE,), text, start, end)
    if kind is GoldKind.WEEKS_DAYS:
        return _last_of(_WEEKS, text, start, end)
    option = _OPTION.fullmatch(text, start, end)
    return option.span("letter") if option else _last_formula(text, start, end)


def _last_of(patterns: tuple[re.Pattern[str], ...], text: str, start: int, end: int) -> Span | None:
    for pattern in patterns:
        spans = [match.span(match.re.groups) for match in pattern.finditer(text, start, end)]
        if spans:
            return spans[-1]
    return None


def _last_bold(text: str, start: int, end: int) -> Span | None:
    """A bold value with its units in the last lines: ``makes **$18** a day``."""
    for bold in reversed(list(_BOLD.finditer(text, max(start, end - 400), end))):
        number = number_in(text, *bold.span(1))
        if number is None or _ENUMERATOR.match(text, bold.start(1), bold.end(1)):
            continue
        direct = skip_junk(text, *bold.span(1)) >= number[0]
        if direct and _UNITS.fullmatch(text, number[1], bold.end(1)):
            return number
    return None


def _last_number(text: str, start: int, end: int) -> Span | None:
    """The value of the last sentence that has one."""
    start = max(start, end - _CLOSING_CHARACTERS)
    end = _unchecked(text, start, end)
    found: Span | None = None
    ordinal: Span | None = None
    for match in NUMBER.finditer(text, start, end):
        span = match.span("after") if match["after"] else match.span()
        if _ORDINAL.match(text, span[1], end):
            ordinal = span
        elif not _beside_the_point(text, start, end, span):
            found = span
    if ordinal and (found is None or _SENTENCE_END.search(text, found[1], ordinal[0])):
        return ordinal
    if found is None:
        words = list(WORDED.finditer(text, start, end))
        return words[-1].span() if words else None
    begin = start
    for mark in _SENTENCE_END.finditer(text, start, found[0]):
        begin = mark.end()
    closing = _SENTENCE_END.search(text, found[1], end)
    stop = closing.start() if closing else end
    value = concluded(text, begin, stop, found)
    return _whole_formula(text, start, end, value) or value


def _whole_formula(text: str, start: int, end: int, number: Span) -> Span | None:
    r"""The value of the formula that a number is part of: ``\frac{1+\sqrt{5}}{2}`` is not 2."""
    for math in _MATH.finditer(text, start, end):
        begin, stop = _content(math)
        if begin <= number[0] and number[1] <= stop:
            if math.lastgroup == "d" and _WORDS.search(text, begin, stop):
                # Two prices, and the words between them.
                return None
            right = _right_side(text, begin, stop)
            listed = right is None or "," in text[right[0] : number[0]] + text[number[1] : right[1]]
            return None if right is None or listed else _number_alone(text, *right)
    return None


def _unchecked(text: str, start: int, end: int) -> int:
    """Where a closing check of the result begins, if there is a number before; else ``end``."""
    for check in _CHECK.finditer(text, start, end):
        if NUMBER.search(text, start, check.start()):
            return check.start()
    return end


def _beside_the_point(text: str, start: int, end: int, span: Span) -> bool:
    """Whether a number is a list label, in a note, or the "100%" of someone who is sure."""
    line = text.rfind("\n", start, span[0]) + 1
    if _NOTE.match(text, line, end):
        return True
    label = _ENUMERATOR.match(text, line, end) if span[0] - line <= 12 else None
    if label and span[1] <= label.end():
        return True
    if _NO_VALUE.search(text, max(start, span[0] - 12), span[0]):
        return True
    return text[span[1] - 1] == "%" and bool(
        _SURE.match(text, span[1], end)
        or _CONFIDENCE.search(text, max(start, span[0] - 40), span[0])
    )


def _last_formula(text: str, start: int, end: int) -> Span | None:
    """The last inline formula, or the value of the last plain equation behind it."""
    tail = max(start, end - _CLOSING_CHARACTERS)
    formulas = list(_MATH.finditer(text, tail, end))
    behind = formulas[-1].end() if formulas else tail
    if singled := _singled_out(text, formulas, end):
        return _right_side(text, *_content(singled))
    if formulas and _SAID.search(text, max(tail, formulas[-1].start() - 24), formulas[-1].start()):
        # "3 inches is $\\frac{1}{8}$ of 2 feet": what its sentence says of it is no value.
        closing = _SENTENCE_END.search(text, behind, end)
        if not _PREDICATE.search(text, behind, closing.start() if closing else end):
            behind = closing.end() if closing else end
    number = _last_number(text, behind, end)
    if formulas and number and aside(text, formulas[-1].start(), number):
        number = None
    if formulas and number and not NUMBER.match(text, *number):
        # "$36$ dollars for four dozen"
        number = None
    word = _last_word(text, behind, end)
    if word and (number is None or number[1] < word[0]):
        return word
    if number:
        return _whole_term(text, behind, number, end)
    if not formulas:
        return None
    begin, stop = _content(formulas[-1])
    alone = True
    for index in range(len(formulas) - 1, 0, -1):
        earlier = formulas[index - 1]
        joined = _JOINED.fullmatch(text, earlier.end(), formulas[index].start())
        if not joined or ("=" in earlier[0]) != ("=" in formulas[index][0]):
            break
        begin, alone = _content(earlier)[0], False
    return _right_side(text, begin, stop) if alone else (begin, stop)


def _singled_out(text: str, formulas: list[re.Match[str]], end: int) -> re.Match[str] | None:
    """The formula that the last sentence is about: "$n = 12$ is the smallest such that $5 < n$"."""
    for formula in reversed(formulas):
        if SINGLED_OUT.match(text, formula.end(), end):
            closing = _SENTENCE_END.search(text, formula.end(), end)
            return None if closing and NUMBER.search(text, closing.end(), end) else formula
    return None


def _whole_term(text: str, start: int, number: Span, end: int) -> Span:
    """What the closing number is part of in plain text: (3, 4), x^2 + 1, "1 or 2", 12π, 2√3/3."""
    sentence = start
    for mark in _SENTENCE_END.finditer(text, start, number[0]):
        sentence = mark.end()
    stop = trim_end(text, number[1], end)
    equals = text.rfind("=", sentence, number[0])
    for pattern in (_TUPLE, _SERIES):
        for whole in pattern.finditer(text, sentence, end):
            if whole.start() <= number[0] and number[1] <= whole.end():
                return whole.start(), trim_end(text, number[1], whole.end())
    if equals >= 0 and _PLAIN_FORMULA.fullmatch(text, equals + 1, stop):
        return equals + 1 + (text[equals + 1] == " "), stop
    return _said_formula(text, sentence, number, stop) or _with_factors(text, start, number, end)


def _said_formula(text: str, sentence: int, number: Span, stop: int) -> Span | None:
    """What something is said to be, where that is more than a number: "equals 3x + 4y"."""
    for said in _SAYS.finditer(text, sentence, number[1]):
        formula = _PLAIN_FORMULA.match(text, said.end(), stop)
        if formula is None or formula.end() < number[1] or not _TERM.search(formula[0]):
            continue
        after = trim_end(text, number[1], formula.end())
        if after == stop or _CLAUSE_AFTER.match(text, after, stop):
            return formula.start(), after
    return None


def _with_factors(text: str, start: int, number: Span, end: int) -> Span:
    begin = number[0]
    while begin > start and text[begin - 1] in "√(" and "√" in text[max(start, begin - 2) : begin]:
        begin -= 1
    factor = _COEFFICIENT.search(text, max(start, begin - 12), begin) if begin < number[0] else None
    more = _FACTOR.match(text, number[1], end)
    return (factor.start() if factor else begin), (more.end() if more else number[1])


def _last_word(text: str, start: int, end: int) -> Span | None:
    """What a closing sentence without any number says that something is: a name, a day, "odd"."""
    stop = trim_end(text, start, end)
    begin = start
    for mark in _SENTENCE_END.finditer(text, start, stop):
        begin = mark.end()
    word = _IS_WORD.search(text, begin, stop)
    # Of numbers only in a clause before: "After turning 90 degrees, she is facing east."
    clause = text.rfind(", ", begin, word.start()) if word else -1
    behind = NUMBER.search(text, clause if clause >= 0 else begin, stop)
    return word.span("word") if word and not behind else None
