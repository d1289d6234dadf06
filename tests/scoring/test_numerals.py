"""Numbers in words."""

from fractions import Fraction

import pytest

from distlab.scoring.numerals import DOZENS, NUMERAL, dozens_value, numeral_value


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("zero", 0),
        ("twenty-five", 25),
        ("minus two hundred and five", -205),
        ("one thousand two hundred", 1200),
        ("a half", Fraction(1, 2)),
        ("an eighth", Fraction(1, 8)),
        ("two and a half million", 2_500_000),
        ("three quarters", Fraction(3, 4)),
        ("two and a half", Fraction(5, 2)),
        ("3 and a half", Fraction(7, 2)),
        ("minus six and three quarters", Fraction(-27, 4)),
    ],
)
def test_value(words: str, value: int | Fraction) -> None:
    match = NUMERAL.fullmatch(words)
    assert match
    assert numeral_value(match[0]) == value


@pytest.mark.parametrize("words", ["3", "3 dozen", "two dozen", "half"])
def test_what_is_no_number_in_words(words: str) -> None:
    assert NUMERAL.search(words) is None


@pytest.mark.parametrize(
    ("words", "value"),
    [("half a dozen", 6), ("a dozen", 12), ("two dozen", 24), ("Twenty-five dozens", 300)],
)
def test_dozens(words: str, value: int) -> None:
    match = DOZENS.fullmatch(words)
    assert match
    assert dozens_value(match) == value


@pytest.mark.parametrize("words", ["dozens", "dozen", "dozens of", "half dozen"])
def test_what_counts_no_dozens(words: str) -> None:
    assert DOZENS.search(words) is None
