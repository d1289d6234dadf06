import numpy as np
import pytest

from distlab.analysis.intervals import mean_interval, proportion_interval
from distlab.analysis.shares import mean_score, share_interval, solved_interval


def test_without_shared_sources_it_is_wilsons() -> None:
    solved = np.repeat([1.0, 0.0, np.nan], [70, 30, 5])
    assert solved_interval(solved, np.arange(105)) == proportion_interval(solved)
    assert mean_score(solved / 2, np.arange(105)) == mean_interval(solved / 2)


def test_samples_of_a_problem_hang_together() -> None:
    counted, among = np.tile([0.0, 20.0], 50), np.full(100, 20.0)
    interval = share_interval(counted, among)
    problems = proportion_interval(counted / 20)
    assert interval.value == 0.5
    assert interval.high - interval.low == pytest.approx(problems.high - problems.low, rel=0.02)


def test_shared_sources_widen_it() -> None:
    solved = np.repeat([1.0, 0.0], 200)
    sources = np.repeat(np.arange(20), 20)
    wide, narrow = solved_interval(solved, sources), solved_interval(solved)
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


def test_none_and_all_are_as_good_as_their_sources() -> None:
    nothing = share_interval(np.zeros(40), np.full(40, 4.0), np.repeat(np.arange(10), 4))
    assert (nothing.value, nothing.low) == (0, 0)
    assert nothing.high > proportion_interval(np.zeros(10)).high
    assert np.isnan(share_interval(np.zeros(3), np.zeros(3)).value)


@pytest.mark.parametrize("counted", [0.0, 4.0])
def test_none_and_all_of_few_sources_have_no_interval_either(counted: float) -> None:
    found = share_interval(np.full(40, counted), np.full(40, 4.0), np.repeat(np.arange(4), 10))
    assert found.value == counted / 4
    assert np.isnan([found.low, found.high]).all()


def test_it_covers_where_sources_are_shared() -> None:
    rng, covered = np.random.default_rng(0), 0
    sources = np.repeat(np.arange(25), 8)
    for _ in range(300):
        rates = rng.beta(2, 6, 25)[sources]
        interval = solved_interval((rng.random(200) < rates).astype(float), sources)
        covered += interval.low <= 0.25 <= interval.high
    assert 0.91 <= covered / 300 <= 0.985


@pytest.mark.parametrize("solved", [0, 1])
@pytest.mark.parametrize("problems", range(2, 40))
def test_a_share_of_none_or_all_lies_inside_its_interval(solved: int, problems: int) -> None:
    samples = np.full(problems, 8)
    interval = share_interval(solved * samples, samples)
    assert interval.low <= interval.value == solved <= interval.high


def test_a_mean_score_lies_between_0_and_1_where_sources_are_shared() -> None:
    found = mean_score(np.array([0.0] * 7 + [1.0]), ["a", "a", *"bcdefg"])
    assert (found.value, found.low) == (0.125, 0)
    assert 0.125 < found.high <= 1
