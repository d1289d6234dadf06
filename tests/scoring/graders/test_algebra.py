import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.graders import math_verify, prm800k
from distlab.scoring.graders._algebra import quicken_parser
from distlab.scoring.graders.math_verify import MathVerify
from distlab.scoring.graders.prm800k import PRM800K

OUTPUTS = Path(__file__).parents[4] / "shared/data/outputs/qwen2.5-math_100x8/math_cot_100.jsonl"


@pytest.mark.parametrize(
    "text",
    ["0", "14", "007", "000", "1,234", "1,2", "9" * 400, "3.50", ".5", "1.", "-3", "1e5", "٣"],
)
def test_same_number(text: str) -> None:
    from latex2sympy2_extended.latex2sympy2 import _Latex2Sympy
    from sympy import srepr

    quicken_parser()
    quick = _Latex2Sympy.parse_number

    def said(parse: object) -> str:
        try:
            return srepr(parse(None, text))  # type: ignore[operator]
        except Exception as error:
            return type(error).__name__

    assert said(quick) == said(quick.__wrapped__)


def judged(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Verdicts of both graders, from empty caches."""
    from math_verify.parser import parse_latex_cached

    for cache in (parse_latex_cached, math_verify._gold, prm800k._expression):
        cache.cache_clear()
    verdicts = []
    for gold, answer in pairs:
        for grader in (MathVerify(), PRM800K()):
            try:
                verdicts.append(str(grader.grade(Gold(GoldKind.LATEX, gold), answer)))
            except Exception as error:
                verdicts.append(type(error).__name__)
    return verdicts


@pytest.mark.skipif(not OUTPUTS.exists(), reason="needs ../shared/data/outputs")
def test_same_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    from latex2sympy2_extended.latex2sympy2 import _Latex2Sympy

    golds = [json.loads(line)["gt"] for line in OUTPUTS.read_text().splitlines()]
    pairs = [(gold, f"{gold}{tail}") for gold in golds for tail in ("", "+0", "+7")]
    quicken_parser()
    quick = judged(pairs)
    monkeypatch.setattr(_Latex2Sympy, "parse_number", _Latex2Sympy.parse_number.__wrapped__)
    assert judged(pairs) == quick
    assert {"True", "False"} <= set(quick)
