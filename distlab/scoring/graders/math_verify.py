"""MathVerify: equality as Hugging Face's Math-Verify judges it."""

import logging
import re
from functools import lru_cache

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.graders._algebra import quicken_parser
from distlab.scoring.graders._guard import AnswerRefusedError, check_cost, check_size
from distlab.scoring.graders._text import (
    BOLD,
    LETTERS,
    MODULO,
    WORD_TAIL,
    in_digits,
    joined_groups,
    spelled,
)

# It warns that its own time-outs are off; ours is a process, which also ends C code.
logging.getLogger("math_verify").setLevel(logging.ERROR)

_KINDS = frozenset({GoldKind.NUMBER, GoldKind.LATEX, GoldKind.LIST})
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")
_PAIRED = re.compile(r"(?<!\\)\\[()\[\]]")
_CONJUNCTION = re.compile(
    r"\s*,?\s*\\(?:text|mbox)\s*\{\s*(?:,?\s*(?:and|or)\s*,?|,)\s*\}\s*|\s*,?\s+(?:and|or)\s+"
)
_MIXED = re.compile(r"(?<![\w.}])([0-9]+)\s([0-9]+)/([0-9]+)(?![\w/])")
_SCIENTIFIC = re.compile(
    r"(?<![\w.])([0-9]{1,15}(?:\.[0-9]{1,15})?)"
    r"(?:[eE]|\s?(?:x|\*)\s?10(?:\^|\*\*))\{?(-?[0-9]{1,3})\}?(?![\w.])"
)
_BASE = re.compile(r"[0-9A-F]_\s?\{?\s?([0-9]{1,2})(?![0-9])")
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
    version = "2"
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
        check_size(answer)
        text = spelled(answer)
        text = _delimited(text if gold.kind is GoldKind.LIST else joined_groups(text))
        try:
            check_cost(text)
        except AnswerRefusedError:
            # What is written like the gold needs no algebra.
            if text == _delimited(spelled(gold.text)):
                return True
            raise
        if _other_base(gold.text, text):
            return False
        wanted, given = _gold(gold), _parsed(text)
        return any(_equal(want, have) for want in wanted for have in given)


def _other_base(gold: str, answer: str) -> bool:
    """Whether both say their base and the bases differ, which Math-Verify does not read."""
    wanted, given = _BASE.search(gold), _BASE.search(answer)
    return bool(wanted and given and wanted[1] != given[1])


def _equal(gold: object, answer: object) -> bool:
    """One comparison; running out of memory or stack is ours to report, not to call wrong."""
    # Here, since it brings sympy: seconds that only the grader's worker should spend.
    from math_verify import verify

    try:
        return bool(verify(gold, answer, timeout_seconds=None, raise_on_error=True))
    except (MemoryError, RecursionError):
        raise
    except Exception:
        # Math-Verify's own answer where it cannot compare.
        return False


def _parsed(text: str) -> list[object]:
    from math_verify import parse

    quicken_parser()
    return list(parse(text, parsing_timeout=None, raise_on_error=True))


@lru_cache(maxsize=4096)
def _gold(gold: Gold) -> tuple[object, ...]:
    if gold.kind is GoldKind.LIST:
        text = f"${', '.join(_bare(spelled(each)) for each in gold.items)}$"
    else:
        text = _delimited(spelled(gold.text))
    parsed = tuple(_parsed(text))
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


def _delimited(text: str) -> str:
    """``text`` so that Math-Verify sees all of it as one formula."""
    bare = _bare(text)
    bare = MODULO.sub("", bare) or bare
    return f"${WORD_TAIL.sub('', bare)}$"
