"""The confidence sequence against what it is made of, and what it promises."""

import numpy as np
import pytest

from distlab.analysis.sequential import Conclusion, Spread, allocate, anytime_gap, spread

ALPHA = MARGIN = 0.05


def scores(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)


def capital(base: np.ndarray, instruct: np.ndarray, gap: float) -> float:  # type: ignore[type-arg]
    """The bets against a gap, one problem after the other as in arXiv 2010.09686."""
    shares = np.geomspace(0.04, 0.8, 8)
    held = np.ones(8)
    for difference in instruct - base:
        held *= 1 + shares * (difference - gap) / (1 + gap)
    return float(held.mean())


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    rng = np.random.default_rng(3)
    return rng.integers(0, 3, 200) / 2, (rng.random(200) < 0.7).astype(np.float64)


def test_the_capital_at_the_ends_of_the_interval_is_2_over_alpha(
    drawn: tuple[np.ndarray, np.ndarray],  # type: ignore[type-arg]
) -> None:
    base, instruct = drawn
    found = anytime_gap(base, instruct, np.arange(200), 1, ALPHA, MARGIN)
    assert found.difference.low < found.difference.value < found.difference.high
    assert capital(base, instruct, found.difference.low) == pytest.approx(2 / ALPHA, rel=1e-5)
    assert capital(instruct, base, -found.difference.high) == pytest.approx(2 / ALPHA, rel=1e-5)


def test_p_is_below_alpha_where_the_interval_excludes_zero() -> None:
    rng = np.random.default_rng(5)
    for chance in np.linspace(0.5, 0.8, 12):
        base = (rng.random(120) < 0.5).astype(np.float64)
        instruct = (rng.random(120) < chance).astype(np.float64)
        found = anytime_gap(base, instruct, np.arange(120), 1, ALPHA, MARGIN)
        assert (found.p < ALPHA) == (found.difference.low > 0 or found.difference.high < 0)


def test_within_is_below_alpha_where_the_interval_lies_within_the_margin() -> None:
    rng = np.random.default_rng(6)
    for problems in range(100, 600, 50):
        base = (rng.random(problems) < 0.9).astype(np.float64)
        instruct = np.where(rng.random(problems) < 0.05, 1 - base, base)
        found = anytime_gap(base, instruct, np.arange(problems), 1, ALPHA, MARGIN)
        assert (found.within < ALPHA) == (
            found.difference.low > -MARGIN and found.difference.high < MARGIN
        )


def test_arms_in_each_others_place_mirror_the_interval(
    drawn: tuple[np.ndarray, np.ndarray],  # type: ignore[type-arg]
) -> None:
    one = anytime_gap(*drawn, np.arange(200), 1, ALPHA, MARGIN).difference
    two = anytime_gap(drawn[1], drawn[0], np.arange(200), 1, ALPHA, MARGIN).difference
    assert (one.low, one.high) == pytest.approx((-two.high, -two.low))


def test_problems_of_one_source_are_one_piece_of_evidence() -> None:
    base, instruct = np.tile(scores(0, 0, 1), 20), np.tile(scores(1, 1, 1), 20)
    apart = anytime_gap(base, instruct, np.arange(60), 1, ALPHA, MARGIN)
    together = anytime_gap(base, instruct, np.repeat(np.arange(6), 10), 10, ALPHA, MARGIN)
    assert (apart.units, together.units) == (60, 6)
    assert apart.difference.low > 0 > together.difference.low
    assert apart.difference.value == together.difference.value


def test_what_cannot_be_told() -> None:
    nothing = anytime_gap(scores(np.nan, 1), scores(1, np.nan), ["a", "b"], 1, ALPHA, MARGIN)
    assert (nothing.problems, nothing.conclusion(0.05)) == (0, Conclusion.UNDECIDED)
    assert np.isnan(nothing.difference.value)
    lone = anytime_gap(scores(1), scores(0), ["a"], 1, ALPHA, MARGIN)
    assert lone.difference.low == -1
    assert lone.difference.high > 0


@pytest.mark.parametrize(
    ("base", "instruct", "conclusion"),
    [(0, 1, "instruct"), (1, 0, "base"), (1, 1, "equivalent")],
)
def test_what_is_the_same_on_every_problem_is_concluded(
    base: int, instruct: int, conclusion: str
) -> None:
    found = anytime_gap(
        np.full(500, float(base)), np.full(500, float(instruct)), np.arange(500), 1, ALPHA, MARGIN
    )
    assert found.conclusion(0.05) == conclusion


def test_variance_is_split_into_that_of_problems_and_that_of_draws() -> None:
    rng = np.random.default_rng(8)
    p = rng.beta(2, 2, (2, 4000))
    draws = np.column_stack([np.full(4000, 2), rng.choice([2, 4], 4000)])
    arms = [rng.binomial(draws[:, arm], p[arm]) / draws[:, arm] for arm in (0, 1)]
    noise = tuple(a * (1 - a) * draws[:, arm] / (draws[:, arm] - 1) for arm, a in enumerate(arms))
    found = spread(arms[1] - arms[0], (noise[0], noise[1]), draws)
    assert found.between == pytest.approx(2 * 0.05, rel=0.1)
    assert found.within == pytest.approx((0.2, 0.2), rel=0.1)


def test_draws_go_where_the_variance_is() -> None:
    powers = [1, 2, 4, 8, 16, 20]
    quiet = Spread(0.1, (0.01, 0.01))
    assert allocate(quiet, (powers, powers), 1319, 0.05) == (1, 1)
    loud = Spread(0.1, (0.01, 0.24))
    base, instruct = allocate(loud, (powers, powers), 1319, 0.05)
    assert base == 1 < instruct
    assert loud.variance((base, instruct)) <= 1319 * (0.05 / 3.9) ** 2
    # No number of draws makes up for problems that differ: some are left undrawn.
    hopeless = Spread(0.6, (0.02, 0.24))
    assert sum(allocate(hopeless, (powers, powers), 1319, 0.05)) < 20
