"""The patch of docs/contributing.md that adds a sample column, on a copy of the package."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATCH = ROOT / "docs" / "examples" / "sample-column.patch"
# Writes a sample with the new column and one without, then reads them and a store of format 1.
SCRIPT = """
import sys
import pyarrow as pa
from pyarrow.fs import LocalFileSystem
from distlab.decoding.interface import Sample
from distlab.store.batches import to_batch
from distlab.store.sample_schema import FORMAT
from distlab.store.shard import encode
from distlab.store.store import Store, read_shard

new, old, golden = sys.argv[1:]
assert FORMAT == 5
plain = {"prompt_ids": (1, 2), "token_ids": (3,), "text": "x", "truncated": False}
samples = [Sample("p", 0, cached_tokens=16, **plain), Sample("p", 1, **plain)]
with open(new, "wb") as stream:
    stream.write(encode(pa.Table.from_batches([to_batch(samples, "run")])))
local = LocalFileSystem()
print(read_shard(local, new, ["cached_tokens"]).column(0).to_pylist())
print(read_shard(local, old, ["text", "cached_tokens"]).to_pylist())
cell = Store.look(golden).cell(sys.stdin.read())
tables = [read_shard(local, shard, ["cached_tokens"]) for shard in cell.shards()]
print({value for table in tables for value in table.column(0).to_pylist()})
"""
OLD = """
import sys
import pyarrow as pa
from distlab.decoding.interface import Sample
from distlab.store.batches import to_batch
from distlab.store.shard import encode

sample = Sample("p", 0, (1, 2), (3,), "x", False)
with open(sys.argv[1], "wb") as stream:
    stream.write(encode(pa.Table.from_batches([to_batch([sample], "run")])))
"""
DRAWS = "smollm2-135m-packaged/instruct/t0.05/gsm-symbolic/zero-shot/b123b8ad04f39df8"


def python(package: Path, script: str, *words: str, told: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        input=told,
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_new_column_is_written_and_older_shards_are_read_without_it(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "distlab", tmp_path / "distlab")
    git = ["git", "apply", str(PATCH)]
    subprocess.run(git, cwd=tmp_path, check=True, env={**os.environ, "GIT_DIR": os.devnull})
    new, old, golden = (str(tmp_path / name) for name in ("new", "old", "store"))
    shutil.copytree(ROOT / "tests" / "golden" / "store-v1" / "store", golden)
    python(ROOT, OLD, old)
    said = python(tmp_path, SCRIPT, new, old, golden, told=DRAWS)
    assert said.splitlines() == [
        "[16, None]",
        "[{'text': 'x', 'cached_tokens': None}]",
        "{None}",
    ]


def test_the_guide_counts_its_files() -> None:
    done = subprocess.run(
        ["git", "apply", "--numstat", str(PATCH)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = [line.split("\t")[2] for line in done.stdout.splitlines()]
    guide = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
    (row,) = (line for line in guide.splitlines() if line.startswith("| sample column |"))
    assert all(f"`{file}`" in row for file in files)
    assert f" {len(files)} + 1 |" in row
