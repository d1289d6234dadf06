import numpy as np
import pytest
from scipy import stats

from distlab.analysis.gaps import Gap, paired_gap
from distlab.analysis.power import mcnemar_power, replication_power, smallest_detectable


def observed(problems: int, up: int, down: int) -> Gap:
    base, instruct = np.zeros(problems), np.zeros(problems)
    instruct[:up], base[up : up + down] = 1, 1
    return paired_gap(base, instruct, resamples=0)


@pytest.mark.parametrize(("problems", "up", "down"), [(30, 1, 0), (100, 1, 1), (300, 45, 45)])
def test_a_gap_of_that_size_is_found_four_times_in_five(problems: int, up: int, down: int) -> None:
    gap = smallest_detectable(observed(problems, up, down))
    discordant = max((up + down) / problems, gap)
    rng = np.random.default_rng(0)
    counts = rng.binomial(problems, discordant, 4000)
    losing = rng.binomial(counts, (discordant - gap) / (2 * discordant))
    found = 2 * stats.binom.cdf(losing, counts, 0.5) < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.02)


def test_with_many_problems_it_is_the_usual_formula() -> None:
    gap = smallest_detectable(observed(5000, 500, 500))
    assert gap == pytest.approx((1.959964 + 0.841621) * np.sqrt(0.2 / 5000), rel=0.02)


def test_a_stricter_level_and_shared_sources_need_a_larger_gap() -> None:
    wide = observed(300, 45, 45)
    assert smallest_detectable(wide, 0.001) > smallest_detectable(wide)
    rng = np.random.default_rng(1)
    better = np.repeat(rng.random(30) < 0.5, 10)
    shared = paired_gap(
        (~better).astype(float) * (rng.random(300) < 0.5),
        better.astype(float) * (rng.random(300) < 0.5),
        np.arange(300) // 10,
    )
    alone = paired_gap(np.zeros(300), np.zeros(300), resamples=0)
    assert smallest_detectable(shared) > 0.2
    assert np.isnan(smallest_detectable(alone))


def test_scores_that_are_no_zeros_and_ones_have_the_formula() -> None:
    rng = np.random.default_rng(2)
    gap = paired_gap(rng.random(200), rng.random(200), resamples=0)
    quantiles = stats.t.ppf([0.975, 0.8], 199).sum()
    assert smallest_detectable(gap) == pytest.approx(quantiles * gap.difference.error)


def test_power_is_the_level_where_there_is_no_gap() -> None:
    assert mcnemar_power(2000, 0.3, 1e-9) == pytest.approx(0.025, abs=0.003)


def test_power_to_find_a_figure_again() -> None:
    assert replication_power(0.1, 0.1) == 0
    rng = np.random.default_rng(3)
    differences = rng.normal(scale=0.04, size=20_000)
    again = np.abs(differences) < 0.1 - stats.norm.isf(0.05) * 0.04
    assert replication_power(0.04, 0.1) == pytest.approx(again.mean(), abs=0.01)
