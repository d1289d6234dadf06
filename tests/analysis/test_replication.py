import numpy as np
import pytest

from distlab.analysis.intervals import NOTHING, Estimate
from distlab.analysis.replication import Judgement, judge, published_gap, published_share


def test_published_share() -> None:
    published = published_share(0.9082, 1319)
    assert published.value == 0.9082
    assert 0.89 < published.low < 0.9082 < published.high < 0.925


def test_published_gap_is_unpaired() -> None:
    gap = published_gap(0.9082, 0.5815, 1319)
    assert gap.value == pytest.approx(-0.3267)
    error = np.sqrt((0.9082 * 0.0918 + 0.5815 * 0.4185) / 1319)
    assert gap.high - gap.low == pytest.approx(2 * 1.959964 * error, rel=1e-5)


PAPER = Estimate(-0.30, -0.33, -0.27)


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        (Estimate(-0.29, -0.32, -0.26), Judgement.REPLICATED),
        (Estimate(0.01, -0.02, 0.04), Judgement.NOT_REPLICATED),
        # Wide enough to hold the figure and zero as well.
        (Estimate(-0.15, -0.40, 0.10), Judgement.CANNOT_TELL),
        # The intervals touch, but the figure is outside ours.
        (Estimate(-0.25, -0.28, -0.22), Judgement.CANNOT_TELL),
        (Estimate(-0.30, np.nan, np.nan), Judgement.CANNOT_TELL),
        (NOTHING, Judgement.CANNOT_TELL),
    ],
)
def test_judgement(ours: Estimate, expected: Judgement) -> None:
    assert judge(ours, PAPER) == expected
