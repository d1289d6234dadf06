"""Which equations state a condition, and which name what was asked for."""

import pytest

from distlab.scoring.equations import is_condition


@pytest.mark.parametrize(
    "text",
    [
        "3x = 9",
        "9 = 3x",
        "x^2 = 9",
        "|x| = 9",
        r"\left|x\right| = 9",
        r"\log x = 9",
        r"\sqrt{x} = 9",
        r"\frac{x}{2} = 9",
        r"2\theta = 9",
        "2f(3) = 9",
        "5k + 4 = 9",
    ],
)
def test_conditions(text: str) -> None:
    assert is_condition(text)


@pytest.mark.parametrize(
    "text",
    [
        "9",
        "x = 9",
        "9 = x",
        "x_1 = 9",
        "f(3) = 9",
        "f^{-1}(3) = 9",
        "|z| = 9",
        "a+b = 9",
        "y = 9x",
        r"\cos A = 9",
        r"\pi r^2 = 9",
        r"\text{Area} = 9",
        "3x <= 9",
        r"3x \le y = 9",
        "x = 3^2 = 9",
        "3x = 9" + " " * 200,
    ],
)
def test_other_equations(text: str) -> None:
    assert not is_condition(text)
