import math

import numpy as np
import pytest

from distlab.analysis.reruns import reruns


def test_a_figure_over_runs_is_paired_by_problem() -> None:
    scores = np.array([[1.0, 0.0, 1.0, np.nan], [0.0, 0.0, 1.0, 1.0]])
    found = reruns(scores)
    assert found.problems == 3
    assert [figure.value for figure in found.figures] == pytest.approx([2 / 3, 1 / 3])
    assert (found.lowest, found.highest) == pytest.approx((1 / 3, 2 / 3))
    assert found.pooled.value == pytest.approx(0.5)
    assert [each.value for each in found.differences] == pytest.approx([-1 / 3])
    # One problem of three has a variance of a half.
    assert found.deviation.value == pytest.approx(math.sqrt(0.5 / 3 / 3))


def test_runs_that_are_alike_do_not_move() -> None:
    found = reruns(np.array([[1.0, 0.0, 1.0]] * 3))
    assert found.deviation.value == 0
    assert [each.value for each in found.differences] == [0, 0, 0]


def test_without_a_common_problem_there_is_nothing() -> None:
    found = reruns(np.array([[1.0, np.nan], [np.nan, 0.0]]))
    assert found.problems == 0
    assert math.isnan(found.deviation.value)
    assert math.isnan(found.pooled.value)


@pytest.mark.parametrize("shared", [False, True])
def test_the_deviation_is_that_of_runs_and_its_interval_covers(shared: bool) -> None:
    rng = np.random.default_rng(5)
    chances = rng.beta(0.5, 0.5, 300)
    true = math.sqrt((chances * (1 - chances)).mean() / 300)
    sources = np.repeat(np.arange(60), 5) if shared else None
    covered, runs = [], []
    for _ in range(120):
        scores = (rng.random((3, 300)) < chances).astype(np.float64)
        found = reruns(scores, sources).deviation
        covered.append(found.low <= true <= found.high)
        runs += [figure.mean() for figure in scores]
    assert np.std(runs, ddof=1) == pytest.approx(true, rel=0.15)
    assert np.mean(covered) > 0.9
