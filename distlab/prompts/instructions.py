"""What a prompt says about the answer, per dataset: the one place that words it (all ours)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """How a dataset's answers are asked for and stated.

    Attributes:
        instruction: Follows the question in a chain-of-thought prompt.
        request: Of the instruction, what it says of the answer's form.
        sentence: States an exemplar's answer; ``{answer}`` stands for it.
    """

    instruction: str
    request: str
    sentence: str


_NUMBER = AnswerForm(
    instruction='Think step by step, then end with "The answer is N.", '
    "where N is the number alone, without units.",
    request='End with "The answer is N.", where N is the number alone, without units.',
    sentence="The answer is {answer}.",
)
_LATEX = AnswerForm(
    instruction="Think step by step, and put your final answer within \\boxed{}.",
    request="Put your final answer within \\boxed{}.",
    sentence="The answer is $\\boxed{{{answer}}}$.",
)
_MEDCALC = AnswerForm(
    instruction='Think step by step, then end with "The answer is X.", where X is the value '
    'alone: a number without units, a date as MM/DD/YYYY, or "(W weeks, D days)".',
    request='End with "The answer is X.", where X is the value alone: a number without units, a '
    'date as MM/DD/YYYY, or "(W weeks, D days)".',
    sentence="The answer is {answer}.",
)
# Datasets that a user adds are asked like the arithmetic ones.
_DEFAULT = _NUMBER
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


def answer_form(dataset: str) -> AnswerForm:
    """The form of a dataset, by its name in ``conf/dataset``."""
    return _FORMS.get(dataset, _DEFAULT)
