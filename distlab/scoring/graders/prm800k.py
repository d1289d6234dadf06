"""PRM800K: normalised match or symbolic equality, strict on form."""

import re
from functools import lru_cache

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.graders._algebra import quicken_parser
from distlab.scoring.graders._given import answers
from distlab.scoring.graders._guard import check_cost, sized
from distlab.scoring.graders._match import (
    same_based,
    same_items,
    same_numbers,
    same_structure,
    same_time,
    same_words,
)
from distlab.scoring.graders._text import golds

_KINDS = frozenset({GoldKind.NUMBER, GoldKind.LATEX, GoldKind.LIST})
_FRACTION = re.compile(r"(?<![0-9])-?\(?-?[0-9]+\)?/\(?[0-9]+\)?")
_INTEGER = re.compile(r"-?[0-9]+(?:\.0*)?")
_MACRO = re.compile(r"\\[A-Za-z]+")
_BASED = re.compile(r"[0-9]_")
_WORD = re.compile(r"[A-Za-z]{3}")
_MAX_DEPTH = 6


class PRM800K:
    r"""In the manner of the grader that PRM800K describes (Lightman et al., arXiv 2305.20050).

    Written anew after its description: "the normalised strings match, or sympy simplifies the
    difference to zero", with its strictness on form. In order:

    1. Gold and answer are normalised as in ``Standard``, steps 1 to 6; a per cent sign is a unit.
    2. Tuples, intervals and matrices match part by part, with the same brackets and as many
       parts; sets and lists in any order (the order of a list is ours).
    3. A part matches where its text does.
    4. Where both are fractions of integers they must be written alike: 2/4 is not 1/2.
    5. An integer matches an integer alone: 4/2 and 2^3 are not 2 and 8.
    6. Else, but for words, the two are equal if sympy simplifies their difference to zero.
    """

    name = "prm800k"
    version = "5"
    cached = True

    def applies(self, kind: GoldKind) -> bool:
        """Numbers, LaTeX and lists; it knows no dates and no limits."""
        return kind in _KINDS

    def grade(self, gold: Gold, answer: str) -> bool:
        """Whether ``answer`` equals ``gold`` in value and form.

        Raises:
            AnswerRefusedError: ``answer`` is more than computer algebra should be given.
        """
        fit = sized(answer, gold.text)
        if fit is None:
            return False
        given = answers(fit, gold)
        return any(same_items(want, have, _same) for want in golds(gold) for have in given)


def _same(gold: str, answer: str, depth: int = 0) -> bool:
    gold, answer = _unsigned(gold), _unsigned(answer)
    if gold == answer:
        return True
    if depth > _MAX_DEPTH:
        return False
    structured = same_structure(gold, answer, lambda one, two: _same(one, two, depth + 1))
    if structured is not None:
        return structured
    based = same_based(gold, answer)
    if based is not None:
        return based
    if "\\overline" in gold + answer:
        return bool(same_numbers(gold, answer))
    if _FRACTION.fullmatch(gold) and _FRACTION.fullmatch(answer):
        return False
    whole = _INTEGER.fullmatch(gold), _INTEGER.fullmatch(answer)
    if all(whole):
        return int(gold.partition(".")[0]) == int(answer.partition(".")[0])
    if same_time(gold, answer):
        return True
    if any(whole):
        return False
    return same_words(gold, answer) or _same_algebra(gold, answer)


def _unsigned(body: str) -> str:
    return body.removesuffix("%").removesuffix("\\")


def _same_algebra(gold: str, answer: str) -> bool:
    if any(_WORD.search(_MACRO.sub(" ", body)) for body in (gold, answer)):
        # Letters would be read as a product: "east" would equal "seat".
        return False
    if _BASED.search(gold) or _BASED.search(answer):
        # sympy's parser drops the base.
        return False
    if gold.casefold() == answer.casefold():
        # sympy's parser would not tell B from b.
        return False
    check_cost(answer)
    # Here, since they take seconds that only the grader's worker should spend.
    from sympy import Expr, simplify

    one, two = _expression(gold), _expression(answer)
    if not isinstance(one, Expr) or not isinstance(two, Expr):
        return False
    return bool(simplify(one - two) == 0)


@lru_cache(maxsize=256)
def _expression(body: str) -> object:
    """The sympy expression that ``body`` writes, or None where it writes none."""
    from latex2sympy2_extended import latex2sympy

    quicken_parser()
    try:
        return latex2sympy(body, is_real=False, convert_degrees=False, normalization_config=None)
    except (MemoryError, RecursionError):
        raise
    except Exception:
        # The parser has no error class of its own.
        return None
