import numpy as np

from distlab.analysis.nulls import any_correct, reasons


def test_any_correct() -> None:
    np.testing.assert_array_equal(any_correct(np.array([[False, True], [False, False]])), [1, 0])
    assert any_correct(np.zeros((0, 10), bool)).shape == (0,)


def test_reasons() -> None:
    answers, starts = np.array([[5, 5, -1]]), np.array([[400, 3, 400]])
    np.testing.assert_array_equal(reasons(answers, starts), [[True, False, False]])
