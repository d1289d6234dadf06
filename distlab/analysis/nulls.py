"""Null models: what Pass@k gives to arms that list answers instead of working them out."""

from typing import Final

import numpy as np
import numpy.typing as npt

from distlab.analysis.answers import NONE
from distlab.analysis.arrays import BoolArray, FloatArray, IntArray

# A branch shows reasoning where this many characters of its text stand before the answer (ours):
# more than "The answer is $\\boxed{" and its kin, less than one written step.
REASONING_CHARACTERS: Final = 40


def any_correct(correct: BoolArray) -> FloatArray:
    """Pass@k of k given answers per problem.

    Args:
        correct: [problems, k].

    Returns:
        [problems] of 0 or 1.
    """
    return np.asarray(correct.any(axis=1), dtype=np.float64)


def reasons(answers: IntArray, starts: npt.ArrayLike) -> BoolArray:
    """Samples whose text shows some reasoning before the answer.

    Args:
        answers: [problems, n] codes.
        starts: [problems, n] offset of the answer in the sample's text, in characters.

    Returns:
        [problems, n]; False where there is no answer.
    """
    late = np.asarray(starts) >= REASONING_CHARACTERS
    return np.asarray((answers != NONE) & late, dtype=np.bool_)
