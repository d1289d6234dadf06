"""MathVerify: equality as Hugging Face's Math-Verify judges it."""

import itertools
import logging
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.graders._algebra import quicken_parser
from distlab.scoring.graders._given import misfit, rewordings
from distlab.scoring.graders._guard import AnswerRefusedError, check_cost, sized
from distlab.scoring.graders._match import (
    both_signs,
    other_quantity,
    same_based,
    same_time,
    same_words,
)
from distlab.scoring.graders._probe import Probe, probe
from distlab.scoring.graders._spelling import BOLD, in_digits, spelled
from distlab.scoring.graders._text import (
    LETTERS,
    MODULO,
    WORD_TAIL,
    gold_text,
    golds,
    joined_groups,
    readings,
    split,
)

# It warns that its own time-outs are off; ours is a process, which also ends C code.
logging.getLogger("math_verify").setLevel(logging.ERROR)

_KINDS = frozenset({GoldKind.NUMBER, GoldKind.LATEX, GoldKind.LIST})
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")
_PAIRED = re.compile(r"(?<!\\)\\[()\[\]]")
_CONJUNCTION = re.compile(
    r"\s?,?\s?\\(?:text|mbox)\s?\{\s?(?:,?\s?(?:and|or)\s?,?|,)\s?\}\s?|\s?,?\s(?:and|or)\s"
)
_MIXED = re.compile(r"(?<![\w.}])([0-9]+)\s([0-9]+)/([0-9]+)(?![\w/])")
_SCIENTIFIC = re.compile(
    r"(?<![\w.])([0-9]{1,15}(?:\.[0-9]{1,15})?)"
    r"(?:[eE]|\s?(?:x|\*)\s?10(?:\^|\*\*))\{?(-?[0-9]{1,3})\}?(?![\w.])"
)
_BASE = re.compile(r"[0-9A-F]_\s?\{?\s?([0-9]{1,2})(?![0-9])")
# A time of day or a base.
_TOLD = re.compile(r"[0-9A-F]\s?(?:\{?[:_]|[APap]\.?\s?[Mm]\b|\\text)|\bbase\b|o'clock")
_RATIO = re.compile(r"[0-9]{1,15}(?::[0-9]{1,15}){1,3}")
_POWER_OF_I = re.compile(r"i\^(?P<brace>\{)?\s?(?P<exponent>[0-9]{1,4})\s?(?(brace)\})")
_BOLD = re.compile(BOLD + r"|__|`")


class MathVerify:
    """Math-Verify (``parse`` then ``verify``), gold first.

    What it needs and would not do itself: an answer without delimiters is put in ``$``, bold
    markers and back-ticks go, an unpaired ``$`` is a currency sign and goes; numbers in words, in
    powers of ten and with other separators than commas are written in digits (``spelled``).
    Its own time-outs are signals and are off; the pool's deadline holds. Its verdicts are its own
    otherwise, with
    what it is known for: lists match in any order, numbers to six decimals, 9% equals 9.
    """

    name = "math-verify"
    version = "5"
    cached = True

    def applies(self, kind: GoldKind) -> bool:
        """Numbers, LaTeX and lists; it knows no dates and no limits."""
        return kind in _KINDS

    def grade(self, gold: Gold, answer: str) -> bool:
        """Whether Math-Verify finds ``answer`` equal to ``gold``.

        Raises:
            AnswerRefusedError: ``answer`` is more than computer algebra should be given.
            ValueError: The gold cannot be parsed.
        """
        if _INTEGER.fullmatch(answer) and _INTEGER.fullmatch(gold.text):
            return answer == gold.text or int(answer) == int(gold.text)
        fit = sized(answer, gold.text)
        if fit is None or misfit(fit, gold):
            return False
        alike = _is_said_alike(gold, fit)
        if alike is not None:
            return alike
        if _is_same_word(gold, fit) or _is_equal(gold, fit):
            return True
        if gold.kind is GoldKind.LIST:
            return False
        others = itertools.chain(_power_of_i(fit), rewordings(fit, gold))
        return any(_is_equal(gold, other) for other in others)


def _power_of_i(answer: str) -> Iterator[str]:
    """A power of the imaginary unit worked out, whose letter is a variable to Math-Verify."""
    power = _POWER_OF_I.fullmatch(spelled(answer).strip(" $"))
    if power:
        yield ("1", "i", "-1", "-i")[int(power["exponent"]) % 4]


def _is_equal(gold: Gold, answer: str) -> bool:
    """Whether Math-Verify finds one text of the answer equal to ``gold``."""
    text = spelled(answer)
    text = _delimited(text if gold.kind is GoldKind.LIST else joined_groups(text))
    try:
        check_cost(text)
    except AnswerRefusedError:
        # What is written like the gold needs no algebra.
        if text == _delimited(spelled(gold_text(gold))):
            return True
        raise
    if _other_base(gold.text, text):
        return False
    wanted, given = _gold(gold), _parsed(text)
    return any(_equal(want, have) for want in wanted for have in given)


