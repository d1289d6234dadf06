import numpy as np
import pytest
from statsmodels.stats import inter_rater

from distlab.analysis.agreement import agreement, cohen_kappa, flips, winner, winner_depends
from distlab.analysis.intervals import NOTHING, Estimate
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
    assert np.isnan([result.rate, result.kappa]).all()


def test_everything_but_correct_is_the_same() -> None:
    result = agreement(codes(TIMEOUT, ERROR, NO_ANSWER), codes(INCORRECT, NO_ANSWER, INCORRECT))
    assert result.rate == 1
    assert np.isnan(result.kappa)


def test_kappa_by_hand() -> None:
    # Cohen's textbook table: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: agreement .7, kappa .4.
    first = codes(*[CORRECT] * 25, *[INCORRECT] * 25)
    second = codes(*[CORRECT] * 20, *[INCORRECT] * 5, *[CORRECT] * 10, *[INCORRECT] * 15)
    result = agreement(first, second)
    assert result.rate == pytest.approx(0.7)
    assert result.kappa == pytest.approx(0.4)
    assert (result.first_only, result.second_only) == (5, 10)


def test_kappa_is_statsmodels() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.choice([CORRECT, INCORRECT, NO_ANSWER], (2, 300)).astype(np.int8)
    table = np.array(
        [[((first == CORRECT) == a) & ((second == CORRECT) == b) for b in (1, 0)] for a in (1, 0)]
    ).sum(axis=-1)
    assert agreement(first, second).kappa == pytest.approx(inter_rater.cohens_kappa(table).kappa)


def test_kappa_of_chance_is_zero() -> None:
    assert cohen_kappa(0.5, 0.5, 0.5) == 0


def test_flips() -> None:
    assert flips(np.array([1, 1, 0, NAN]), np.array([1, 0, 1, 1])) == (1, 1)


def test_winner() -> None:
    assert winner(Estimate(0.1, 0.05, 0.2)) == "instruct"
    assert winner(Estimate(-0.1, -0.2, -0.05)) == "base"
    assert winner(Estimate(0.1, -0.1, 0.2)) == "undecided"
    assert winner(NOTHING) == "undecided"


def test_winner_depends() -> None:
    up, down = Estimate(0.1, 0, 1), Estimate(-0.1, -1, 0)
    assert winner_depends([up, down])
    assert not winner_depends([up, up, NOTHING])
