from functools import partial
from pathlib import Path

import pytest

from tests.compare.conftest import Make, scored_run


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a run; returns its folder."""
    return partial(scored_run, tmp_path)
