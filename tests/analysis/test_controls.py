import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from distlab.analysis.controls import decompose, grid_effects

NAN = np.nan


def test_parts_by_hand() -> None:
    # Decoding alone makes the gap: both models solve all under 1, half under 2.
    first, second = np.ones(20), np.repeat([0.0, 1.0], 10)
    parts = decompose(first, second, first, second)
    assert parts.total.value == parts.decoding.value == -0.5
    assert parts.model.value == parts.interaction.value == parts.model_mean.value == 0
    assert parts.decoding.estimate.high < 0


def test_parts_sum_to_the_gap() -> None:
    arms = np.random.default_rng(0).integers(0, 2, (4, 60)).astype(float)
    parts = decompose(*arms)
    total = parts.model.value + parts.decoding.value + parts.interaction.value
    assert parts.total.value == pytest.approx(total)
    assert parts.total.value == pytest.approx(arms[3].mean() - arms[0].mean())


def test_problems_without_all_four_are_left_out() -> None:
    parts = decompose(*(np.array([1.0, NAN, 0.0]), np.array([1.0, 1.0, NAN])) * 2)
    assert parts.problems == 1
    empty = np.zeros(0)
    assert np.isnan(decompose(empty, empty, empty, empty).total.value)


def test_grid_of_two_is_the_mean_model_part() -> None:
    arms = np.random.default_rng(1).integers(0, 2, (4, 60)).astype(float)
    grid = grid_effects([arms[0], arms[1]], [arms[2], arms[3]])
    assert grid.model == decompose(*arms).model_mean
    assert sum(effect.value for effect in grid.decodings) == pytest.approx(0)
    assert sum(effect.value for effect in grid.interactions) == pytest.approx(0)
    assert grid.interactions[1].value == pytest.approx(grid.gaps[1].value - grid.model.value)
    assert grid.gaps[0].value == pytest.approx(arms[2].mean() - arms[0].mean())


def test_grid_of_four() -> None:
    rng = np.random.default_rng(2)
    base = [(rng.random(400) < rate).astype(float) for rate in (0.2, 0.4, 0.4, 0.4)]
    instruct = [np.maximum(row, (rng.random(400) < 0.3).astype(float)) for row in base]
    grid = grid_effects(base, instruct)
    assert len(grid.decodings) == len(grid.gaps) == 4
    assert grid.model.estimate.low > 0
    assert grid.decodings[0].estimate.high < 0


def test_grid_effects_are_the_two_way_anova() -> None:
    rng = np.random.default_rng(3)
    grid = rng.integers(0, 2, (2, 4, 50)).astype(float)
    model, decoding, _ = np.indices(grid.shape)
    contrasts = [np.ones(grid.size), (2 * model - 1).ravel() / 2]
    contrasts += [((decoding == d) * 1.0 - (decoding == 3)).ravel() for d in range(3)]
    fit = OLS(grid.ravel(), np.stack(contrasts, axis=1)).fit()
    ours = grid_effects(list(grid[0]), list(grid[1]), resamples=100)
    assert ours.model.value == pytest.approx(fit.params[1])
    assert [effect.value for effect in ours.decodings[:3]] == pytest.approx(list(fit.params[2:]))


def test_intervals_cover_a_known_split() -> None:
    rng = np.random.default_rng(4)
    # Base solves 70 % branching and 40 % drawing; instruct 75 % and 60 %: interaction +15 points.
    rates, truth = np.array([0.70, 0.40, 0.75, 0.60]), {"model": 0.05, "interaction": 0.15}
    covered = dict.fromkeys(truth, 0)
    for _ in range(200):
        luck = rng.random(120)
        # A problem that is easy for one arm is easy for all: the arms are paired.
        arms = [(np.where(rng.random(120) < 0.5, luck, rng.random(120)) < r) * 1.0 for r in rates]
        parts = decompose(*arms, resamples=500)
        for name, value in truth.items():
            part = getattr(parts, name).estimate
            covered[name] += part.low <= value <= part.high
    assert all(0.9 <= count / 200 <= 0.99 for count in covered.values())