def _is_same_word(gold: Gold, answer: str) -> bool:
    """Whether the two are one word, which it would read as a product of letters."""
    wanted, given = golds(gold)[0], readings(answer)[0]
    return len(wanted) == len(given) == 1 and same_words(wanted[0].body, given[0].body)


def _is_said_alike(gold: Gold, answer: str) -> bool | None:
    """Whether the two are one time of day, or the same digits of a base: it knows neither.

    Returns:
        None where they are neither times nor numbers of a base.
    """
    if not (_TOLD.search(gold.text) or _TOLD.search(answer)):
        return None
    wanted, given = golds(gold)[0], readings(answer)[0]
    if len(wanted) != 1 or len(given) != 1:
        return None
    told = wanted[0], given[0]
    if other_quantity(*told) or other_quantity(*reversed(told)):
        return False
    for same in (same_time, same_based):
        alike = same(wanted[0].body, given[0].body)
        if alike is not None:
            return alike
    bodies = wanted[0].body, given[0].body
    ratios = [bool(_RATIO.fullmatch(body)) for body in bodies]
    # It takes the second number for a part of another answer.
    return False if any(ratios) and not all(ratios) and all(map(_is_plain, bodies)) else None


def _is_plain(body: str) -> bool:
    return bool(_RATIO.fullmatch(body) or _INTEGER.fullmatch(body))


def _other_base(gold: str, answer: str) -> bool:
    """Whether both say their base and the bases differ, which Math-Verify does not read."""
    wanted, given = _BASE.search(gold), _BASE.search(answer)
    return bool(wanted and given and wanted[1] != given[1])


def _equal(gold: "_Parsed", answer: "_Parsed") -> bool:
    """One comparison; running out of memory or stack is ours to report, not to call wrong."""
    if gold.probe and answer.probe and gold.probe.is_far(answer.probe):
        return False
    if isinstance(gold.formula, str) != isinstance(answer.formula, str):
        # It compares no text with a formula.
        return False
    # Here, since it brings sympy: seconds that only the grader's worker should spend.
    from math_verify import verify

    try:
        return bool(verify(gold.formula, answer.formula, timeout_seconds=None, raise_on_error=True))
    except (MemoryError, RecursionError):
        raise
    except Exception:
        # Math-Verify's own answer where it cannot compare.
        return False


class _Parsed(NamedTuple):
    """What Math-Verify reads a text as.

    Attributes:
        formula: Of sympy's, or a text.
        probe: Its value, where it has one.
    """

    formula: object
    probe: Probe | None


def _parsed(text: str) -> tuple[_Parsed, ...]:
    """What Math-Verify reads ``text`` as.

    Raises:
        ValueError: Its parser fails.
    """
    parsed = _parsed_or_why_not(text)
    if isinstance(parsed, str):
        raise ValueError(parsed)
    return parsed


# As many as the answers of a piece of samples, which are compared with the gold and then with each
# other.
@lru_cache(maxsize=8192)
def _parsed_or_why_not(text: str) -> tuple[_Parsed, ...] | str:
    from math_verify import parse

    quicken_parser()
    try:
        formulas = parse(text, parsing_timeout=None, raise_on_error=True)
    except (MemoryError, RecursionError):
        # Of the machine or the stack below, not of the text alone.
        raise
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return tuple(_Parsed(formula, probe(formula)) for formula in formulas)


@lru_cache(maxsize=4096)
def _gold(gold: Gold) -> tuple[_Parsed, ...]:
    if gold.kind is GoldKind.LIST:
        text = f"${', '.join(_both_signs(_bare(spelled(each))) for each in gold.items)}$"
    else:
        text = _delimited(spelled(gold_text(gold)))
    parsed = _parsed(text)
    if not parsed:
        raise ValueError(f"Math-Verify cannot parse the gold {gold.text!r}")
    return parsed


def _bare(text: str) -> str:
    """``text`` without markup and delimiters around it, "and" and "or" as commas."""
    text = _BOLD.sub("", text).replace("**", "^").strip(" \t\n,;:").rstrip(".")
    text = LETTERS.sub(r"\1", _PAIRED.sub("", text))
    text = _CONJUNCTION.sub(", ", text.replace("\\$", "").replace("$", ""))
    text = _SCIENTIFIC.sub(r"\1 \\times 10^{\2}", in_digits(text))
    return _MIXED.sub(r"\1\\frac{\2}{\3}", text)


@lru_cache(maxsize=4096)
def _delimited(text: str) -> str:
    """``text`` so that Math-Verify sees all of it as one formula."""
    bare = _bare(text)
    bare = MODULO.sub("", bare) or bare
    return f"${_both_signs(WORD_TAIL.sub('', bare))}$"


def _both_signs(text: str) -> str:
    r"""Values with ``\pm`` as two values; it reads the sign between terms only."""
    if "\\pm" not in text and "\\mp" not in text:
        return text
    return ", ".join(value for part in split(text) for value in both_signs(part))
