"""Is B no worse than A by more than a margin? Each answer is the rejection of its contrary."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from distlab.analysis.claims import ALPHA
from distlab.analysis.gaps import holm
from distlab.compare.comparison import Comparison, DifferenceRow
from distlab.errors import UserError


class Outcome(StrEnum):
    """What a gate says."""

    PASS = "pass"
    FAIL = "fail"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Gated:
    """One comparison of a gate.

    Attributes:
        row: What is compared.
        outcome: What can be said of it.
        no_worse: The one-sided p of "B is worse by the margin or more".
        worse: The one-sided p of "B is worse by no more than the margin", after Holm over the gate.
    """

    row: DifferenceRow
    outcome: Outcome
    no_worse: float
    worse: float


def gated(comparison: Comparison, score: str, margin: float) -> tuple[Gated, ...]:
    """Hold each comparison of one score against a margin.

    Args:
        comparison: Of two sides.
        score: Which score, as "pass@1".
        margin: How much worse B may be, as a share.

    Raises:
        UserError: There is no such score.
    """
    rows = [row for row in comparison.differences if row.metric == score]
    if not rows:
        there = ", ".join(dict.fromkeys(row.metric for row in comparison.differences))
        raise UserError(f"--score {score} cannot be compared here: name one of {there}")
    no_worse = [row.gap.difference.above(-margin) for row in rows]
    worse = holm([row.gap.difference.below(-margin) for row in rows])
    return tuple(
        Gated(row, _outcome(passed, float(failed)), passed, float(failed))
        for row, passed, failed in zip(rows, no_worse, worse, strict=True)
    )


def _outcome(no_worse: float, worse: float) -> Outcome:
    if worse < ALPHA:
        return Outcome.FAIL
    return Outcome.PASS if no_worse < ALPHA else Outcome.CANNOT_TELL


def together(found: Sequence[Gated]) -> Outcome:
    """What a gate says of all: pass where all do, fail where one does.

    That all pass is an intersection-union test, whose level needs no adjustment (Berger 1982).
    """
    outcomes = {each.outcome for each in found}
    if Outcome.FAIL in outcomes:
        return Outcome.FAIL
    return Outcome.PASS if outcomes == {Outcome.PASS} else Outcome.CANNOT_TELL
