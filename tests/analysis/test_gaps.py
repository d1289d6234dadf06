import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from distlab.analysis.gaps import (
    clustered_standard_error,
    holm,
    mcnemar,
    paired_gap,
    standard_error,
)

NAN = np.nan


def test_no_problem_in_common() -> None:
    gap = paired_gap(np.array([1.0, NAN]), np.array([NAN, 0.0]))
    assert gap.problems == 0
    assert np.isnan([gap.base, gap.instruct, gap.difference.value, gap.p]).all()
    assert paired_gap(np.zeros(0), np.zeros(0)).problems == 0


def test_one_problem() -> None:
    gap = paired_gap(np.array([1.0]), np.array([0.0]))
    assert (gap.problems, gap.base_only, gap.instruct_only) == (1, 1, 0)
    assert gap.difference.value == -1
    assert np.isnan([gap.difference.low, gap.error, gap.clustered_error]).all()
    assert gap.p == 1


def test_no_discordant_problem() -> None:
    gap = paired_gap(np.array([1.0, 0.0, 1.0]), np.array([1.0, 0.0, 1.0]))
    assert gap.difference.value == 0
    assert np.isnan(gap.difference.low)
    assert np.isnan(gap.clustered.low)
    assert gap.p == 1


def test_pairs_with_a_missing_side_are_left_out() -> None:
    gap = paired_gap(np.array([1.0, 1.0, NAN, 0.0]), np.array([0.0, 1.0, 1.0, NAN]))
    assert gap.problems == 2
    assert (gap.base, gap.instruct, gap.difference.value) == (1.0, 0.5, -0.5)


def test_fractional_scores_have_no_mcnemar() -> None:
    gap = paired_gap(np.array([0.25, 0.5]), np.array([0.5, 0.25]))
    assert np.isnan(gap.p)
    assert (gap.base_only, gap.instruct_only) == (1, 1)


def test_sign_is_instruct_minus_base() -> None:
    gap = paired_gap(np.zeros(40), np.array([1.0] * 30 + [0.0] * 10))
    assert gap.difference.value == 0.75
    assert gap.difference.low > 0
    assert gap.instruct_only == 30


def test_paired_error_is_scipys() -> None:
    rng = np.random.default_rng(0)
    base, instruct = rng.integers(0, 2, (2, 200)).astype(float)
    gap = paired_gap(base, instruct)
    assert gap.error == pytest.approx(stats.sem(instruct - base))
    result = stats.ttest_rel(instruct, base)
    assert gap.difference.value / gap.error == pytest.approx(result.statistic)


def test_singleton_clusters_change_nothing() -> None:
    values = np.random.default_rng(0).normal(size=30)
    assert clustered_standard_error(values, np.arange(30)) == pytest.approx(standard_error(values))


def test_clustered_error_by_hand() -> None:
    # Mean 0.5, residuals +-0.5; each cluster of two moves together.
    values = np.array([1.0, 1.0, 0.0, 0.0])
    independent = np.sqrt((4 * 0.25 / 3) / 4)
    cross = (2 * 0.25 + 2 * 0.25) / 16
    expected = np.sqrt(independent**2 + cross)
    assert clustered_standard_error(values, ["a", "a", "b", "b"]) == pytest.approx(expected)


def test_clustered_error_matches_the_double_sum() -> None:
    rng = np.random.default_rng(5)
    values, clusters = rng.normal(size=40), rng.integers(0, 7, 40)
    residuals = values - values.mean()
    cross = sum(
        residuals[i] * residuals[j]
        for i in range(40)
        for j in range(40)
        if i != j and clusters[i] == clusters[j]
    )
    expected = np.sqrt(values.var(ddof=1) / 40 + cross / 40**2)
    assert clustered_standard_error(values, clusters) == pytest.approx(expected)


def test_clustered_error_is_statsmodels() -> None:
    rng = np.random.default_rng(6)
    clusters = rng.integers(0, 60, 900)
    values = rng.normal(size=900) + rng.normal(size=60)[clusters]
    # Its sandwich without a small-sample factor; ours takes n - 1 in the independent part.
    cov_kwds = {"groups": clusters, "use_correction": False}
    theirs = OLS(values, np.ones(900)).fit(cov_type="cluster", cov_kwds=cov_kwds).bse[0]
    assert clustered_standard_error(values, clusters) == pytest.approx(theirs, rel=1e-3)


def test_one_cluster_has_no_error() -> None:
    assert np.isnan(clustered_standard_error(np.array([1.0, 0.0]), ["a", "a"]))


@pytest.mark.parametrize(
    ("base_only", "instruct_only", "p"),
    # 0, 0: nothing discordant. 1 + 5 by hand: 2 (C(6,0) + C(6,1)) / 2^6 = 14 / 64.
    [(0, 0, 1.0), (0, 1, 1.0), (0, 5, 2 / 32), (1, 5, 14 / 64), (3, 3, 1.0), (8, 2, 0.109375)],
)
def test_exact_mcnemar(base_only: int, instruct_only: int, p: float) -> None:
    assert mcnemar(base_only, instruct_only) == pytest.approx(p)
    assert mcnemar(instruct_only, base_only) == pytest.approx(p)


@pytest.mark.parametrize("discordant", [(2, 9), (0, 7), (14, 11)])
def test_mcnemar_is_statsmodels(discordant: tuple[int, int]) -> None:
    table = [[30, discordant[0]], [discordant[1], 40]]
    assert mcnemar(*discordant) == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue)


def test_holm_is_statsmodels() -> None:
    p = np.random.default_rng(7).uniform(0, 0.1, 24)
    np.testing.assert_allclose(holm(list(p)), multipletests(p, method="holm")[1])


def test_holm_by_hand() -> None:
    # Holm's textbook example: sorted .005 x 4, .01 x 3, .03 x 2, then never below the one before.
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


def test_holm_leaves_out_tests_not_made() -> None:
    np.testing.assert_allclose(holm([0.5, NAN, 0.02, 0.9]), [1.0, NAN, 0.06, 1.0])
    assert holm([]).size == 0
    assert np.isnan(holm([NAN])).all()


def test_interval_covers_a_known_gap() -> None:
    rng = np.random.default_rng(11)
    # Base solves 60 %; instruct agrees but for 15 % lost and 5 % won of all problems.
    true_gap, covered, studies = -0.10, 0, 400
    for _ in range(studies):
        outcome = rng.random(150)
        base = (outcome < 0.60).astype(float)
        instruct = base.copy()
        instruct[outcome < 0.15] = 0.0
        instruct[outcome > 0.95] = 1.0
        interval = paired_gap(base, instruct, resamples=1_000).difference
        covered += interval.low <= true_gap <= interval.high
    assert 0.92 <= covered / studies <= 0.975


def test_clustered_interval_covers_where_the_plain_one_does_not() -> None:
    rng = np.random.default_rng(12)
    plain, clustered, studies = 0, 0, 200
    clusters = np.repeat(np.arange(30), 10)
    for _ in range(studies):
        better = np.repeat(rng.random(30) < 0.5, 10)
        base, instruct = (~better).astype(float), better.astype(float)
        gap = paired_gap(base, instruct, clusters, resamples=500)
        plain += gap.difference.low <= 0 <= gap.difference.high
        clustered += gap.clustered.low <= 0 <= gap.clustered.high
    assert plain / studies < 0.7
    assert 0.9 <= clustered / studies <= 0.99
