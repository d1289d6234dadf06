import numpy as np
import pytest
from scipy import optimize

from distlab.analysis.scale import gap_trend, size_groups

LINEAGES = ("a", "b", "c", "d")


def test_a_line_is_found() -> None:
    parameters = np.array([1e9, 1e10, 1e11, 1e12])
    gaps = 0.1 - 0.1 * (np.log10(parameters) - 9)
    trend = gap_trend(parameters, gaps, np.full(4, 0.01), LINEAGES)
    assert (trend.families, trend.lineages, trend.scatter) == (4, 4, 0)
    assert trend.slope.value == pytest.approx(-0.1)
    assert trend.slope.estimate.high < 0
    assert trend.crossing == pytest.approx(1e10)
    without = gap_trend(parameters, gaps, np.array([0.01, 0.01, 0.01, np.nan]), LINEAGES)
    assert (without.smallest, without.largest) == (1e9, 1e11)


def test_scatter_brings_the_residuals_to_their_mean() -> None:
    rng = np.random.default_rng(0)
    parameters, errors = 10 ** rng.uniform(8, 12, 9), rng.uniform(0.01, 0.05, 9)
    gaps = rng.normal(scale=0.2, size=9)
    trend = gap_trend(parameters, gaps, errors, [str(place) for place in range(9)])

    def excess(variance: float) -> float:
        weights = 1 / (errors**2 + variance)
        slope, height = np.polyfit(np.log10(parameters), gaps, 1, w=np.sqrt(weights))
        residuals = gaps - height - slope * np.log10(parameters)
        return float((weights * residuals**2).sum()) - 7

    assert trend.scatter**2 == pytest.approx(optimize.brentq(excess, 0, 1), rel=1e-3)


def test_sizes_of_one_lineage_are_not_independent() -> None:
    rng = np.random.default_rng(1)
    parameters = 10 ** rng.uniform(8, 12, 6)
    gaps = rng.normal(scale=0.1, size=6)
    alone = gap_trend(parameters, gaps, np.full(6, 0.02), list("abcdef"))
    series = gap_trend(parameters, gaps, np.full(6, 0.02), list("aaabbc"))
    assert series.slope.freedom == 1
    width = alone.slope.estimate.high - alone.slope.estimate.low
    assert series.slope.estimate.high - series.slope.estimate.low > 2 * width


def test_too_little() -> None:
    two = gap_trend(np.array([1e9, 1e10]), np.array([0.1, 0.2]), np.array([0.1, 0.1]), ("a", "b"))
    assert np.isnan(two.slope.value)
    same = gap_trend(np.full(4, 1e9), np.zeros(4), np.ones(4), LINEAGES)
    assert np.isnan([same.slope.value, same.crossing]).all()
    errors = np.array([0.1, np.nan, 0.0, 0.1])
    found = gap_trend(np.array([1e9, 1e10, 1e11, 1e12]), np.zeros(4), errors, LINEAGES)
    assert (found.families, found.lineages) == (2, 2)


def test_no_crossing_without_a_trend() -> None:
    gaps = np.array([0.1, -0.1, 0.1, -0.1])
    trend = gap_trend(np.array([1e9, 1e10, 1e11, 1e12]), gaps, np.full(4, 0.05), LINEAGES)
    assert np.isnan(trend.crossing)


def test_large_families_against_small_ones() -> None:
    parameters = np.array([1e9, 2e9, 1e10, 1e11, 1e12])
    gaps = np.array([0.10, 0.12, 5.0, -0.10, -0.12])
    found = size_groups(parameters, gaps, np.full(5, 0.01), list("abcde"), (3e9, 70e9))
    assert (found.small, found.large, found.lineages) == (2, 2, 4)
    assert (found.small_mean, found.large_mean) == pytest.approx((0.11, -0.11))
    assert found.difference.value == pytest.approx(-0.22)
    assert found.difference.estimate.high < 0


def test_sizes_of_one_lineage_hang_together_in_groups() -> None:
    parameters, errors = np.array([1e9, 2e9, 3e9, 1e11, 1e12, 1e12]), np.full(6, 0.01)
    gaps = np.array([0.10, 0.11, 0.02, -0.10, -0.12, -0.11])
    alone = size_groups(parameters, gaps, errors, list("abcdef"), (3e9, 70e9)).difference
    shared = size_groups(parameters, gaps, errors, list("aabcde"), (3e9, 70e9)).difference
    assert shared.freedom < alone.freedom
    assert shared.p > alone.p


@pytest.mark.parametrize("parameters", [[1e9, 2e9, 3e9], [1e11, 1e12, 1e9], [1e10, 1e10, 1e10]])
def test_groups_need_both_sides_and_three_lineages(parameters: list[float]) -> None:
    found = size_groups(
        np.array(parameters), np.zeros(3), np.full(3, 0.1), list("aab"), (3e9, 70e9)
    )
    assert np.isnan(found.difference.value)
