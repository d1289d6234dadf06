from itertools import product

import numpy as np
import pytest

from distlab.analysis.gaps import mcnemar
from distlab.analysis.sign_flips import sign_flip_test


@pytest.mark.parametrize(("up", "down"), [(5, 0), (3, 3), (8, 2), (14, 40), (200, 260), (600, 0)])
def test_of_ones_it_is_the_exact_mcnemar_test(up: int, down: int) -> None:
    sums = np.repeat([1.0, -1.0, 0.0], [up, down, 9])
    assert sign_flip_test(sums) == pytest.approx(mcnemar(down, up), rel=1e-6, abs=1e-15)


@pytest.mark.parametrize("unit", [1, 4, 20])
def test_it_is_the_share_of_all_flips(unit: int) -> None:
    sums = np.random.default_rng(unit).integers(-9, 12, 12) / unit
    flips = np.array(list(product([1, -1], repeat=12)))
    expected = np.mean(np.abs(flips @ sums) >= abs(sums.sum()) - 1e-9)
    assert sign_flip_test(sums) == pytest.approx(expected)


def test_sums_that_are_no_fractions_are_rounded_finely() -> None:
    sums = np.random.default_rng(0).normal(size=14)
    flips = np.array(list(product([1, -1], repeat=14)))
    expected = np.mean(np.abs(flips @ sums) >= abs(sums.sum()) - 1e-9)
    assert sign_flip_test(sums) == pytest.approx(expected, abs=5e-3)


def test_nothing_to_flip() -> None:
    assert sign_flip_test(np.zeros(5)) == sign_flip_test(np.zeros(0)) == 1
    # Four sources can never tell at 5 per cent, whatever they hold.
    assert sign_flip_test(np.full(4, 25.0)) == pytest.approx(2 / 2**4)
