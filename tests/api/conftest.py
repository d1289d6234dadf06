from pathlib import Path

import pytest

from tests.api.made import ingested, judged


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scored run. Copy what you change."""
    return judged(ingested(tmp_path_factory.mktemp("made")))
