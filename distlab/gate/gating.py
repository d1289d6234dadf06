"""Is B no worse than A by more than a margin? Each answer is the rejection of its contrary."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from distlab.analysis.claims import ALPHA
from distlab.analysis.gaps import holm
from distlab.compare.comparison import Comparison, DifferenceRow
from distlab.errors import UserError
from distlab.report.wording import judge_name


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


def as_json(comparison: Comparison, found: Sequence[Gated], score: str, margin: float) -> str:
    """What a gate found as one JSON object; differences and margin are percentage points, B - A.

    Args:
        comparison: Of two sides.
        found: Its comparisons, held against the margin.
        score: Which score they are of.
        margin: How much worse B may be, as a share.
    """
    said = {
        "outcome": together(found),
        "first": comparison.first,
        "second": comparison.second,
        "score": score,
        "no_worse_than": 100 * margin,
        "comparisons": [_record(each) for each in found],
        "notes": [*comparison.pairing, *comparison.cannot],
    }
    return json.dumps(said, indent=2)


def _record(each: Gated) -> dict[str, object]:
    row, difference = each.row, each.row.gap.difference.estimate
    return {
        "outcome": each.outcome,
        "family": row.cell.family,
        "arm": row.cell.arm,
        "dataset": row.cell.dataset,
        "prompt": row.cell.prompt,
        "judge": judge_name(row.judge),
        "problems": row.gap.problems,
        "difference": _points(difference.value),
        "difference_low": _points(difference.low),
        "difference_high": _points(difference.high),
        "no_worse_p": _finite(each.no_worse),
        "worse_p": _finite(each.worse),
    }


def _points(share: float) -> float | None:
    return _finite(100 * share)


def _finite(value: float) -> float | None:
    """A number as JSON can hold it: null where the data give none."""
    return float(value) if math.isfinite(value) else None
