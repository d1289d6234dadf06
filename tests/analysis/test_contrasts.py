import math

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from distlab.analysis.contrasts import EMPTY, Mean, contrast
from distlab.analysis.estimate import Estimate
from distlab.analysis.intervals import mean_interval

NAN = np.nan


def test_without_shared_sources_nothing_changes() -> None:
    values = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], 200)
    found = contrast(Mean(values, np.arange(200)))
    assert found.estimate == found.independent == mean_interval(values)
    assert found.inflation == 1


@pytest.mark.parametrize("shared", [1, 5])
def test_what_is_not_tested_differs_in_its_p_alone(shared: int) -> None:
    part = Mean(np.random.default_rng(0).normal(size=40), np.arange(40) // shared)
    tested, untested = contrast(part), contrast(part, is_tested=False)
    assert 0 < tested.p < 1
    assert np.isnan(untested.p)
    assert tested.estimate == untested.estimate
    assert (tested.error, tested.freedom) == (untested.error, untested.freedom)
    assert tested.independent == untested.independent


def test_cr2_of_equal_sources_is_the_error_of_their_means() -> None:
    rng = np.random.default_rng(1)
    values = 0.1 * rng.normal(size=40) + np.repeat(rng.normal(size=8), 5)
    found = contrast(Mean(values, np.repeat(np.arange(8), 5)), resamples=0)
    means = values.reshape(8, 5).mean(axis=1)
    assert found.error == pytest.approx(means.std(ddof=1) / np.sqrt(8))
    assert found.freedom == pytest.approx(7)


def test_cr2_is_close_to_statsmodels_cr1_with_many_sources() -> None:
    rng = np.random.default_rng(6)
    clusters = rng.integers(0, 60, 900)
    values = rng.normal(size=900) + rng.normal(size=60)[clusters]
    theirs = OLS(values, np.ones(900)).fit(cov_type="cluster", cov_kwds={"groups": clusters})
    assert contrast(Mean(values, clusters), resamples=0).error == pytest.approx(
        theirs.bse[0], rel=0.02
    )


def test_uneven_sources_have_fewer_degrees_of_freedom() -> None:
    # Bell & McCaffrey by hand: the squared trace of G'G over the sum of its squares.
    sizes = np.array([10, 5, 5, 2, 6, 7, 5])
    clusters = np.repeat(np.arange(7), sizes)
    values = np.random.default_rng(2).normal(size=40)
    shares = sizes / 40
    matrix = np.diag(sizes / 40**2) - np.outer(sizes, sizes) / 40**3
    scale = np.sqrt(1 - shares)
    matrix = np.where(np.eye(7) > 0, np.diag(sizes) / 40**2, matrix / np.outer(scale, scale))
    expected = np.trace(matrix) ** 2 / (matrix**2).sum()
    assert contrast(Mean(values, clusters), resamples=0).freedom == pytest.approx(expected)


def test_one_source_has_no_error_and_tells_nothing() -> None:
    found = contrast(Mean(np.array([1.0, 1.0, 0.0]), np.zeros(3)))
    assert np.isnan(found.error)
    assert found.p == 1
    assert np.isnan(found.within(0.05))


def test_two_sets_have_welchs_test() -> None:
    rng = np.random.default_rng(3)
    one, two = rng.normal(size=40), rng.normal(size=70)
    found = contrast(Mean(one), Mean(two, weight=-1.0))
    variances = one.var(ddof=1) / 40, two.var(ddof=1) / 70
    assert found.error == pytest.approx(np.sqrt(sum(variances)), rel=0.01)
    assert found.value == pytest.approx(one.mean() - two.mean())


def test_sources_that_sets_share_are_taken_once() -> None:
    rng = np.random.default_rng(4)
    luck = rng.normal(size=20)
    sources = np.repeat(np.arange(20), 10)
    one, two = (luck[sources] + 0.1 * rng.normal(size=200) for _ in range(2))
    shared = contrast(Mean(one, sources), Mean(two, sources, -1.0))
    apart = contrast(Mean(one, sources), Mean(two, sources + 100, -1.0))
    assert shared.error < 0.2 * apart.error


def test_missing_values_are_left_out() -> None:
    assert contrast(Mean(np.array([NAN, NAN]))) == EMPTY
    found = contrast(Mean(np.array([1.0, NAN, 0.0]), ["a", "b", "c"]))
    assert found.value == 0.5


def test_beyond_a_published_figure_has_both_errors() -> None:
    values = np.tile([0.0, 1.0], 100)
    ours = contrast(Mean(values))
    found = ours.beyond(Estimate(0.4, NAN, NAN), 0.03)
    assert found.value == pytest.approx(0.1)
    assert found.error == pytest.approx(np.hypot(ours.error, 0.03))


def test_few_discordant_problems_show_too_little_spread() -> None:
    values = np.zeros(40)
    assert contrast(Mean(values, np.arange(40) // 4)).error > 0.05


@pytest.mark.parametrize("sources", [1, 2, 4])
def test_few_shared_sources_have_no_interval_and_no_test_that_needs_an_error(sources: int) -> None:
    values = np.tile([1.0, 0.0, -1.0, 0.0], 6)
    labels = np.arange(values.size) % sources
    found = contrast(Mean(values, labels))
    assert math.isnan(found.estimate.low)
    assert math.isnan(found.within(0.05))
    assert 0 < found.p <= 1
    assert not math.isnan(found.independent.low)
    two = contrast(Mean(values, labels), Mean(values[::-1], labels, -1.0))
    assert math.isnan(two.p)
    assert math.isnan(two.estimate.low)


def test_five_equal_sources_have_an_interval() -> None:
    values = np.tile([1.0, 0.0, -1.0, 0.0, 1.0], 4)
    assert not math.isnan(contrast(Mean(values, np.arange(20) % 5)).estimate.low)


def test_intervals_hold_nothing_impossible() -> None:
    values = np.array([1.0] * 4 + [-1.0] * 4 + [1.0, -1.0])
    labels = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    one = contrast(Mean(values, labels))
    assert (one.estimate.low, one.estimate.high) == (-1, 1)
    wide = contrast(Mean(2 * values, labels, bound=2.0))
    assert (wide.estimate.low, wide.estimate.high) == (-2, 2)
    both = contrast(Mean(values[:5]), Mean(-values[5:], weight=-1.0))
    assert both.estimate.high <= 2


@pytest.mark.parametrize("odd", [0, 3])
def test_problems_that_nearly_all_differ_have_tangos_interval_too(odd: int) -> None:
    values = np.array([1.0] * (60 - odd) + [0.0] * odd)
    found, turned = (contrast(Mean(sign * values)).estimate for sign in (1, -1))
    assert 0.7 < found.low < found.value <= found.high <= 1
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
