"""Row: the driver and the writer at 64 replicas; see ``driver`` for what runs."""

import sys

from tests.benchmarks.harness import Goal, Measured, Row, RowFailed
from tests.benchmarks.server import Server

REPLICAS = 64
# Problems of 20 samples: where the cost of a sample is taken first, and the pairs after it.
SMALL, LARGE = 500, 3000


def measure(pairs: int) -> Measured:
    """Rates of ``pairs`` cells; memory and cost a sample must not grow with what was drawn."""
    command = [sys.executable, "-m", "tests.benchmarks.driver", "--replicas", f"{REPLICAS}"]
    with Server(command, start_s=600) as driver:
        small = driver.ask({"problems": SMALL})
        large = [driver.ask({"problems": LARGE}) for _ in range(pairs)]
    growth = large[-1]["rss_mib"] - large[0]["rss_mib"]
    if growth > 100:
        raise RowFailed(f"the driver grew by {growth:.0f} MiB over {pairs} cells of one size")
    costs = [1e6 * one["cpu_s"] / one["samples"] for one in (small, large[-1])]
    total = small["samples"] + sum(one["samples"] for one in large)
    note = (
        f"{total:,} samples; CPU a sample {costs[0]:.0f} µs at {small['samples']:,}, "
        f"{costs[1]:.0f} µs in the last {large[-1]['samples']:,}; driver "
        f"{large[0]['rss_mib']:.0f} MiB at first, {large[-1]['rss_mib']:.0f} MiB at last"
    )
    return Measured([one["samples"] / one["seconds"] for one in large], notes=[note])


ROW = Row(
    "driver",
    f"driver and writer at {REPLICAS} scripted replicas, samples/s",
    "-",
    Goal(20_000, at_least=True),
    measure,
)
