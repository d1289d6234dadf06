from itertools import chain, combinations

import numpy as np
import pytest

from distlab.analysis.arrays import FloatArray
from distlab.analysis.factorial import split_gap

FACTORS = ("checkpoint", "format", "decoding")
SUBSETS = tuple(chain.from_iterable(combinations(FACTORS, size) for size in range(4)))


def arms(rng: np.random.Generator, problems: int = 60) -> dict[frozenset[str], FloatArray]:
    return {frozenset(some): rng.integers(0, 2, problems).astype(float) for some in SUBSETS}


def test_the_parts_add_up_to_the_gap_on_every_problem() -> None:
    split = split_gap(arms(np.random.default_rng(0)), FACTORS, resamples=0)
    assert len(split.parts) == 7
    assert sum(part.value for part in split.parts.values()) == pytest.approx(split.total.value)
    main = sum(split.parts[name,].value for name in FACTORS)
    assert main + split.interactions.value == pytest.approx(split.total.value)
    for name in FACTORS:
        both = split.without[name].value + split.explained[name].value
        assert both == pytest.approx(split.total.value)


def test_parts_by_hand() -> None:
    means = {(): 0.2, ("checkpoint",): 0.5, ("format",): 0.3, ("checkpoint", "format"): 0.9}
    scores = {frozenset(key): np.full(4, mean) for key, mean in means.items()}
    split = split_gap(scores, ("checkpoint", "format"), resamples=0)
    assert split.total.value == pytest.approx(0.7)
    assert split.parts["checkpoint",].value == pytest.approx(0.3)
    assert split.parts["format",].value == pytest.approx(0.1)
    assert split.parts["checkpoint", "format"].value == pytest.approx(0.3)
    assert split.interactions.value == pytest.approx(0.3)
    assert split.without["format"].value == pytest.approx(0.3)
    assert split.explained["format"].value == pytest.approx(0.4)


def test_problems_that_an_arm_lacks_count_nowhere_and_sources_widen() -> None:
    scores = arms(np.random.default_rng(1))
    scores[frozenset({"format"})][:10] = np.nan
    sources = np.repeat(np.arange(6), 10)
    alone = split_gap(scores, FACTORS, resamples=0)
    shared = split_gap(scores, FACTORS, sources, resamples=0)
    assert alone.problems == shared.problems == 50
    assert shared.total.freedom < alone.total.freedom
