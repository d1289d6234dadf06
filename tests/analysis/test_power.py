import numpy as np
import pytest

from distlab.analysis.gaps import paired_gap
from distlab.analysis.power import smallest_detectable


def test_the_usual_constant() -> None:
    assert smallest_detectable(1.0) == pytest.approx(1.959964 + 0.841621, abs=1e-5)
    assert np.isnan([smallest_detectable(np.nan), smallest_detectable(0.0)]).all()


def test_a_gap_of_that_size_is_found_four_times_in_five() -> None:
    rng = np.random.default_rng(0)
    problems, discordant = 300, 0.3
    gap = smallest_detectable(np.sqrt(discordant / problems))
    found = 0
    for _ in range(300):
        outcome = rng.random(problems)
        won = outcome < (discordant + gap) / 2
        lost = ~won & (outcome < discordant)
        result = paired_gap(lost.astype(float), won.astype(float), resamples=500)
        found += result.difference.low > 0
    assert 0.72 <= found / 300 <= 0.9
