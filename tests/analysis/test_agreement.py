import numpy as np
import pytest
from statsmodels.stats import inter_rater

from distlab.analysis.agreement import agreement, cohen_kappa, flips
from distlab.scoring.types import (
    CODES,
    CORRECT,
    ERROR,
    INCORRECT,
    NO_ANSWER,
    NO_VERDICT,
    TIMEOUT,
    Verdict,
)

NAN = np.nan


def codes(*values: int) -> np.ndarray:
    return np.array([values], dtype=np.int8)


def test_every_verdict_has_a_code_of_its_own() -> None:
    assert set(CODES) == set(Verdict)
    assert len({*CODES.values(), NO_VERDICT}) == len(Verdict) + 1


def test_nothing_in_common() -> None:
    result = agreement(codes(NO_VERDICT, CORRECT), codes(CORRECT, NO_VERDICT))
    assert result.samples == 0
    assert np.isnan([result.rate.value, result.kappa.value]).all()


def test_everything_but_correct_is_the_same() -> None:
    result = agreement(codes(TIMEOUT, ERROR, NO_ANSWER), codes(INCORRECT, NO_ANSWER, INCORRECT))
    assert result.rate.value == 1
    assert np.isnan(result.kappa.value)


def test_kappa_by_hand() -> None:
    # Cohen's textbook table: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: agreement .7, kappa .4.
    first = codes(*[CORRECT] * 25, *[INCORRECT] * 25).T
    second = codes(*[CORRECT] * 20, *[INCORRECT] * 5, *[CORRECT] * 10, *[INCORRECT] * 15).T
    result = agreement(first, second)
    assert result.rate.value == pytest.approx(0.7)
    assert result.kappa.value == pytest.approx(0.4)
    assert (result.first_only, result.second_only) == (5, 10)


def test_kappa_is_statsmodels() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.choice([CORRECT, INCORRECT, NO_ANSWER], (2, 300, 1)).astype(np.int8)
    table = np.array(
        [[((first == CORRECT) == a) & ((second == CORRECT) == b) for b in (1, 0)] for a in (1, 0)]
    ).sum(axis=(-2, -1))
    assert agreement(first, second).kappa.value == pytest.approx(
        inter_rater.cohens_kappa(table).kappa
    )


def test_kappa_of_chance_is_zero() -> None:
    assert cohen_kappa(0.5, 0.5, 0.5) == 0


def test_flips() -> None:
    assert flips(np.array([1, 1, 0, NAN]), np.array([1, 0, 1, 1])) == (1, 1)


def test_kappa_covers_with_samples_of_a_problem_hanging_together() -> None:
    rng, covered = np.random.default_rng(1), 0
    for _ in range(150):
        easy = rng.random((60, 1)) < 0.5
        first = np.where(np.repeat(easy, 8, axis=1), CORRECT, INCORRECT).astype(np.int8)
        wrong = np.repeat(rng.random((60, 1)) < 0.1, 8, axis=1)
        second = np.where(wrong, np.where(first == CORRECT, INCORRECT, CORRECT), first)
        kappa = agreement(first, second.astype(np.int8)).kappa
        covered += kappa.low <= 0.8 <= kappa.high
    assert 0.88 <= covered / 150 <= 0.99
