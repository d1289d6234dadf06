"""A driver as a run has it, over scripted engines, in this process or in one of its own.

The cells are a real study's: its datasets, prompts and store. Only the engine is a script.
"""

import io
import logging
import multiprocessing
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rich.console import Console

from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.config.values import Study
from distlab.console.display import Display
from distlab.console.progress import CellProgress, State
from distlab.console.progress_view import PlainView
from distlab.engines.events import EventLog
from distlab.engines.fleet import Fleet
from distlab.sampling.outcome import Outcome
from distlab.sampling.planned import PlannedCell
from distlab.sampling.prepare import prepare
from distlab.sampling.sampler import Engines, sample
from distlab.store import committer
from distlab.store.store import Store

OVERRIDES = (
    "dataset=gsm-symbolic",
    "prompt=zero-shot",
    "dataset.sets.gsm-symbolic.options.pairs=10",
    "decoding.n=4",
    "decoding.max_tokens=8",
    "cluster.engine=tests.engines.scripted:ScriptedEngine",
    "cluster.cpus_per_rank=0.5",
    "cluster.max_num_seqs=4",
    "cluster.wait_for_nodes_s=120",
)

Key = tuple[str, str, int]
Tokens = tuple[int, ...]


def cells_of(folder: Path, *overrides: str) -> tuple[Study, list[PlannedCell]]:
    """What is missing in `folder/store`, to be drawn by the engines of `folder/script`."""
    (folder / "script").mkdir(parents=True, exist_ok=True)
    study = validate(compose_config([*OVERRIDES, f"store='{folder / 'store'}'", *overrides]))
    cells = prepare(study, Store.open(study.store)).cells
    for planned in cells:
        planned.stored.create(planned.fields)
    model = str(folder / "script")
    return study, [replace(p, checkpoint=replace(p.checkpoint, model=model)) for p in cells]


def draw(folder: Path, *overrides: str, fleet: Fleet | None = None) -> Outcome:
    """Draw what is missing; Ray is connected. Without a fleet the engines are stopped after it."""
    study, cells = cells_of(folder, *overrides)
    rows = {p.cell.path: CellProgress(p.cell.key, len(p.prompt_hashes), 0) for p in cells}
    own = fleet or Fleet()
    try:
        engines = Engines(study.cluster, own, EventLog(folder / "events.jsonl"))
        display = Display(State(cells=rows), PlainView(Console(file=io.StringIO())))
        return sample(cells, engines, folder.name, display)
    finally:
        if fleet is None:
            own.close()


def stored(folder: Path) -> tuple[Counter[Key], dict[Key, Tokens]]:
    """Every row of every shard: how often its key is there, and its tokens."""
    counts: Counter[Key] = Counter()
    tokens: dict[Key, Tokens] = {}
    for shard in sorted((folder / "store").rglob("samples-*.parquet")):
        cell = str(shard.parent.relative_to(folder / "store"))
        for row in pq.read_table(shard).to_pylist():
            key = (cell, row["problem_id"], row["rank"])
            counts[key] += 1
            tokens[key] = tuple(row["token_ids"])
    return counts, tokens


def _main(address: str, folder: Path, overrides: tuple[str, ...], commit_s: float) -> None:
    import ray

    # What a fault leaves of a driver is of interest, and not what it prints.
    sys.stdout = sys.stderr = io.StringIO()
    committer._SOONEST_S = commit_s
    ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    outcome = draw(folder, *overrides)
    (folder / "outcome").write_text(f"{outcome.samples} {outcome.signal}")
    sys.exit(0 if outcome.signal is None else 128 + outcome.signal)


def driver(
    address: str, folder: Path, *overrides: str, commit_s: float = 0.3
) -> multiprocessing.process.BaseProcess:
    """A driver in a process of its own, started; it commits more often than a user's does."""
    context: Any = multiprocessing.get_context("forkserver")
    # Imported once and not by each of dozens of drivers.
    context.set_forkserver_preload(["tests.engines.driving", "ray"])
    make: Callable[..., multiprocessing.process.BaseProcess] = context.Process
    process = make(target=_main, args=(address, folder, overrides, commit_s))
    process.start()
    return process
