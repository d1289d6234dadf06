"""A study that takes as long as a test wants, and what it left."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from distlab.files import whole

REPO = Path(__file__).parents[2]
ENGINE = REPO / "tests" / "engines" / "scripted.py"
# 8 problems x 4 samples x 2 arms, each committed at once, of an engine without a model.
STUDY = (
    "dataset=gsm-symbolic",
    "prompt=zero-shot",
    "dataset.sets.gsm-symbolic.options.pairs=5",
    "dataset.limit=8",
    "decoding.n=4",
    "decoding.max_tokens=32",
    "cluster.max_num_seqs=4",
    "cluster.engine=scripted:ScriptedEngine",
)
TOTAL = 8 * 4 * 2
LONG_S = 400.0
NEVER_S = 10_000.0


@dataclass(frozen=True)
class Place:
    """A folder with a store, runs and the script of the engine."""

    path: Path

    @property
    def script(self) -> Path:
        return self.path / "script"

    def pace(self, seconds: float) -> None:
        """How long a completion takes that begins from now on."""
        self.script.mkdir(exist_ok=True)
        with whole(self.script / "delay") as stream:
            stream.write(str(seconds).encode())

    @property
    def environment(self) -> dict[str, str]:
        tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        paths = os.pathsep.join([str(ENGINE.parent), str(REPO)])
        ours = {"DISTLAB_SCRIPT": str(self.script), "RAY_AUTH_TOKEN": "1" * 64}
        return {**os.environ, "PATH": tools, "PYTHONPATH": paths, **ours}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "distlab.jobs", *arguments],
            cwd=self.path,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, status: int = 0) -> str:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=LONG_S)
        assert process.returncode == status, output
        return output

    def samples(self) -> Counter[tuple[str, str, int]]:
        keys: Counter[tuple[str, str, int]] = Counter()
        for shard in (self.path / "store").glob("smollm2*/**/samples-*.parquet"):
            for row in pq.read_table(shard, columns=["problem_id", "rank"]).to_pylist():
                keys[str(shard.parent), row["problem_id"], row["rank"]] += 1
        return keys

    def assert_complete(self) -> None:
        found = self.samples()
        assert len(found) == found.total() == TOTAL

    def engines(self) -> list[dict[str, object]]:
        """Nodes and processes of the engines so far."""
        return [json.loads(said.read_text()) for said in self.script.glob("start-*")]

    def manifests(self) -> list[dict[str, object]]:
        found = sorted((self.path / "runs").glob("*/manifest.json"))
        return [json.loads(path.read_text()) for path in found]


def wait_for(what: Callable[[], object], say: Callable[[], str] = str) -> None:
    """Wait for what must come; the test's own deadline is generous, since machines are shared."""
    deadline = time.monotonic() + LONG_S
    while not what():
        assert time.monotonic() < deadline, say()
        time.sleep(0.2)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = Place(tmp_path_factory.mktemp("jobs"))
    made.pace(0.01)
    return made
