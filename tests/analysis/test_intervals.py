import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from distlab.analysis.intervals import mean_interval, proportion_interval, resampled_means

NAN = np.nan


def test_nothing_to_estimate() -> None:
    for values in (np.zeros(0), np.array([NAN, NAN])):
        assert np.isnan(mean_interval(values).value)
        assert np.isnan(proportion_interval(values).value)


@pytest.mark.parametrize("values", [[1.0], [0.5, 0.5, 0.5], [0.5, NAN]])
def test_equal_values_give_no_interval(values: list[float]) -> None:
    estimate = mean_interval(np.array(values))
    assert estimate.value == values[0]
    assert np.isnan([estimate.low, estimate.high]).all()


def test_same_seed_same_interval() -> None:
    values = np.random.default_rng(1).normal(size=50)
    assert mean_interval(values) == mean_interval(values)
    assert mean_interval(values, seed=1) != mean_interval(values, seed=2)


@pytest.mark.parametrize(
    # Few distinct values, and many: the two ways to draw.
    "values",
    [np.array([-1.0] * 5 + [0.0] * 30 + [1.0] * 15), np.random.default_rng(2).normal(size=50)],
)
def test_resamples_are_those_of_an_index_bootstrap(values: np.ndarray) -> None:
    ours = resampled_means(values, resamples=20_000)
    assert ours.shape == (20_000,)
    assert ours.mean() == pytest.approx(values.mean(), abs=0.004)
    assert ours.std() == pytest.approx(values.std() / np.sqrt(50), rel=0.02)


def test_rounding_error_decides_no_sign() -> None:
    # 0.1 + 0.2 - 0.3 is 5.6e-17: as far above zero as arithmetic makes it, which is not above.
    values = np.array([0.1 + 0.2 - 0.3] * 40 + [0.5] * 2)
    assert mean_interval(values).low == 0


def test_agrees_with_scipy_bootstrap() -> None:
    values = np.random.default_rng(3).choice([-1.0, 0.0, 1.0], size=120, p=[0.2, 0.7, 0.1])
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=10_000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    ours = mean_interval(values)
    assert ours.low == pytest.approx(theirs.low, abs=0.01)
    assert ours.high == pytest.approx(theirs.high, abs=0.01)


@pytest.mark.parametrize(("solved", "problems"), [(0, 8), (3, 8), (8, 8), (911, 1319)])
def test_wilson_is_statsmodels(solved: int, problems: int) -> None:
    low, high = proportion_confint(solved, problems, method="wilson")
    ours = proportion_interval(np.repeat([1.0, 0.0], [solved, problems - solved]))
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=1e-9)


def test_wilson_at_the_edges() -> None:
    # Wilson's interval for 10 of 10: 1 / (1 + z^2 / n).
    estimate = proportion_interval(np.ones(10))
    assert estimate.low == pytest.approx(1 / (1 + 1.959964**2 / 10), abs=1e-6)
    assert estimate.high == pytest.approx(1)


@pytest.mark.parametrize("decimals", [0, 3])
def test_many_values_of_many_problems_vary_as_theory_says(decimals: int) -> None:
    values = np.random.default_rng(1).exponential(10.0, size=4000).round(decimals)
    means = resampled_means(values, resamples=2000)
    assert means.shape == (2000,)
    assert means.mean() == pytest.approx(
        values.mean(), abs=4 * values.std() / 4000**0.5 / 2000**0.5
    )
    assert means.std() == pytest.approx(values.std() / 4000**0.5, rel=0.06)
