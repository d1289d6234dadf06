import numpy as np
import pytest
from scipy import optimize, stats

from distlab.analysis.tango import score, score_above, score_below, score_interval


@pytest.mark.parametrize(("up", "down"), [(12, 2), (3, 0), (40, 30)])
@pytest.mark.parametrize("difference", [-0.1, 0.05, 0.3])
def test_the_variance_is_that_of_the_likeliest_shares(
    up: int, down: int, difference: float
) -> None:
    problems = 90

    def surprise(share: float) -> float:
        """Minus the log likelihood where ``down`` has this share, given the difference."""
        same = 1 - 2 * share - difference
        masses = (up, down, problems - up - down), (share + difference, share, same)
        return -sum(count * np.log(mass) for count, mass in zip(*masses, strict=True) if count)

    least, most = max(0.0, -difference) + 1e-12, (1 - difference) / 2 - 1e-12
    share = optimize.minimize_scalar(surprise, bounds=(least, most), method="bounded").x
    variance = problems * (2 * share + difference - difference**2)
    expected = (up - down - problems * difference) / np.sqrt(variance)
    assert score(problems, up, down, difference) == pytest.approx(expected, rel=1e-3)


def test_the_interval_is_what_the_test_does_not_reject() -> None:
    interval = score_interval(50, 12, 2)
    assert interval.value == pytest.approx(0.2)
    assert score(50, 12, 2, interval.low) == pytest.approx(1.959964, abs=1e-5)
    assert score(50, 12, 2, interval.high) == pytest.approx(-1.959964, abs=1e-5)


def test_at_no_difference_it_is_mcnemars_statistic() -> None:
    assert score(80, 12, 4, 0.0) == pytest.approx((12 - 4) / np.sqrt(16))


def test_ends() -> None:
    nothing = score_interval(20, 0, 0)
    assert nothing.high == pytest.approx(3.841459 / 23.841459, abs=1e-5)
    assert nothing.low == pytest.approx(-nothing.high)
    everything = score_interval(20, 20, 0)
    assert 0.6 < everything.low < 1
    assert everything.high == pytest.approx(1)


def within(problems: int, up: int, down: int, margin: float) -> float:
    counts = problems, up, down
    return max(score_above(*counts, -margin), score_below(*counts, margin))


def test_within_a_margin() -> None:
    assert within(30, 0, 0, 0.05) > 0.05
    assert within(1000, 20, 20, 0.05) < 0.001
    assert within(1000, 70, 20, 0.05) == pytest.approx(0.5, abs=0.01)
    z = score(300, 9, 6, -0.05)
    assert score_above(300, 9, 6, -0.05) == pytest.approx(stats.norm.sf(z))
    assert within(300, 9, 6, 0.05) >= stats.norm.sf(z)


@pytest.mark.parametrize(("up", "down"), [(0, 20), (20, 0), (0, 0), (1, 0), (7, 12)])
def test_the_value_lies_inside(up: int, down: int) -> None:
    interval = score_interval(20, up, down)
    assert interval.low <= interval.value <= interval.high
