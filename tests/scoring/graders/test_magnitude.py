"""The size of numbers that are never worked out."""

import math

import pytest

from distlab.scoring.graders._magnitude import magnitude


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("12,345", 12_345),
        ("2^{2^2}", 16),
        ("2**10", 1024),
        ("(3!)!", 720),
        (r"2 \cdot 3(4)", 24),
        (r"\frac{6!}{3!}", 120),
        ("2^{-3}", 1 / 8),
        ("10^3 + 5", 1000),
        ("-1.5", 1.5),
    ],
)
def test_size(text: str, value: float) -> None:
    found = magnitude(text)
    assert found is not None
    assert found.log == pytest.approx(math.log10(value))


@pytest.mark.parametrize(
    ("text", "log"),
    [("9^{9^{9^9}}", math.inf), ("10^{-100000}", -100_000), ("(10^{10})!", 95_657_055_186)],
)
def test_size_beyond_what_can_be_worked_out(text: str, log: float) -> None:
    found = magnitude(text)
    assert found is not None
    assert found.log == pytest.approx(log)


def test_the_peak_is_of_what_is_worked_out_on_the_way() -> None:
    found = magnitude(r"\frac{10^{5000}}{10^{4999}}")
    assert found is not None
    assert found.log == pytest.approx(1)
    assert found.peak == pytest.approx(5000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x^2",
        "9^",
        "(",
        "5!!",
        "0",
        "1^{9^{9^9}}",
        "9^{9^9} - 9^{9^9}",
        "2 = 2",
        "1+" * 200 + "1",
    ],
)
def test_size_that_is_not_told(text: str) -> None:
    assert magnitude(text) is None
