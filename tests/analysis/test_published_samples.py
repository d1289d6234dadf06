"""Real samples that others graded: the statistics give the figures that they published."""

import json
from pathlib import Path

import numpy as np
import pytest

from distlab.analysis.passk import iid_curve

SAMPLES = Path(__file__).parents[3] / "shared/data/outputs/qwen2.5-math_100x8/math_cot_100.jsonl"


@pytest.mark.skipif(not SAMPLES.exists(), reason="needs ../shared/data/outputs")
def test_qwen_math_100x8() -> None:
    rows = [json.loads(line) for line in SAMPLES.read_text().splitlines()]
    correct = np.array([row["score"] for row in rows], dtype=bool)
    assert correct.sum(axis=0).tolist() == [90, 92, 93, 89, 92, 92, 90, 90]
    curve = iid_curve(np.full(100, 8), correct.sum(axis=1), 8).mean(axis=0)
    assert curve[7] == pytest.approx(0.96)
    assert curve[0] == pytest.approx(correct.mean())
    assert (np.diff(curve) > 0).all()
