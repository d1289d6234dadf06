"""Grader verdicts on pairs of gold and answer that harnesses get wrong.

A row: gold, answer, and the verdicts of standard, prm800k and math-verify. 1 and 0 are what the
verdict must be; None is left open (Math-Verify's own choice, or form that a strict grader may
refuse).
"""

import re

import pytest

from distlab.problems.latex_golds import latex_gold
from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.graders.math_verify import MathVerify
from distlab.scoring.graders.prm800k import PRM800K
from distlab.scoring.graders.standard import Standard

NEVER = re.compile(r"(?!)")
STANDARD, PRM, MATH_VERIFY = Standard(), PRM800K(), MathVerify()

PAIRS: list[tuple[str, str, int | None, int | None, int | None]] = [
    ("18", "18", 1, 1, 1),
    ("18", "18.0", 1, 1, 1),
    ("18", "$18", 1, 1, 1),
    ("18", r"\$18", 1, 1, 1),
    ("18", "18 dollars", 1, 1, 1),
    ("18", "**18**", 1, 1, 1),
    ("18", r"\boxed{18}", 1, 1, 1),
    ("1000", "1,000", 1, 1, 1),
    ("1,000", "1000", 1, 1, 1),
    ("1234.5", "1,234.5", 1, 1, 1),
    ("7", "700", 0, 0, 0),
    ("700", "7", 0, 0, 0),
    ("(2,5)", "[2,5)", 0, 0, 0),
    ("[2,5)", "(2,5)", 0, 0, 0),
    ("(2,5)", "(2, 5)", 1, 1, 1),
    ("(2,5)", "(5,2)", 0, 0, 0),
    ("5", "x=5", 1, 1, 1),
    ("x=5", "5", 1, 1, 1),
    ("x=5", "y=5", 0, 0, 0),
    (r"\frac{1}{2}", "1/2", 1, 1, 1),
    (r"\frac{1}{2}", "0.5", 1, 1, 1),
    ("0.5", r"\frac12", 1, 1, 1),
    (r"\frac12", r"\dfrac{1}{2}", 1, 1, 1),
    ("50", "50%", 1, 1, 1),
    (r"50\%", "50", 1, 1, 1),
    ("0.5", "50%", 1, 0, 1),
    (r"50\%", "0.5", 1, 0, None),
    ("3", "-3", 0, 0, 0),
    ("-3", "−3", 1, 1, 1),
    ("10:00", "10", 1, 1, 1),
    ("10", "10:00", 1, 1, 1),
    (r"\text{4:30 p.m.}", "4:30", 1, 1, None),
    (r"\text{4:30 p.m.}", r"4:30 \text{ p.m.}", 1, 1, None),
    (r"\text{4:30 p.m.}", "4:30 a.m.", 0, 0, 0),
    (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{bmatrix}1\\2\end{bmatrix}", 1, 1, 1),
    (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix} 2 \\ 1 \end{pmatrix}", 0, 0, 0),
    (
        r"\begin{pmatrix} -1/3 \\ 2/3 \end{pmatrix}",
        r"\begin{pmatrix} -\frac{1}{3} \\ \frac{2}{3} \end{pmatrix}",
        1,
        1,
        1,
    ),
    (
        r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}",
        r"\begin{pmatrix} 1 & 2 \\ 3 & 5 \end{pmatrix}",
        0,
        0,
        0,
    ),
    ("1,-2", "-2, 1", 1, 1, 1),
    ("1,-2", "x = 1 or x = -2", 1, 1, 1),
    ("1,-2", r"x=1\text{ or }x=-2", 1, 1, 1),
    ("1,-2", "1", 0, 0, 0),
    ("1,-2", "1, 2", 0, 0, 0),
    ("0 or 4", "4 or 0", 1, 1, 1),
    ("0 or 4", "0, 4", 1, 1, 1),
    ("0 or 4", r"\{0,4\}", 1, 1, 1),
    ("0 or 4", "4", 0, 0, 0),
    (r"1 \pm \sqrt{19}", r"1+\sqrt{19}, 1-\sqrt{19}", 1, 1, 1),
    (r"1 \pm \sqrt{19}", r"1-\sqrt{19}", 0, 0, 0),
    (r"\{1\pm\sqrt{5},-2\}", r"\{-2, 1+\sqrt5, 1-\sqrt5\}", 1, 1, 1),
    (r"\text{(B)}", "(B)", 1, 1, 1),
    (r"\text{(B)}", "B", 1, 1, 1),
    (r"\text{(B)}", r"\text{B}", 1, 1, 1),
    (r"\text{(B)}", "(C)", 0, 0, 0),
    ("B", "b", 0, None, None),
    (r"5 \text{ cm}", "5", 1, 1, 1),
    ("5", r"5 \text{ cm}", 1, 1, 1),
    ("5", "5 cm", 1, 1, 1),
    (r"864 \mbox{ inches}^2", "864", 1, 1, 1),
    (r"864 \mbox{ inches}^2", "864 square inches", 1, 1, None),
    (r"90^\circ", "90", 1, 1, 1),
    ("90", r"90^\circ", 1, 1, 1),
    (r"90^\circ", "90 degrees", 1, 1, 1),
    (r"90^\circ", "90°", 1, 1, 1),
    (r"\frac{270}7\text{ degrees}", r"\frac{270}{7}", 1, 1, 1),
    (r"3\sqrt{13}", r"3\sqrt{13}", 1, 1, 1),
    (r"11\sqrt2", r"11\sqrt{2}", 1, 1, 1),
    (r"\frac{3\sqrt{3}}{4}", r"\frac{3}{4}\sqrt{3}", None, 1, 1),
    (r"\frac{\sqrt{3}}{3}", r"\frac{1}{\sqrt{3}}", 0, 1, 1),
    ("6+9i", "9i+6", 1, 1, 1),
    ("6 - 5i", "6+5i", 0, 0, 0),
    (r"1\frac{4}{5}", r"\frac{9}{5}", 1, 1, 1),
    (r"1\frac{4}{5}", "1 4/5", 1, 1, 1),
    (r"1\frac{4}{5}", "1.8", 1, 1, 1),
    (r"137 \frac{1}{2}", "137.5", 1, 1, 1),
    ("10,\\!080", "10080", 1, 1, 1),
    ("11,\\! 111,\\! 111,\\! 100", "11111111100", 1, 1, 1),
    (r"\$32,\!348", "32348", 1, 1, 1),
    (r"\$32,\!348", "$32,348", 1, 1, 1),
    ("58,500", "58500", 1, 1, 1),
    ("14{,}916", "14,916", 1, 1, 1),
    (".35625", "0.35625", 1, 1, 1),
    ("52_8", "52_{8}", 1, 1, 1),
    ("52_8", "52", 1, 1, 1),
    ("4210_{5}", "4210_5", 1, 1, 1),
    (r"\text{Evelyn}", "Evelyn", 1, 1, 1),
    (r"\text{Evelyn}", "evelyn", 1, 1, None),
    (r"\text{Evelyn}", "Carla", 0, 0, 0),
    (r"\text{east}", "seat", 0, 0, None),
    (r"(-\infty, 2) \cup (3, \infty)", r"(3,\infty)\cup(-\infty,2)", 1, 1, 1),
    (r"(-\infty, 2) \cup (3, \infty)", r"(-\infty, 2] \cup (3, \infty)", 0, 0, 0),
    (r"x \in [-2,7]", "[-2,7]", 1, 1, 1),
    (r"[2,\infty)", r"[2, +\infty)", 1, 1, 1),
    ("y = 2x + 3", "2x+3", 1, 1, 1),
    ("y = 2x + 3", "y=3+2x", 1, 1, 1),
    ("y = -2x", "y = 2x", 0, 0, 0),
    ("x^3+3x-6", "x^{3} + 3x - 6", 1, 1, 1),
    ("x^3+3x-6", "3x - 6 + x^3", 1, 1, 1),
    ("(a+5)(b+2)", "(b+2)(a+5)", None, 1, 1),
    ("13/38", r"\frac{13}{38}", 1, 1, 1),
    (r"9/\sqrt{5}", r"\frac{9}{\sqrt{5}}", 1, 1, 1),
    (r"11\sqrt{3}/2", r"\frac{11\sqrt{3}}{2}", 1, 1, 1),
    (r"\frac{-7+\sqrt{3}}{2}", r"\frac{\sqrt{3}-7}{2}", None, 1, 1),
    ("-7/2", r"-\frac{7}{2}", 1, 1, 1),
    ("-7/2", r"\frac{-7}{2}", 1, 1, 1),
    ("-7/2", "-3.5", 1, 1, 1),
    ("2/4", "1/2", 1, 0, 1),
    ("1/2", "2/4", 1, 0, 1),
    ("2", "4/2", 1, 0, 1),
    ("8", "2^3", 0, 0, 1),
    ("1/3", "0.333", 0, 0, None),
    ("1/3", "0.3333333", 0, None, None),
    ("16.5", "33/2", 1, 1, 1),
    ("not exist", "does not exist", 1, 1, None),
    ("not exist", "DNE", 1, 1, None),
    (r"\emptyset", r"\varnothing", 1, 1, None),
    (r"\infty", r"+\infty", 1, 1, 1),
    (r"-\infty", r"\infty", 0, 0, 0),
    (r"+\infty", r"\infty", 1, 1, 1),
    ("NaN", "NaN", 1, 1, None),
    ("CAKE", "CAKE", 1, 1, 1),
    ("A, D, F, G", "A, D, F, G", 1, 1, 1),
    ("A, D, F, G", "G, F, D, A", 1, 1, 1),
    ("A, D, F, G", "A, D, F", 0, 0, 0),
    (r"\text{A,D}", "A, D", 1, 1, None),
    (r"12\text{ and }13", "12 and 13", 1, 1, 1),
    (r"\pm 1", "1, -1", 1, 1, 1),
    (r"\pm 1", "1 or -1", 1, 1, 1),
    (r"\pm 1", "1", 0, 0, 0),
    (r"5^{2/3}", r"5^{\frac{2}{3}}", 1, 1, 1),
    (r"270,\!000", "270000", 1, 1, 1),
    ("100! + 101", "101 + 100!", 1, 1, 1),
    ("(2^6) *( 3^4) * (5^2)", "129600", 0, None, 1),
    (r"40^\circ", r"\frac{2\pi}{9}", 0, 0, 0),
    ("1500000", "1.5 million", 1, 1, None),
    ("1.5", "1.5 million", 0, 0, None),
    ("6290", r"6.29 \text{ thousand}", 1, 1, None),
    ("3:2", "3:2", 1, 1, 1),
    ("1:2", "2:1", 0, 0, None),
    ("5", "five", 1, 1, None),
    ("25", "twenty-five", 1, 1, None),
    ("3400", "3.4 \\times 10^3", 1, None, 1),
    ("6290000", "6.29e6", 1, None, None),
    ("9", "a.m.", 0, 0, 0),
    (r"9\text{ a.m.}", "9 a.m.", 1, 1, None),
    (r"\left( 3, \frac{\pi}{2} \right)", r"(3,\pi/2)", 1, 1, 1),
    ("(3,3)", "3,3", None, None, None),
    ("2k", r"2k", 1, 1, 1),
    ("2k", "k", 0, 0, 0),
    ("12", "12.", 1, 1, 1),
    ("12", "Answer: 12", 1, 1, 1),
    ("5x - 7y + 11z + 4 = 0", "5x-7y+11z+4=0", 1, 1, 1),
    ("p - q", "q - p", 0, 0, 0),
    ("-13x+3", "3-13x", 1, 1, 1),
    ("2516_8", "2516", 1, 1, 1),
    (r"\frac{1}{4}", "25%", 1, 0, 1),
    ("8", "8%", 1, 1, 1),
    ("x=5", "x=6", 0, 0, 0),
    ("-1", "1", 0, 0, 0),
    ("0", "", 0, 0, 0),
    ("42", "the", 0, 0, 0),
    ("1", "1, 2", 0, 0, 0),
    ("3", "3 or 4", 0, 0, 0),
    ("100", "100,200", 0, 0, 0),
    ("100200", "100,200", 1, 1, 1),
    (r"[1,100]", "(1,100)", 0, 0, 0),
    ("-0.25", "-\\frac{1}{4}", 1, 1, 1),
    ("10", r"10\text{ hours}", 1, 1, 1),
    ("12", r"12\%", 1, 1, 1),
    ("4", "four apples", 1, 1, None),
    (r"144 \mbox{ m}^3", r"144 m^3", 1, 1, None),
    (r"15\mbox{ cm}^2", "15 cm²", 1, 1, None),
    (r"5.4 \text{ cents}", "5.4", 1, 1, 1),
    ("2.5", "2,5", 0, 0, None),
    (r"\frac{3}{4}\pi\text{ inches}", r"\frac{3\pi}{4}", None, 1, 1),
    (r"\sqrt{2}-1", r"-1+\sqrt{2}", 1, 1, 1),
    (r"2+\log_5 4", r"\log_5 4 + 2", 1, 1, 1),
    # A whole number before a fraction is a product unless the fraction is proper.
    ("13", r"1\frac{3}{1}", 0, 0, 0),
    (r"\frac{25}{2}", r"2\frac{5}{2}", 0, None, None),
    # Groups of digits that are cut short.
    ("276,000", "276,00", 0, 0, 0),
    (r"\$115,000", "115,00", 0, 0, 0),
    # Another base.
    ("1101_4", "1101_5", 0, 0, 0),
    ("1101_4", "1101_40", 0, 0, 0),
    # No options.
    ("B", "B.5", 0, 0, 0),
    ("i", "i.5", 0, 0, None),
    (r"\frac{12}{5,\!525}", r"\frac{12}{5525}", 1, 1, 1),
    # An equation as the answer is a value only where its left side names what was asked for.
    ("5", "2x = 5", 0, 0, None),
    ("5", "x^2 = 5", 0, 0, None),
    ("2x + 3y + 5 = 0", "0", 0, 0, None),
    ("1, 2", "1 or 2", 1, 1, 1),
    ("1", "1 or 2", 0, 0, 0),
    ("7", r"7 \text{ feet } 3 \text{ inches}", 0, 0, 0),
]


