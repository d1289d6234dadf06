import numpy as np
import pytest

from distlab.analysis.replication import normal_error, published_gap, published_share


def test_published_share() -> None:
    published = published_share(0.9082, 1319)
    assert published.value == 0.9082
    assert 0.89 < published.low < 0.9082 < published.high < 0.925


def test_published_gap_is_unpaired() -> None:
    gap = published_gap(0.9082, 0.5815, 1319)
    assert gap.value == pytest.approx(-0.3267)
    error = np.sqrt((0.9082 * 0.0918 + 0.5815 * 0.4185) / 1319)
    assert gap.high - gap.low == pytest.approx(2 * 1.959964 * error, rel=1e-5)


def test_error_behind_an_interval() -> None:
    gap = published_gap(0.5, 0.5, 200)
    assert normal_error(gap) == pytest.approx(np.sqrt(0.5 / 200))
