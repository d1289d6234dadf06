import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import WLS

from distlab.analysis.scale import gap_trend


def test_a_line_is_found() -> None:
    parameters = np.array([1e9, 1e10, 1e11, 1e12])
    gaps = 0.1 - 0.1 * (np.log10(parameters) - 9)
    trend = gap_trend(parameters, gaps, np.full(4, 0.01))
    assert trend.families == 4
    assert trend.slope.value == pytest.approx(-0.1)
    assert trend.slope.high < 0
    assert trend.crossing == pytest.approx(1e10)


def test_equal_weights_are_scipys_regression() -> None:
    rng = np.random.default_rng(0)
    parameters = 10 ** rng.uniform(8, 12, 8)
    gaps = rng.normal(size=8)
    theirs = stats.linregress(np.log10(parameters), gaps)
    # Errors far below the scatter, so that the Birge ratio sets the width as linregress does.
    ours = gap_trend(parameters, gaps, np.full(8, 1e-3)).slope
    assert ours.value == pytest.approx(theirs.slope)
    half = stats.t.ppf(0.975, 6) * theirs.stderr
    assert ours.high - ours.value == pytest.approx(half)


def test_weights_are_statsmodels() -> None:
    rng = np.random.default_rng(1)
    parameters, errors = 10 ** rng.uniform(8, 12, 7), rng.uniform(0.01, 0.05, 7)
    gaps = rng.normal(scale=0.2, size=7)
    design = np.stack([np.ones(7), np.log10(parameters)], axis=1)
    theirs = WLS(gaps, design, weights=1 / errors**2).fit()
    ours = gap_trend(parameters, gaps, errors).slope
    # The scatter is far above the errors, so the Birge ratio is statsmodels' scale.
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.conf_int()[1]))


def test_too_little() -> None:
    two = gap_trend(np.array([1e9, 1e10]), np.array([0.1, 0.2]), np.array([0.1, 0.1]))
    assert np.isnan(two.slope.value)
    same = gap_trend(np.full(4, 1e9), np.zeros(4), np.ones(4))
    assert np.isnan([same.slope.value, same.crossing]).all()
    errors = np.array([0.1, np.nan, 0.0, 0.1])
    assert gap_trend(np.array([1e9, 1e10, 1e11, 1e12]), np.zeros(4), errors).families == 2


def test_no_crossing_without_a_trend() -> None:
    gaps = np.array([0.1, -0.1, 0.1, -0.1])
    trend = gap_trend(np.array([1e9, 1e10, 1e11, 1e12]), gaps, np.full(4, 0.05))
    assert np.isnan(trend.crossing)
