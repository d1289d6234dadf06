"""Samples scored a second: the Ray Data stage against a plain loop over Math-Verify.

    python -m tests.benchmarks.scoring [--samples 100000] [--distinct 60000] [--loop 1000]

Two sets of stored samples are made from the real outputs in ../shared/data/outputs, 20 a problem:
``resampled`` draws from the eight outputs that each problem has, ``distinct`` also changes every
answer so that no two of a problem are equal. The loop does what one would write first, on a
random part of the same samples: verify(parse(gold), parse(text)). Verdicts are compared where
both judged. Nothing is cached over problems or runs; Ray's own start is outside the clock, the
start of the stage with its actors and workers is inside.
"""

import argparse
import json
import logging
import os
import random
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

from distlab.console.quiet import quiet
from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.judging import Judging
from distlab.scoring.pieces import CellSource, SourceProblem
from distlab.scoring.types import ComponentSpec
from distlab.store.sample_schema import SAMPLES
from distlab.store.shard import encode

OUTPUTS = Path(__file__).parents[3] / "shared/data/outputs/qwen2.5-math_100x8/math_cot_100.jsonl"
RULES = ComponentSpec("rules", "distlab.scoring.extractors.rules:Rules")
MATH_VERIFY = ComponentSpec("math-verify", "distlab.scoring.graders.math_verify:MathVerify")
DRAWS = 20
SHARD = 5000
CELL = 100_000
BOXED = re.compile(r"\\boxed\{([^{}]*)\}")


@dataclass(frozen=True)
class Row:
    cell: str
    problem_id: str
    rank: int
    gold: str
    text: str


@dataclass
class Made:
    """Samples on disk, and a random part of them for the loop."""

    sources: list[CellSource] = field(default_factory=list)
    probe: list[Row] = field(default_factory=list)
    samples: int = 0


