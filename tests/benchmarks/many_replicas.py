"""A simulated study of many paced replicas: what the driver pays, and whether one waits for work.

    python -m tests.benchmarks.many_replicas [--replicas 1000] [--rate 5] [--seconds 60]

Ray, dispatcher, keepers, committers and store are the product's, with cluster.commit=replica. The
replicas draw so many samples a second each, from a script, and share the processes of a few actors,
since 1 000 of their own do not fit one machine; a call to one is a call through Ray all the same.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import ray

from distlab.decoding.interface import Sample
from distlab.engines import fleet as fleets
from distlab.engines.fleet import Running
from distlab.engines.messages import CellWork, EngineSettings, Lease, Site
from distlab.placement.placement import Placement
from tests.benchmarks.driver import N, Prebuilt, Scripted, Side, ready

HOSTS = 8


class Paced(Prebuilt):
    """Draws so many samples a second, of as many requests at once as fill its batch."""

    def __init__(self, settings: EngineSettings, site: Site, rate: float) -> None:
        super().__init__(settings, site)
        self._size = settings.max_num_seqs // N
        self._request_s = self._size * N / rate
        self._slots = asyncio.Semaphore(self._size)
        self._running = 0
        self._busy, self._at = 0.0, 0.0
        self._began: float | None = None
        self._share = 0.0

    async def lend(self, lease: Lease) -> None:
        assert self._keeper is not None
        if "bench" in {work.run for work in lease.cells.values()}:
            self._note(0)
            if self._began is None:
                self._began, self._busy = self._at, 0.0
            else:
                self._share = self._busy / (self._at - self._began) / self._size
        for cell, request in lease.requests:
            drawing = asyncio.ensure_future(self._draw(lease.cells[cell]))
            self._keeper.expect(drawing, (cell, request), lease.cells)

    async def _draw(self, work: CellWork) -> dict[str, list[Sample]]:
        await ready(work)
        async with self._slots:
            self._note(1)
            await asyncio.sleep(self._request_s if work.run == "bench" else 0.0)
            self._note(-1)
        return {}

    def _note(self, more: int) -> None:
        now = time.monotonic()
        self._busy += self._running * (now - self._at)
        self._running, self._at = self._running + more, now

    def share(self) -> float:
        """How much of its batch was drawing, from its first lease of the study to its last."""
        return self._share


class Host:
    """The process of some replicas."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._replicas: dict[str, Paced] = {}

    async def make(self, settings: EngineSettings, site: Site) -> None:
        self._replicas[site.name] = Paced(settings, site, self._rate)

    async def call(self, name: str, method: str, *given: Any) -> Any:  # noqa: ANN401 (as Ray's)
        return await getattr(self._replicas[name], method)(*given)

    async def shares(self) -> list[float]:
        return [replica.share() for replica in self._replicas.values()]


@dataclass(frozen=True)
class Method:
    remote: Callable[..., Awaitable[Any]]


class Handle:
    """Stands for the handle of one replica's actor."""

    def __init__(self, host: Any, name: str) -> None:  # noqa: ANN401 (an ActorHandle)
        self._host, self._name = host, name

    def __getattr__(self, method: str) -> Method:
        return Method(partial(self._host.call.remote, self._name, method))


class HostedFleet(fleets.Fleet):
    """Its replicas share a few actors, and reserve nothing."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        hosting: Any = ray.remote(Host)
        self.hosts = [
            hosting.options(num_cpus=0, max_concurrency=100_000).remote(rate) for _ in range(HOSTS)
        ]
        self._turns = itertools.cycle(self.hosts)

    async def place(self, settings: EngineSettings, placement: Placement) -> Running:
        name, host = f"r{next(self._names)}", next(self._turns)
        await host.make.remote(settings, Site(name, placement.spans))
        handle: Any = Handle(host, name)
        group: Any = None
        running = Running(name, settings, placement, ("here",), group, handle)
        self._replicas.append(running)
        return running

    def drop(self, running: Running, end: str = "stopped") -> None:
        if running in self._replicas:
            self._replicas.remove(running)

    def shares(self) -> list[float]:
        return [share for host in self.hosts for share in ray.get(host.shares.remote())]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replicas", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=5, help="samples per second of each replica")
    parser.add_argument("--batch", type=int, default=60, help="sequences that one runs at once")
    parser.add_argument("--seconds", type=float, default=60, help="for which there is work")
    asked = parser.parse_args()
    made: list[HostedFleet] = []

    def fleet() -> HostedFleet:
        made.append(HostedFleet(asked.rate))
        return made[-1]

    overrides = ("decoding.sampler=independent", f"cluster.max_num_seqs={asked.batch}")
    with ExitStack() as stack:
        side = Side(stack, asked.replicas, "replica", Scripted(fleet, overrides))
        found = side.answer({"problems": int(asked.replicas * asked.rate * asked.seconds / N)})
        shares = sorted(made[0].shares())
    print(json.dumps(found))
    print(
        f"{asked.replicas} replicas, {found['samples'] / found['seconds']:,.0f} samples/s, driver "
        f"{1e6 * found['cpu_s'] / found['samples']:.1f} µs per sample; of its time a replica drew: "
        f"least {shares[0]:.2f}, one in a hundred under {shares[len(shares) // 100]:.2f}, median "
        f"{statistics.median(shares):.2f}"
    )


if __name__ == "__main__":
    main()
