"""Golden answers of every form of claim: yes, no and cannot tell."""

import math
from dataclasses import replace

import numpy as np
import pytest

from distlab.analysis.claims import (
    ALPHA,
    Answer,
    Claim,
    Explanation,
    Kind,
    any_differs,
    decide,
    differs,
    exceeds,
    explains,
    replicates,
    turns,
)
from distlab.analysis.contrasts import Contrast
from distlab.analysis.estimate import Estimate


def figure(value: float, error: float) -> Contrast:
    """A figure with normal errors."""
    nowhere = Estimate(value, math.nan, math.nan)
    found = Contrast(nowhere, nowhere, error, math.inf, math.nan)
    return replace(found, p=math.erfc(abs(value) / error / math.sqrt(2)))


def answer(claim: Claim) -> Answer:
    return decide([claim]).of(claim.kind, claim.key).answer


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        (0.2, 0.02, Answer.YES),
        (0.0, 0.01, Answer.NO),
        (0.04, 0.03, Answer.CANNOT_TELL),
        # There, and within the margin: it is there.
        (0.02, 0.005, Answer.YES),
    ],
)
def test_a_difference(value: float, error: float, expected: Answer) -> None:
    assert answer(differs(Kind.GAP, 0, "", figure(value, error), 0.05)) is expected


@pytest.mark.parametrize(
    ("values", "error", "expected"),
    [
        ((0.0, 0.2, 0.0), 0.02, Answer.YES),
        ((0.0, 0.01, 0.0), 0.01, Answer.NO),
        ((0.0, 0.04, 0.0), 0.02, Answer.CANNOT_TELL),
    ],
)
def test_any_of_several_differences(
    values: tuple[float, ...], error: float, expected: Answer
) -> None:
    found = [figure(value, error) for value in values]
    assert answer(any_differs(Kind.JUDGES, 0, "", found, 0.05)) is expected


@pytest.mark.parametrize(
    ("explained", "rest", "error", "expected"),
    [
        (0.2, 0.0, 0.02, Answer.YES),
        (0.0, 0.2, 0.02, Answer.NO),
        (0.1, 0.1, 0.02, Answer.NO),
        # The rest is not told from zero, which is no sign that it is small.
        (0.1, 0.05, 0.04, Answer.CANNOT_TELL),
        # The rest is small, and the explained part is not there.
        (0.01, 0.0, 0.02, Answer.CANNOT_TELL),
        # It makes more than the whole gap, the other way.
        (-0.2, 0.0, 0.02, Answer.YES),
    ],
)
def test_explaining_away(explained: float, rest: float, error: float, expected: Answer) -> None:
    parts = Explanation(
        figure(explained + rest, error), figure(explained, error), figure(rest, error)
    )
    assert answer(explains(Kind.DECODING_EXPLAINS, 0, "", parts, 0.05)) is expected


def test_what_works_against_the_gap_explains_none_of_it() -> None:
    parts = Explanation(figure(0.02, 0.001), figure(-0.01, 0.001), figure(0.03, 0.001))
    assert explains(Kind.DECODING_EXPLAINS, 0, "", parts, 0.05).yes == 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.2, -0.2), Answer.YES),
        ((0.2, 0.1), Answer.NO),
        ((0.2, 0.0), Answer.CANNOT_TELL),
        ((0.2, -0.02), Answer.CANNOT_TELL),
        ((0.2, 0.15, -0.1), Answer.YES),
    ],
)
def test_turning(values: tuple[float, ...], expected: Answer) -> None:
    found = [figure(value, 0.02) for value in values]
    assert answer(turns(Kind.SCORES, 0, "", found)) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.2, Answer.YES), (-0.2, Answer.NO), (0.01, Answer.CANNOT_TELL)],
)
def test_exceeding(value: float, expected: Answer) -> None:
    assert answer(exceeds(Kind.BEYOND_NULL, 0, "", figure(value, 0.02))) is expected


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        (0.01, 0.03, Answer.YES),
        (0.2, 0.03, Answer.NO),
        (0.03, 0.06, Answer.CANNOT_TELL),
    ],
)
def test_replicating(value: float, error: float, expected: Answer) -> None:
    assert answer(replicates(0, "", figure(value, error), 0.10)) is expected


def test_one_family_asserts_less_than_each_claim_alone() -> None:
    claims = [Claim(Kind.GAP, place, "", p, 1.0) for place, p in enumerate((0.001, 0.02, 0.04))]
    family = decide(claims)
    assert family.tests == 6
    answers = [family.of(Kind.GAP, place).answer for place in range(3)]
    assert answers == [Answer.YES, Answer.CANNOT_TELL, Answer.CANNOT_TELL]
    assert family.of(Kind.GAP, 1).alone
    assert family.level == ALPHA / 5


def test_tests_that_are_not_made_do_not_count() -> None:
    family = decide([Claim(Kind.GAP, 0, "", 0.04, np.nan), Claim(Kind.GAP, 1, "", np.nan, np.nan)])
    assert family.tests == 1
    assert family.of(Kind.GAP, 0).answer is Answer.YES
    assert family.of(Kind.GAP, 1).answer is Answer.CANNOT_TELL
    assert family.find(Kind.PART, 0) is None
