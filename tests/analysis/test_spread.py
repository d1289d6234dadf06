import math

import numpy as np
import pytest

from distlab.analysis.spread import spread


def test_figures_over_settings_by_hand() -> None:
    scores = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, np.nan]])
    found = spread(scores)
    assert found.problems == 3
    assert found.means == pytest.approx([1 / 3, 2 / 3, 1, 1])
    assert (found.lowest, found.highest) == (found.means[0], 1)
    assert found.median == pytest.approx(5 / 6)
    assert found.deviation == pytest.approx(float(np.std(found.means, ddof=1)))
    differences = [each.value for each in found.differences]
    assert differences == pytest.approx([1 / 3, 2 / 3, 2 / 3, 1 / 3, 1 / 3, 0])


def test_settings_of_one_truth_are_rarely_told_apart() -> None:
    rng = np.random.default_rng(0)
    found = [spread((rng.random((5, 30)) < 0.05).astype(float)).differences for _ in range(60)]
    told = sum(len(each) * min(one.p for one in each) < 0.05 for each in found)
    assert told <= 6


def test_a_gap_leads_where_it_is_above_zero() -> None:
    assert spread(np.array([[1.0, 0], [-1, 0], [0, 0], [1, 1]])).above_zero == 0.5


def test_without_a_problem_in_common_there_is_no_figure() -> None:
    found = spread(np.array([[1, np.nan], [np.nan, 1]]))
    assert found.problems == 0
    assert math.isnan(found.lowest)
    assert all(math.isnan(each.p) for each in found.differences)
