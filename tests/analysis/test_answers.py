import numpy as np

from distlab.analysis.answers import (
    NONE,
    aggregate_delta,
    distinct_answers,
    largest_delta,
    majority,
    share,
)

NAN = np.nan


def test_share() -> None:
    mask = np.array([[True, True, False]])
    assert share(mask, np.array([[True, False, True]])) == 0.5
    assert np.isnan(share(mask, np.zeros((1, 3), bool)))


def test_distinct_answers() -> None:
    answers = np.array([[5, 5, 5], [5, 7, NONE], [NONE, NONE, NONE], [9, 8, 9]])
    np.testing.assert_array_equal(distinct_answers(answers), [1, 2, 0, 2])
    assert distinct_answers(np.zeros((0, 3), dtype=np.int64)).shape == (0,)


def test_majority() -> None:
    answers = np.array([[1, 2, 2], [1, 2, 3], [NONE, NONE, 4], [NONE, NONE, NONE]])
    correct = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]], dtype=bool)
    np.testing.assert_array_equal(majority(answers, correct), [0, 1, 1, 0])


def test_majority_of_one_sample_and_of_none() -> None:
    np.testing.assert_array_equal(majority(np.array([[3]]), np.array([[True]])), [1])
    empty = np.zeros((2, 0), dtype=np.int64)
    np.testing.assert_array_equal(majority(empty, empty.astype(bool)), [0, 0])
    assert majority(np.zeros((0, 2), dtype=np.int64), np.zeros((0, 2), bool)).shape == (0,)


def test_the_same_code_in_two_problems_is_two_answers() -> None:
    answers = np.array([[1, 2, 2], [1, 1, 2]])
    correct = np.array([[1, 0, 0], [1, 1, 0]], dtype=bool)
    np.testing.assert_array_equal(majority(answers, correct), [0, 1])


def test_max_and_agg_part_ways() -> None:
    # One confident branch says 1; three hesitant ones say 2 and sum to more.
    answers = np.array([[1, 2, 2, 2]])
    deltas = np.array([[0.9, 0.4, 0.4, 0.4]], dtype=np.float32)
    correct = np.array([[True, False, False, False]])
    assert largest_delta(answers, deltas, correct) == [1]
    assert aggregate_delta(answers, deltas, correct) == [0]


def test_branches_without_delta_or_answer_are_no_candidates() -> None:
    answers = np.array([[1, NONE, 2], [1, 1, NONE]])
    deltas = np.array([[NAN, 0.9, 0.1], [NAN, NAN, 0.9]])
    correct = np.array([[False, False, True], [True, True, False]])
    np.testing.assert_array_equal(largest_delta(answers, deltas, correct), [1, 0])
    np.testing.assert_array_equal(aggregate_delta(answers, deltas, correct), [1, 0])


def test_matches_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    answers = rng.integers(-1, 4, (200, 8))
    deltas = rng.integers(0, 64, (200, 8)) / 64
    correct = answers == 2
    expected = []
    for row, weights in zip(answers, deltas, strict=True):
        totals: dict[int, float] = {}
        for answer, weight in zip(row, weights, strict=True):
            if answer != NONE:
                totals[answer] = totals.get(answer, 0.0) + weight
        expected.append(float(bool(totals) and max(totals, key=totals.__getitem__) == 2))
    np.testing.assert_array_equal(aggregate_delta(answers, deltas, correct), expected)