@pytest.mark.parametrize(
    ("gold", "answer", "standard", "prm800k", "math_verify"),
    PAIRS,
    ids=[f"{gold} vs {answer}" for gold, answer, *_ in PAIRS],
)
def test_pair(
    gold: str, answer: str, standard: int | None, prm800k: int | None, math_verify: int | None
) -> None:
    expected = {STANDARD: standard, PRM: prm800k, MATH_VERIFY: math_verify}
    for grader, verdict in expected.items():
        if verdict is not None:
            assert grader.grade(latex_gold(gold), answer) is bool(verdict), grader.name


def test_math_verify_shortcut_agrees_with_math_verify(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["0", "-0", "7", "-7", "70", "700", "007", "999999999999999", "12", "21"]
    golds = [Gold(GoldKind.NUMBER, text) for text in texts]
    quick = {(g.text, a): MATH_VERIFY.grade(g, a) for g in golds for a in texts}
    monkeypatch.setattr("distlab.scoring.graders.math_verify._INTEGER", NEVER)
    slow = {(g.text, a): MATH_VERIFY.grade(g, a) for g in golds for a in texts}
    assert quick == slow


def test_which_kinds_apply() -> None:
    algebra = {GoldKind.NUMBER, GoldKind.LATEX, GoldKind.LIST}
    assert {kind for kind in GoldKind if STANDARD.applies(kind)} == set(GoldKind)
    assert {kind for kind in GoldKind if PRM.applies(kind)} == algebra
    assert {kind for kind in GoldKind if MATH_VERIFY.applies(kind)} == algebra
