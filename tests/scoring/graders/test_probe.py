import itertools

import pytest

from distlab.scoring.graders._probe import probe
from distlab.scoring.graders._spelling import spelled
from distlab.scoring.graders.math_verify import _delimited, _parsed
from tests.scoring.graders.test_pairs import PAIRS

SAME = [
    ("(x+1)^2", "x^2+2x+1"),
    (r"\sqrt{8}", r"2\sqrt{2}"),
    (r"\frac{1}{3}", "0.333333"),
    (r"\frac{1}{\sqrt{2}+1}", r"\sqrt{2}-1"),
    # Nearly everything cancels.
    ("(100000001)^2-10000000000000000-200000000", "1"),
    (r"\sqrt{10000000000000000+1}-100000000", r"\frac{1}{200000000}"),
    ("((x+1000000)^2-x^2-1000000000000)/1000000", "2x"),
    (r"2^{10}", "1024"),
]
OTHER = [
    ("(x+1)^2", "x^2+2x+2"),
    (r"\sqrt{8}", r"3\sqrt{2}"),
    (r"\frac{1}{3}", r"\frac{1}{4}"),
    ("x+y", "x+z"),
    ("12+3", "12+4"),
    (r"\pi", "e"),
    ("x^2", "x^3"),
]


def formula(text: str) -> object:
    return _parsed(_delimited(spelled(text)))[0].formula


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_may_be_equal_is_not_far(one: str, other: str) -> None:
    here, there = probe(formula(one)), probe(formula(other))
    assert here is None or there is None or not here.is_far(there)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_differs_is_far(one: str, other: str) -> None:
    here, there = probe(formula(one)), probe(formula(other))
    assert here is not None and there is not None and here.is_far(there)


@pytest.mark.parametrize(
    "text",
    ["x=3", r"\{1,2\}", "(1,2)", "x", r"\sin x", r"\infty", "10^{5000}", r"0^{-1}", "x<2"],
)
def test_what_is_no_plain_formula_has_no_value(text: str) -> None:
    assert probe(formula(text)) is None


def test_what_is_far_is_unequal_to_math_verify() -> None:
    from math_verify import verify

    formulas = [f.formula for gold, *_ in PAIRS[::3] for f in _parsed(_delimited(spelled(gold)))]
    valued = [(f, value) for f in formulas if (value := probe(f)) is not None]
    far = [(a, b) for (a, x), (b, y) in itertools.permutations(valued, 2) if x.is_far(y)]
    assert len(far) > 100
    assert not any(verify(a, b, timeout_seconds=None) for a, b in far[::30])
