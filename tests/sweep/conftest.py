"""A place with checkpoints for scripted engines."""

from pathlib import Path

import pytest

from tests.sweep.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.make_checkpoints("base", "instruct", "other")
    return place
