"""What a prompt says about the answer: the one place that words it (all ours).

Published datasets are asked as their golds ask for; any other by the kinds that its golds are of.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from distlab.problems.problem import GoldKind


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """How a dataset's answers are asked for and stated.

    Attributes:
        kind: What the answers are, as a style's instructions are named by it.
        instruction: Follows the question in a chain-of-thought prompt.
        request: Of the instruction, what it says of the answer's form.
        sentence: States an exemplar's answer; ``{answer}`` stands for it.
    """

    kind: str
    instruction: str
    request: str
    sentence: str


_NUMBER = AnswerForm(
    kind="number",
    instruction='Think step by step, then end with "The answer is N.", '
    "where N is the number alone, without units.",
    request='End with "The answer is N.", where N is the number alone, without units.',
    sentence="The answer is {answer}.",
)
_LATEX = AnswerForm(
    kind="latex",
    instruction="Think step by step, and put your final answer within \\boxed{}.",
    request="Put your final answer within \\boxed{}.",
    sentence="The answer is $\\boxed{{{answer}}}$.",
)
_MEDCALC = AnswerForm(
    kind="mixed",
    instruction='Think step by step, then end with "The answer is X.", where X is the value '
    'alone: a number without units, a date as MM/DD/YYYY, or "(W weeks, D days)".',
    request='End with "The answer is X.", where X is the value alone: a number without units, a '
    'date as MM/DD/YYYY, or "(W weeks, D days)".',
    sentence="The answer is {answer}.",
)
_CHOICE = AnswerForm(
    kind="choice",
    instruction='Think step by step, then end with "The answer is X.", where X is the letter of '
    "the right choice alone.",
    request='End with "The answer is X.", where X is the letter of the right choice alone.',
    sentence="The answer is {answer}.",
)
_DATE = AnswerForm(
    kind="date",
    instruction='Think step by step, then end with "The answer is X.", where X is the date as '
    "MM/DD/YYYY.",
    request='End with "The answer is X.", where X is the date as MM/DD/YYYY.',
    sentence="The answer is {answer}.",
)
_ANY = AnswerForm(
    kind="text",
    instruction='Think step by step, then end with "The answer is X.", where X is the answer '
    "alone, in as few words as it takes.",
    request='End with "The answer is X.", where X is the answer alone, in as few words as it '
    "takes.",
    sentence="The answer is {answer}.",
)
# What a style's instructions may be named by; "mixed" are numbers beside dates and spans.
FORM_KINDS: Final = tuple(form.kind for form in (_NUMBER, _LATEX, _CHOICE, _DATE, _ANY, _MEDCALC))
_FORMS: Mapping[str, AnswerForm] = {
    "gsm8k": _NUMBER,
    "arithmetic": _NUMBER,
    "gsm-symbolic": _NUMBER,
    "math": _LATEX,
    "math-500": _LATEX,
    "math-perturb-simple": _LATEX,
    "math-perturb-hard": _LATEX,
    "medcalc": _MEDCALC,
}
# The first that takes all kinds of a dataset's golds.
_BY_KINDS: tuple[tuple[frozenset[GoldKind], AnswerForm], ...] = (
    (frozenset({GoldKind.NUMBER, GoldKind.INTEGER, GoldKind.INTERVAL}), _NUMBER),
    (frozenset({GoldKind.CHOICE}), _CHOICE),
    (frozenset({GoldKind.DATE}), _DATE),
    (frozenset({GoldKind.NUMBER, GoldKind.LATEX, GoldKind.LIST}), _LATEX),
    (
        frozenset(set(GoldKind) - {GoldKind.LATEX, GoldKind.LIST, GoldKind.CHOICE, GoldKind.TEXT}),
        _MEDCALC,
    ),
)


def answer_form(dataset: str, kinds: Iterable[GoldKind] = ()) -> AnswerForm:
    """How the answers of a dataset are asked for.

    Args:
        dataset: Its name, as in ``conf/dataset``.
        kinds: Those of its golds. All problems are asked alike, so that no prompt gives away
            what its own answer looks like.
    """
    if dataset in _FORMS:
        return _FORMS[dataset]
    found = frozenset(kinds)
    return next((form for known, form in _BY_KINDS if found <= known), _ANY)