def draw(count: int, distinct: bool, seed: int = 0) -> Iterator[Row]:
    """``count`` samples, 20 a problem; problems repeat under new ids."""
    outputs = [json.loads(line) for line in OUTPUTS.read_text().splitlines()]
    if distinct:
        outputs = [o for o in outputs if all(BOXED.search(text) for text in o["code"])]
    dice = random.Random(seed)
    for number in range(count // DRAWS):
        output = outputs[number % len(outputs)]
        cell = f"cell-{number * DRAWS // CELL}"
        for rank in range(DRAWS):
            text = dice.choice(output["code"])
            if distinct:
                text = BOXED.sub(lambda box, k=rank: f"\\boxed{{{box[1]}+{k}}}", text)
            yield Row(cell, f"{number}", rank, output["gt"], text)


def make(folder: Path, count: int, probe: int, distinct: bool) -> Made:
    """Write the samples as shards."""
    made = Made()
    chosen = set(random.Random(1).sample(range(count), min(probe, count)))
    shards: dict[str, list[str]] = {}
    problems: dict[str, dict[str, SourceProblem]] = {}
    rows: list[Row] = []

    def flush() -> None:
        path = folder / f"samples-{made.samples:09}.parquet"
        write(path, rows)
        shards.setdefault(rows[0].cell, []).append(str(path))
        rows.clear()

    for row in draw(count, distinct):
        problem = SourceProblem(Gold(GoldKind.LATEX, row.gold))
        problems.setdefault(row.cell, {}).setdefault(row.problem_id, problem)
        if made.samples in chosen:
            made.probe.append(row)
        rows.append(row)
        made.samples += 1
        if len(rows) == SHARD:
            flush()
    if rows:
        flush()
    made.sources = [CellSource(cell, shards[cell], DRAWS, problems[cell]) for cell in shards]
    return made


def write(path: Path, rows: Sequence[Row]) -> None:
    size = len(rows)
    columns = {
        "problem_id": pa.array([row.problem_id for row in rows]),
        "rank": pa.array([row.rank for row in rows], pa.int32()),
        "prompt_hash": pa.array(["0" * 16] * size),
        "prompt_tokens": pa.array([100] * size, pa.int32()),
        # About four characters to a token.
        "token_ids": pa.array([list(range(len(row.text) // 4)) for row in rows]),
        "text": pa.array([row.text for row in rows]),
        "finish_reason": pa.array(["stop"] * size),
        "truncated": pa.array([False] * size),
        "run": pa.array(["bench"] * size),
    }
    arrays = [
        columns[f.name].cast(f.type) if f.name in columns else pa.nulls(size, f.type)
        for f in SAMPLES
    ]
    path.write_bytes(encode(pa.table(arrays, schema=SAMPLES)))


@dataclass(frozen=True)
class Loop:
    """What the plain loop took, by the wall clock and in CPU time, and what it says."""

    seconds: float
    cpu_s: float
    said: list[bool]


def loop(rows: Sequence[Row]) -> Loop:
    """Verify every row as one would write it first."""
    from math_verify import parse, verify

    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    verify(parse("$1$"), parse("so $1$"))
    begin, cpu = time.perf_counter(), time.process_time()
    said = [bool(verify(parse(f"${row.gold}$"), parse(row.text))) for row in rows]
    return Loop(time.perf_counter() - begin, time.process_time() - cpu, said)


def processes_below(root: int) -> set[int]:
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


class Watch(threading.Thread):
    """Watches this process and all below it: peak proportional memory, CPU seconds used."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.mib = 0.0
        self._over = threading.Event()
        self._before = {pid: self._cpu(pid) for pid in processes_below(os.getpid())}
        self._used: dict[int, float] = {}

    def run(self) -> None:
        while not self._over.wait(0.5):
            self.look()

    def look(self) -> None:
        found = processes_below(os.getpid())
        self.mib = max(self.mib, sum(map(self._of, found)))
        self._used |= {pid: max(self._cpu(pid), self._used.get(pid, 0.0)) for pid in found}

    @property
    def cpu_s(self) -> float:
        return sum(used - self._before.get(pid, 0.0) for pid, used in self._used.items())

    def _cpu(self, pid: int) -> float:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def _of(self, pid: int) -> float:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            return 0.0
        return int(text.partition("\nPss:")[2].split()[0]) / 1024

    def stop(self) -> None:
        self.look()
        self._over.set()
        self.join()


def agreement(out: Path, rows: Sequence[Row], said: Sequence[bool]) -> float:
    """Share of the loop's samples on which the stage says the same."""
    by_cell: dict[str, dict[tuple[str, int], bool]] = {}
    for row, right in zip(rows, said, strict=True):
        by_cell.setdefault(row.cell, {})[row.problem_id, row.rank] = right
    same = 0
    for cell, expected in by_cell.items():
        ids = pa.array({problem_id for problem_id, _ in expected})
        mine = (pc.field("cell") == cell) & pc.field("problem_id").isin(ids)
        columns = ["problem_id", "rank", "verdict"]
        table = pads.dataset(out).to_table(columns=columns, filter=mine)
        for problem_id, rank, verdict in zip(*(c.to_pylist() for c in table.columns), strict=True):
            right = expected.get((problem_id, rank))
            same += right is not None and right == (verdict == "correct")
    return same / len(rows)


def compare(name: str, count: int, probe: int, folder: Path, workers: int) -> None:
    """Score one set both ways and print it."""
    from distlab.scoring.stage import score_samples

    (folder / "samples").mkdir(parents=True)
    made = make(folder / "samples", count, probe, distinct=name == "distinct")
    plain = loop(made.probe)
    watch = Watch()
    watch.start()
    begin = time.perf_counter()

    with quiet(folder / "ray.log") as terminal:

        def show(done: int, total: int) -> None:
            if terminal.isatty():
                rate = done / (time.perf_counter() - begin)
                terminal.write(f"\r{name}: {done}/{total} {rate:.0f}/s ")
                terminal.flush()

        summary = score_samples(
            made.sources, folder / "out", Judging([RULES], [MATH_VERIFY]), progress=show
        )
    watch.stop()
    loop_rate = len(plain.said) / plain.seconds
    rate = summary.samples / summary.seconds
    loop_cpu = plain.cpu_s / len(plain.said)
    cpu = watch.cpu_s / summary.samples
    same = agreement(folder / "out", made.probe, plain.said)
    print(
        f"{name}: {summary.samples} samples, unique answers {summary.answers / summary.samples:.1%}"
        f"\n  samples/s     loop {loop_rate:8.0f}    stage {rate:8.0f}    ratio "
        f"{rate / loop_rate:5.1f}    ({summary.seconds:.1f} s, start included, {workers} cores)"
        f"\n  CPU ms/sample loop {loop_cpu * 1e3:8.2f}    stage {cpu * 1e3:8.2f}    ratio "
        f"{loop_cpu / cpu:5.1f}    (what a busy machine does not blur)"
        f"\n  peak memory of all processes {watch.mib:.0f} MiB; {summary.timeouts} timeouts, "
        f"{summary.errors} errors; verdict as the loop's on {same:.1%} of {len(plain.said)}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, default=100_000, help="resampled samples")
    parser.add_argument("--distinct", type=int, default=60_000, help="all-distinct samples")
    parser.add_argument("--loop", type=int, default=1000, help="samples for the plain loop")
    parser.add_argument("--folder", type=Path, default=None, help="where to put the samples")
    asked = parser.parse_args()
    if not OUTPUTS.exists():
        sys.exit(f"the benchmark needs the real outputs: {OUTPUTS} is absent")
    import ray

    workers = len(os.sched_getaffinity(0))
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(
        address="local",
        num_cpus=workers,
        object_store_memory=300 << 20,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        for name, count in (("resampled", asked.samples), ("distinct", asked.distinct)):
            if count:
                compare(name, count, asked.loop, Path(folder) / name, workers)
    ray.shutdown()


if __name__ == "__main__":
    main()
