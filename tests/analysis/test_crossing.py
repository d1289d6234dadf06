import math

import numpy as np
import pytest

from distlab.analysis.crossing import at_cost, crossing, sample_counts
from distlab.analysis.passk import iid_curve


def test_an_arm_that_leads_early_and_loses_late() -> None:
    """100 problems; the second arm solves 80 always, the first 100 in one draw of two."""
    first = np.tile([0.5, 0.75, 1.0], (100, 1))
    second = np.repeat(np.arange(100) < 80, 3).reshape(100, 3).astype(float)
    found = crossing((1, 2, 4), first, second)
    assert [d.value for d in found.differences] == pytest.approx([0.3, 0.05, -0.2])
    assert found.at.value == pytest.approx(2 + 2 * 0.05 / 0.25)
    # At k = 2 zero is not rejected, at both ends it is.
    assert (found.at.low, found.at.high) == (1, 4)
    assert (found.early.direction, found.late.direction) == (1, -1)


def test_a_crossing_may_lie_beyond_the_last_k() -> None:
    first = np.zeros((20, 2))
    second = np.zeros((20, 2))
    second[:8, 0], second[8, 1], first[:3, 1] = 1, 1, 1
    found = crossing((1, 2), first, second)
    assert 1 < found.at.value < 2
    assert (found.at.low, found.at.high) == (1, math.inf)


def test_curves_that_do_not_cross() -> None:
    found = crossing((1, 2), np.zeros((5, 2)), np.ones((5, 2)))
    assert math.isnan(found.at.value)


@pytest.mark.parametrize(
    ("differences", "at"),
    [
        ((0.0, 0.5, 1.0), math.nan),
        ((0.5, 0.0, 1.0), math.nan),
        ((0.5, 0.0, 0.0), math.nan),
        ((0.5, 0.0, -1.0), 2.0),
        ((-0.5, 0.5, 0.0), 1.5),
    ],
)
def test_curves_that_meet_cross_where_the_leader_changes(
    differences: tuple[float, ...], at: float
) -> None:
    found = crossing((1, 2, 3), np.zeros((6, 3)), np.tile(differences, (6, 1)))
    assert found.at.value == pytest.approx(at, nan_ok=True)


def test_problems_without_a_score_are_left_out() -> None:
    first, second = np.zeros((4, 1)), np.ones((4, 1))
    second[3] = np.nan
    assert crossing((1,), first, second).early.value == 1


def test_shared_sources_count_once() -> None:
    rng = np.random.default_rng(0)
    sources = np.repeat(np.arange(10), 10)
    second = np.repeat(rng.random(10) < 0.7, 10).astype(float)[:, None]
    alone = crossing((1,), np.zeros((100, 1)), second).early
    shared = crossing((1,), np.zeros((100, 1)), second, sources).early
    assert shared.error > 2 * alone.error


@pytest.mark.parametrize(
    ("most", "counts"),
    [(1, (1,)), (4, (1, 2, 3, 4)), (20, (1, 2, 3, 4, 6, 8, 12, 16, 20)), (5, (1, 2, 3, 4, 5))],
)
def test_the_k_that_are_compared(most: int, counts: tuple[int, ...]) -> None:
    assert sample_counts(most) == counts


def test_scores_at_a_budget() -> None:
    curve = np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
    cost = np.array([[10.0, 20.0, 30.0], [10.0, 20.0, 30.0]])
    assert at_cost(curve, cost, (10, 15, 30)).mean(axis=0) == pytest.approx([0, 0.25, 1])


def test_what_has_no_score_or_cost_has_none_at_a_budget() -> None:
    curve = np.array([[0.0, 1.0], [np.nan, np.nan], [0.0, 1.0]])
    cost = np.array([[1.0, 2.0], [1.0, 2.0], [np.nan, np.nan]])
    assert np.isnan(at_cost(curve, cost, (2,))[:, 0]).tolist() == [False, True, True]


def test_the_error_at_a_budget_is_that_of_new_problems() -> None:
    """Against redrawing the whole study: what a cost that is only estimated adds is there."""
    rng = np.random.default_rng(1)

    def study() -> tuple[float, float]:
        ease = rng.random(200)
        solved = rng.binomial(4, ease)
        curve = iid_curve(np.full(200, 4), solved, 4)
        # Hard problems cost more.
        cost = (200 - 150 * ease)[:, None] * np.arange(1, 5)
        values = at_cost(curve, cost, (250,))[:, 0]
        return float(values.mean()), float(values.std(ddof=1) / math.sqrt(200))

    drawn = np.array([study() for _ in range(400)])
    assert drawn[:, 1].mean() == pytest.approx(drawn[:, 0].std(ddof=1), rel=0.12)
