"""Standard: rule-based exact match on normalised text and numbers."""

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.graders._given import answers
from distlab.scoring.graders._guard import sized
from distlab.scoring.graders._match import same_body, same_items
from distlab.scoring.graders._text import golds
from distlab.scoring.graders._words import WORDED, judge_words
from distlab.scoring.graders.medcalc import MEDCALC_KINDS, judge


class Standard:
    r"""Exact match after normalising gold and answer alike, without any algebra (ours).

    The paper's "standard grader" is defined in nothing public; these are ours, in order:

    0. One spelling (``_spelling``): JSON's escapes, "Answer:", ordinals' ends and currencies go,
       also within a text box; ``\mathrm{i}`` is i, ``\sqrt(5)`` is ``\sqrt{5}``, "three and a
       half" is 7/2. What breaks off ("7 +") is no answer (``_given``).
    1. Characters: invisible ones (control, bidi, zero-width, surrogates) go; typographic ones
       (minus signs, π, √, ², ½, °) become ASCII or LaTeX; currency signs go.
    2. Markup goes: ``$``, ``\(``, ``\[``, ``**``, backticks, ``\boxed``; so do ``\left``,
       ``\right`` and all spacing macros, degree signs, and punctuation at the ends.
    3. Thousands separators go: ``1,234``, ``1{,}234``, ``1,\!234``, ``1\,234``.
    4. "and" and "or" become commas; commas outside brackets separate values. Where commas may
       be either, the answer matches in either reading.
    5. Of each value: ``x =`` and ``x \in`` in front go (two different names are unequal); units
       at the end go, as ``\text{ cm}^2`` or as words behind a number; ``\text{}`` is unwrapped.
    6. ``\dfrac`` and its kin are ``\frac``; ``\frac12`` is ``\frac{1}{2}``; mixed numbers become
       fractions; ``\frac{a}{b}`` becomes a/b; ``\sqrt2`` gets braces; white space goes.
    7. Values are equal where their texts are; where both are rational numbers (integers,
       decimals, fractions, powers of ten, per cent) of exactly the same value; or part by part:
       tuples and intervals in order and with the same brackets, matrices by cell, sets and
       unions in any order; words without case; times of day; sums in any order of terms.
       ``a \pm b`` is two values. A list of values matches in any order.

    There is no tolerance, no rounding, no ratio: 7 is not 700, 0.333 is not 1/3, (2,5) is not
    [2,5). For MedCalc golds the dataset's own rule is used (see ``graders.medcalc``). A choice is
    its letter or its text, and golds in words are equal without case, blanks, markup, punctuation
    at the ends and an article in front (see ``_words``).
    """

    name = "standard"
    version = "5"

    def applies(self, kind: GoldKind) -> bool:
        """Every kind."""
        return True

    def grade(self, gold: Gold, answer: str) -> bool:
        """Whether ``answer`` equals ``gold``.

        Raises:
            AnswerRefusedError: ``answer`` is too long or too deep to parse.
        """
        if gold.kind in MEDCALC_KINDS:
            return judge(gold, answer)
        if answer == gold.text:
            return True
        fit = sized(answer, gold.text)
        if fit is None:
            return False
        if gold.kind in WORDED:
            return judge_words(gold, fit)
        given = answers(fit, gold)
        return any(same_items(want, have, same_body) for want in golds(gold) for have in given)
