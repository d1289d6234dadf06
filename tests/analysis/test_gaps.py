import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from distlab.analysis.gaps import holm, mcnemar, paired_gap

NAN = np.nan


def test_no_problem_in_common() -> None:
    gap = paired_gap(np.array([1.0, NAN]), np.array([NAN, 0.0]))
    assert gap.problems == 0
    assert np.isnan([gap.base, gap.instruct, gap.difference.value, gap.difference.p]).all()
    assert paired_gap(np.zeros(0), np.zeros(0)).problems == 0


def test_one_problem() -> None:
    gap = paired_gap(np.array([1.0]), np.array([0.0]))
    assert (gap.problems, gap.base_only, gap.instruct_only) == (1, 1, 0)
    assert gap.difference.value == -1
    assert np.isnan([gap.difference.estimate.low, gap.difference.error]).all()
    assert gap.difference.p == gap.mcnemar == 1


def test_no_discordant_problem() -> None:
    gap = paired_gap(np.array([1.0, 0.0, 1.0]), np.array([1.0, 0.0, 1.0]))
    assert gap.difference.value == 0
    # Tango's interval: z^2 / (n + z^2) either way.
    assert gap.difference.estimate.high == pytest.approx(3.841459 / 6.841459, abs=1e-5)
    assert gap.difference.p == gap.mcnemar == 1


def test_pairs_with_a_missing_side_are_left_out() -> None:
    gap = paired_gap(np.array([1.0, 1.0, NAN, 0.0]), np.array([0.0, 1.0, 1.0, NAN]))
    assert gap.problems == 2
    assert (gap.base, gap.instruct, gap.difference.value) == (1.0, 0.5, -0.5)


def test_fractional_scores_have_no_mcnemar() -> None:
    gap = paired_gap(np.array([0.25, 0.5]), np.array([0.5, 0.25]))
    assert np.isnan(gap.mcnemar)
    assert gap.difference.p == 1
    assert (gap.base_only, gap.instruct_only) == (1, 1)


def test_sign_is_instruct_minus_base() -> None:
    gap = paired_gap(np.zeros(40), np.array([1.0] * 30 + [0.0] * 10))
    assert gap.difference.value == 0.75
    assert gap.difference.estimate.low > 0
    assert gap.instruct_only == 30


def test_paired_error_is_scipys() -> None:
    rng = np.random.default_rng(0)
    base, instruct = rng.integers(0, 2, (2, 200)).astype(float)
    gap = paired_gap(base, instruct)
    assert gap.difference.error == pytest.approx(stats.sem(instruct - base), rel=1e-2)
    result = stats.ttest_rel(instruct, base)
    assert gap.difference.value / gap.difference.error == pytest.approx(result.statistic, rel=1e-2)


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
        interval = paired_gap(base, instruct, resamples=1_000).difference.estimate
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
        alone, shared = gap.difference.independent, gap.difference.estimate
        plain += alone.low <= 0 <= alone.high
        clustered += shared.low <= 0 <= shared.high
    assert plain / studies < 0.7
    assert 0.9 <= clustered / studies <= 0.99
