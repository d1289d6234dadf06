"""All figures of the GPU of this machine; `make gpu` prints them as a table."""

from pathlib import Path

import pytest

from tests.gpu.card import card
from tests.gpu.figures import FULL, measure
from tests.gpu.shapes import QWEN3_8B, parameters

# Of what the engine alone does with the same requests, so much must be left (ours).
_LEAST_RATIO = 0.9


def test_the_shape_is_that_of_qwen3_8b() -> None:
    # As the hub counts its safetensors.
    assert parameters(QWEN3_8B) == 8_190_735_360


@pytest.mark.gpu
@pytest.mark.timeout(3600)
def test_draws_are_as_fast_as_the_engine_alone(tmp_path: Path) -> None:
    if card() is None:
        pytest.skip("no GPU here: nvidia-smi lists none")
    figures = measure(FULL, tmp_path, print)
    ratios = [float(figure.ratio) for figure in figures if figure.ratio]
    assert len(ratios) == len(FULL.batches)
    assert min(ratios) >= _LEAST_RATIO
