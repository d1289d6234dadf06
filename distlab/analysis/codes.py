"""Verdicts as int8 codes, so that a million samples fit in a megabyte."""

from collections.abc import Mapping
from typing import Final

from distlab.scoring.types import Verdict

# No verdict stored: the sample was never drawn, or the grader does not apply to its problem.
MISSING: Final = -1
INCORRECT: Final = 0
CORRECT: Final = 1
NO_ANSWER: Final = 2
TIMEOUT: Final = 3
ERROR: Final = 4

CODES: Final[Mapping[Verdict, int]] = {
    Verdict.INCORRECT: INCORRECT,
    Verdict.CORRECT: CORRECT,
    Verdict.NO_ANSWER: NO_ANSWER,
    Verdict.TIMEOUT: TIMEOUT,
    Verdict.ERROR: ERROR,
}
