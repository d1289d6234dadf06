import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Components that tests of scoring name by import path live beside them.
sys.path.append(str(Path(__file__).parent / "scoring"))


@pytest.fixture(scope="session")
def ray_up() -> Iterator[None]:
    """One small Ray for all tests that need one."""
    import ray

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(
            address="local",
            num_cpus=2,
            object_store_memory=300 << 20,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
        # Ray's handler turns SIGTERM into an exit that pytest would blame on whichever test runs.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        yield
        ray.shutdown()
