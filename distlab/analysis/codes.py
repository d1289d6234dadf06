"""Verdicts as int8 codes, so that a million samples fit in a megabyte; the table is scoring's."""

from typing import Final

from distlab.scoring.types import CODES, NO_VERDICT, Verdict

# No verdict stored: the sample was never drawn, or the grader does not apply to its problem.
MISSING: Final = NO_VERDICT
CORRECT: Final = CODES[Verdict.CORRECT]
INCORRECT: Final = CODES[Verdict.INCORRECT]
NO_ANSWER: Final = CODES[Verdict.NO_ANSWER]
TIMEOUT: Final = CODES[Verdict.TIMEOUT]
ERROR: Final = CODES[Verdict.ERROR]
