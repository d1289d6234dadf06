from itertools import combinations
from math import comb

import numpy as np
import pytest

from distlab.analysis.passk import iid_curve, ranked_curve


def test_no_problems() -> None:
    empty = np.zeros(0, dtype=np.int64)
    assert iid_curve(empty, empty, 5).shape == (0, 5)
    assert ranked_curve(np.zeros((0, 3), bool), np.zeros((0, 3), bool)).shape == (0, 3)


def test_nan_where_fewer_samples_than_k() -> None:
    curve = iid_curve(np.array([2, 0]), np.array([2, 0]), 4)
    np.testing.assert_array_equal(curve[0], [1, 1, np.nan, np.nan])
    assert np.isnan(curve[1]).all()


@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_closed_form(n: int) -> None:
    correct = np.arange(n + 1)
    curve = iid_curve(np.full(n + 1, n), correct, n)
    for c in correct:
        expected = [1 - comb(n - c, k) / comb(n, k) for k in range(1, n + 1)]
        np.testing.assert_allclose(curve[c], expected, atol=1e-12)


def test_is_the_mean_over_all_subsets() -> None:
    correct = [1, 0, 0, 1, 0]
    subsets = list(combinations(correct, 3))
    expected = sum(any(subset) for subset in subsets) / len(subsets)
    assert iid_curve(np.array([5]), np.array([2]), 3)[0, 2] == pytest.approx(expected)


def test_k_equal_n_is_any_correct() -> None:
    curve = iid_curve(np.full(3, 20), np.array([0, 1, 20]), 20)
    np.testing.assert_array_equal(curve[:, -1], [0, 1, 1])


def test_rank_prefix_is_not_the_estimator() -> None:
    correct = np.array([[False, False, True, False]])
    present = np.ones_like(correct)
    np.testing.assert_array_equal(ranked_curve(correct, present), [[0, 0, 1, 1]])
    assert iid_curve(np.array([4]), np.array([1]), 4)[0, 0] == 0.25


def test_rank_prefix_ends_at_the_first_absent_branch() -> None:
    correct = np.array([[True, False, True]])
    present = np.array([[True, False, True]])
    np.testing.assert_array_equal(ranked_curve(correct, present), [[1, np.nan, np.nan]])
