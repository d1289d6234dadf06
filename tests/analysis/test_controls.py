import numpy as np
import pytest

from distlab.analysis.controls import decompose, grid_effects

NAN = np.nan


def test_parts_by_hand() -> None:
    # Decoding alone makes the gap: both models solve all under 1, half under 2.
    first, second = np.ones(20), np.repeat([0.0, 1.0], 10)
    parts = decompose(first, second, first, second)
    assert parts.total.value == parts.decoding.value == -0.5
    assert parts.model.value == parts.interaction.value == parts.model_mean.value == 0
    assert parts.decoding.high < 0


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
    assert grid.gaps[0].value == pytest.approx(arms[2].mean() - arms[0].mean())


def test_grid_of_four() -> None:
    rng = np.random.default_rng(2)
    base = [(rng.random(400) < rate).astype(float) for rate in (0.2, 0.4, 0.4, 0.4)]
    instruct = [np.maximum(row, (rng.random(400) < 0.3).astype(float)) for row in base]
    grid = grid_effects(base, instruct)
    assert len(grid.decodings) == len(grid.gaps) == 4
    assert grid.model.low > 0
    assert grid.decodings[0].high < 0
