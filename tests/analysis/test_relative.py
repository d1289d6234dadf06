import math

import numpy as np
import pytest

from distlab.analysis.contrasts import Mean
from distlab.analysis.drops import PairedChange
from distlab.analysis.relative import (
    loss_difference,
    published_loss,
    relative_loss,
    unpaired_loss,
)


def change(before: np.ndarray, after: np.ndarray) -> PairedChange:
    return PairedChange(before, after, np.arange(before.size).astype(np.str_))


def first(solved: int, n: int = 400) -> np.ndarray:
    return (np.arange(n) < solved).astype(float)


def test_a_third_is_lost() -> None:
    found = relative_loss(change(first(300), first(200)))
    assert found.value == pytest.approx(1 / 3)
    assert found.estimate.low < 1 / 3 < found.estimate.high


def test_the_interval_of_a_paired_loss_holds_it() -> None:
    """Over redrawn studies, against the interval's own 95 %."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        luck = rng.random(200)
        before = (luck < 0.6).astype(float)
        after = ((luck < 0.45) & (rng.random(200) < 0.9) | (rng.random(200) < 0.02)).astype(float)
        truth = 1 - (0.45 * 0.9 + 0.02 - 0.45 * 0.9 * 0.02) / 0.6
        estimate = relative_loss(change(before, after)).estimate
        held += estimate.low <= truth <= estimate.high
    assert 0.92 <= held / 300 <= 0.985


def test_the_same_share_of_another_level_is_no_difference() -> None:
    """In points one arm loses twice what the other does; in shares they are alike."""
    found = loss_difference(change(first(300), first(150)), change(first(150), first(75)))
    assert found.value == pytest.approx(0)
    assert found.p == pytest.approx(1)


def test_few_solved_originals_give_no_share() -> None:
    few, many = change(first(9), first(3)), change(first(300), first(100))
    assert math.isnan(relative_loss(few).value)
    assert math.isnan(loss_difference(few, many).p)
    assert math.isnan(unpaired_loss(Mean(first(9)), Mean(first(3))).value)


def test_sets_of_two_sizes() -> None:
    found = unpaired_loss(Mean(first(299, 500)), Mean(first(62, 279)))
    assert found.value == pytest.approx(1 - (62 / 279) / (299 / 500))
    theirs = published_loss(299 / 500, 500, 62 / 279, 279)
    assert found.estimate.low == pytest.approx(theirs.low, abs=0.005)


def test_the_papers_relative_loss() -> None:
    """Llama 3.1 70B: 59.80 on MATH-500, 22.22 on MATH-Perturb-Hard."""
    found = published_loss(0.598, 500, 0.2222, 279)
    assert found.value == pytest.approx(0.6284, abs=1e-4)
    assert found.high - found.value == pytest.approx(0.0858, abs=1e-4)
