"""Formulas: found, drawn, and harmless whatever they hold."""

import re
import time

import pytest

from distlab.view.maths import LONGEST, Formula, formulas, mathml
from distlab.view.samples import JudgedAnswer
from distlab.view.shown import marked


def drawn(latex: str) -> str | None:
    return mathml(Formula(0, len(latex), latex, is_display=False))


FOUND = {
    r"So $x^2$ is it": ["x^2"],
    r"\(a\) and \[b\] and $$c$$": ["a", "b", "c"],
    r"\begin{align*} f &= 2 \\ g &= 3 \end{align*}": [
        r"\begin{align*} f &= 2 \\ g &= 3 \end{align*}"
    ],
    "It costs $12 and $5 more, or $3-$4.": [],
    r"\$5 and \$6": [],
    "$ x $ stands off, $$ $$ is empty, $a\n\nb$ are paragraphs": [],
    "$never closed": [],
}


@pytest.mark.parametrize("text", FOUND)
def test_formulas_are_told_from_money(text: str) -> None:
    found = list(formulas(text))
    assert [one.latex for one in found] == FOUND[text]
    assert all(one.latex in text[one.begin : one.end] for one in found)


def test_a_fraction_is_a_fraction() -> None:
    page = drawn(r"\frac{1}{2} < \boxed{7}")
    assert page is not None
    assert "<mfrac><mrow><mn>1</mn></mrow><mrow><mn>2</mn></mrow></mfrac><mo>&lt;</mo>" in page
    assert '<menclose notation="box">' in page


@pytest.mark.parametrize(
    "latex",
    [
        "<script>alert(1)</script>",
        r"\text{<img src=x onerror=alert(1)>}",
        r"\text{&lt;b&gt; &#x3c;script&#x3e;}",
        r"\mbox{</math><script>}",
        r'\operatorname{" onclick="alert(1)}',
        r"\begin{array}{c\" onload=\"x} 1 \end{array}",
        r"\color{red}{x}",
    ],
)
def test_hostile_formulas_do_not_break_out(latex: str) -> None:
    page = drawn(latex)
    if page is not None:
        tags = re.findall(r"<[^>]*>", page)
        assert all(re.fullmatch(r'</?m[a-z]+( [a-z]+="[a-z0-9. -]*")*>', tag) for tag in tags)
        assert "<" not in re.sub(r"<[^>]*>", "", page)


@pytest.mark.parametrize(
    "latex",
    [
        r"\phantom{x}",
        r"\textcolor{hidden words}{x}",
        r"\href{javascript:1}{x}",
        r"\hspace{-9em}x",
        r"x % hidden",
        r"\newcommand{\a}{\a\a}\a",
        r"\def\a{\a\a}\a",
        r"\class{hidden}{x}",
        r"\raise{3em}{x}",
        "a\u202eb",
        "{" * 60 + "}" * 60,
        r"\frac{1}",
    ],
)
def test_what_hides_defines_or_fails_stays_as_it_was_typed(latex: str) -> None:
    assert drawn(latex) is None
    assert "<math" not in marked(f"${latex}$", None)


@pytest.mark.parametrize(
    "unit", ["x'_", "'x^", r"\sqrt", "[x'", r"\left(", "$", "$a", r"\begin{", "{"]
)
def test_time_grows_with_length_alone(unit: str) -> None:
    def cost(length: int) -> float:
        text = (unit * length)[:length]
        begin = time.process_time()
        for formula in formulas(f"$${text[:LONGEST]}$$" + text):
            mathml(formula)
        return time.process_time() - begin

    cost(100)
    # Twenty times the length; a power of two of it would be four hundred times the time.
    assert cost(40_000) < 100 * (cost(2_000) + 0.01)


def test_an_answer_in_a_formula_is_marked_drawn_and_typed() -> None:
    text = r"So $\boxed{12}$."
    reading = JudgedAnswer("rules", "12", 11, 13, len(text), {})
    page = marked(text, reading)
    assert '<mark title="read as the answer"><math' in page
    assert (
        r'<span class="typed">$\boxed{<mark title="read as the answer">12</mark>}$</span>' in page
    )
    assert page.startswith("So ")
    assert page.endswith(".")
