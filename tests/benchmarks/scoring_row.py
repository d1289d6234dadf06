"""Row: the scoring stage beside a plain loop over Math-Verify; see ``scoring`` for the samples."""

import os
import tempfile
import time
from functools import partial
from pathlib import Path

import ray

from distlab.console.quiet import quiet
from distlab.scoring.judging import Judging
from distlab.scoring.pool import PoolSettings
from distlab.scoring.stage import score_samples
from tests.benchmarks.harness import Goal, Measured, Row, RowFailed, alternate
from tests.benchmarks.scoring import MATH_VERIFY, OUTPUTS, RULES, loop, make

# Samples of the stage, with its start, and of the loop in a pair: seconds of either.
SAMPLES, DISTINCT, LOOP = 50_000, 10_000, 300


def measure(samples: int, distinct: bool, pairs: int) -> Measured:
    if not OUTPUTS.exists():
        raise RowFailed(f"the samples to score are absent: {OUTPUTS}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = make(folder, samples, LOOP * pairs, distinct)

        def stage(pair: int) -> float:
            out, settings = folder / f"out-{pair}", PoolSettings()
            began = time.perf_counter()
            summary = score_samples(made.sources, out, Judging([RULES], [MATH_VERIFY], settings))
            return summary.samples / (time.perf_counter() - began)

        def plain(pair: int) -> float:
            part = made.probe[pair * LOOP : (pair + 1) * LOOP]
            return len(part) / loop(part).seconds

        with quiet(folder / "log.txt"):
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            ray.init(address="local", include_dashboard=False, object_store_memory=300 << 20)
            try:
                ours, theirs = alternate(stage, plain, pairs)
            finally:
                ray.shutdown()
    kinds = "all different" if distinct else "drawn from 8 real outputs each"
    note = (
        f"{samples:,} samples in {samples / ours[-1]:.0f} s, start included, beside {LOOP}; "
        f"20 a problem, {kinds}; Ray's own start outside"
    )
    return Measured(ours, theirs, [note])


ROWS = (
    Row(
        "scoring",
        "scoring, samples/s",
        "a loop over math-verify",
        Goal(10, at_least=True),
        partial(measure, SAMPLES, False),
    ),
    Row(
        "scoring-distinct",
        "scoring where all answers differ, samples/s",
        "a loop over math-verify",
        Goal(8, at_least=True),
        partial(measure, DISTINCT, True),
    ),
)
