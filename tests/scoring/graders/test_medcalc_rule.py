"""MedCalc's rule, each trap of the official scorer, and the published golds."""

import pytest

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.graders.medcalc import MedCalc
from distlab.scoring.graders.standard import Standard


def interval(text: str, lower: float, upper: float) -> Gold:
    return Gold(GoldKind.INTERVAL, text, lower=lower, upper=upper)


CRCL = interval("25.238", 23.9761, 26.4999)
FENA = interval("0.495", 0.47025, 0.51975)
BIG = interval("1234.5", 1172.775, 1296.225)
NEGATIVE = interval("-0.828", -0.8694, -0.7866)
ZERO = interval("0", 0, 0)
SCORE = Gold(GoldKind.INTEGER, "4")
BELOW = Gold(GoldKind.INTEGER, "-1")
DATE = Gold(GoldKind.DATE, "09/03/2014")
AGE = Gold(GoldKind.WEEKS_DAYS, "('3 weeks', '4 days')")

CASES = [
    (CRCL, "25.238", True),
    (CRCL, "25.2 mL/min", True),
    (CRCL, "25.2 mL/min/1.73 m²", True),
    (CRCL, "23.9761", True),
    (CRCL, "26.4999", True),
    (CRCL, "26.5", False),
    (CRCL, "-25.238", False),
    (CRCL, "25-30", False),
    (CRCL, "25 to 30 mL/min", False),
    (CRCL, "CrCl = 25.2", True),
    (CRCL, "2.52e1", True),
    (CRCL, r"2.52 \times 10^1", True),
    (CRCL, "unknown", False),
    (CRCL, "", False),
    # "1,234.5" is 1234.5, not 234.5.
    (BIG, "1,234.5", True),
    (BIG, "1,234.5 mg/dL", True),
    (BIG, "234.5", False),
    (interval("234.5", 222.775, 246.225), "1,234.5", False),
    # A per cent sign is the gold's unit, never a hundredth.
    (FENA, "0.495%", True),
    (FENA, "0.495 %", True),
    (FENA, r"0.495\%", True),
    (FENA, "49.5%", False),
    # Sums and products are worked out without eval; nothing else is.
    (interval("1.944", 1.8, 2.0), "140/72", True),
    (CRCL, "(140 - 87) * 48 / (72 * 1.4)", True),
    (CRCL, "2**4", False),
    (CRCL, "1/0", False),
    (CRCL, "__import__('os').getpid()", False),
    (NEGATIVE, "-0.828", True),
    (NEGATIVE, "−0.83", True),
    (NEGATIVE, "0.828", False),
    (ZERO, "0", True),
    (ZERO, "0.0", True),
    (ZERO, "0.001", False),
    (SCORE, "4", True),
    (SCORE, "4 points", True),
    (SCORE, "4.0", True),
    (SCORE, "4.4", True),
    (SCORE, "3.6", True),
    (SCORE, "4.6", False),
    (SCORE, "4.5", True),  # halves to even, as Python rounds
    (SCORE, "3.5", True),
    (SCORE, "40", False),
    (BELOW, "-1", True),
    (BELOW, "1", False),
    (DATE, "09/03/2014", True),
    (DATE, "9/3/2014", True),
    (DATE, "9/3/14", True),
    (DATE, "2014-09-03", True),
    (DATE, "September 3, 2014", True),
    (DATE, "3rd of Sept 2014", True),
    (DATE, "03/09/2014", False),
    (DATE, "09/04/2014", False),
    (DATE, "13/45/2014", False),
    (DATE, "soon", False),
    (AGE, "(3 weeks, 4 days)", True),
    (AGE, "('3 weeks', '4 days')", True),
    (AGE, "3 weeks and 4 days", True),
    (AGE, "3 weeks', '4 days", True),
    (AGE, "3w4d", True),
    (AGE, "3, 4", True),
    (AGE, "3 4/7 weeks", True),
    (AGE, "4 weeks and 3 days", False),
    (AGE, "3 weeks", False),
    (AGE, "25 days", False),
    (Gold(GoldKind.WEEKS_DAYS, "('14 weeks', '0 days')"), "14 weeks", True),
]


@pytest.mark.parametrize(("gold", "answer", "verdict"), CASES)
def test_rule(gold: Gold, answer: str, verdict: bool) -> None:
    assert MedCalc().grade(gold, answer) is verdict
    assert Standard().grade(gold, answer) is verdict


def test_an_unreadable_gold_is_an_error_not_a_verdict() -> None:
    with pytest.raises(ValueError, match="no date"):
        MedCalc().grade(Gold(GoldKind.DATE, "soon"), "soon")
    with pytest.raises(ValueError, match="no limits"):
        MedCalc().grade(Gold(GoldKind.INTERVAL, "3"), "3")
