"""Row: the driver and the writer at 64 replicas; see ``driver`` for what runs."""

import statistics
import sys

from tests.benchmarks.harness import Goal, Measured, Row, RowFailed
from tests.benchmarks.server import Server

REPLICAS = 64
# Problems of 20 samples: where the cost of a sample is taken first, and the pairs after it.
SMALL, LARGE = 500, 3000


def measure(pairs: int) -> Measured:
    """CPU µs per sample in ``pairs`` cells; memory must not grow with what was drawn.

    One core alone then bears a million divided by it samples per second, however busy the machine.
    """
    command = [sys.executable, "-m", "tests.benchmarks.driver", "--replicas", f"{REPLICAS}"]
    with Server(command, start_s=600) as driver:
        small = driver.ask({"problems": SMALL})
        large = [driver.ask({"problems": LARGE}) for _ in range(pairs)]
    growth = large[-1]["rss_mib"] - large[0]["rss_mib"]
    if growth > 100:
        raise RowFailed(f"the driver grew by {growth:.0f} MiB over {pairs} cells of one size")
    costs = [1e6 * one["cpu_s"] / one["samples"] for one in (small, large[-1])]
    total = small["samples"] + sum(one["samples"] for one in large)
    rate = statistics.median(one["samples"] / one["seconds"] for one in large)
    note = (
        f"{total:,} samples; {costs[0]:.0f} µs at {small['samples']:,}, {costs[1]:.0f} µs in the "
        f"last {large[-1]['samples']:,}; {rate:,.0f} samples/s beside the replicas; driver "
        f"{large[0]['rss_mib']:.0f} MiB at first, {large[-1]['rss_mib']:.0f} MiB at last"
    )
    return Measured([1e6 * one["cpu_s"] / one["samples"] for one in large], notes=[note])


ROW = Row(
    "driver",
    f"driver and writer at {REPLICAS} scripted replicas, CPU µs per sample",
    "-",
    Goal(50, at_least=False),
    measure,
)
