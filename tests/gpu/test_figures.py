"""All figures of the GPU of this machine; `make gpu` prints them as a table."""

from pathlib import Path

import pytest

from tests.gpu.card import card
from tests.gpu.figures import FULL, measure

# Of what the engine alone does with the same requests, so much must be left (ours).
_LEAST_RATIO = 0.9


@pytest.mark.gpu
@pytest.mark.timeout(3600)
def test_draws_are_as_fast_as_the_engine_alone(tmp_path: Path) -> None:
    if card() is None:
        pytest.skip("no GPU here: nvidia-smi lists none")
    figures = measure(FULL, tmp_path, print)
    ratios = [float(figure.ratio) for figure in figures if figure.ratio]
    assert len(ratios) == len(FULL.batches)
    assert min(ratios) >= _LEAST_RATIO
