"""Whether an engine that loads gets on: what its processes read and touch, what its GPUs hold.

No fixed time tells: a small checkpoint loads in seconds, a terabyte from a slow disk in hours. One
that waits for a rank that will never come may spin, so that CPU time says nothing either.
"""

import asyncio
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from distlab.engines.fleet import Running
from distlab.placement.gpus import GIB

# What counts as getting on (ours): a Ray worker that waits stays far below it.
_LEAST_BYTES: Final = 16 << 20
_PAGE: Final = 4096
_ANSWER_S: Final = 60.0
# How vLLM's ranks on other nodes are called in the list of processes.
_RANK: Final = "ray::RayWorkerProc"


class HungLoad(Exception):
    """An engine that loads has not got on for too long."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What the processes of an engine have done so far, and what its GPUs hold.

    Attributes:
        moved: Bytes read and written.
        touched: Bytes of memory that they touched first, mapped files included.
        on_gpus: Bytes allocated on the GPUs of its nodes.
    """

    moved: int = 0
    touched: int = 0
    on_gpus: int = 0

    def __add__(self, other: "Activity") -> "Activity":
        return Activity(
            self.moved + other.moved, self.touched + other.touched, self.on_gpus + other.on_gpus
        )

    def differs(self, before: "Activity") -> bool:
        """Whether enough has happened; a process that ended takes its share away."""
        changes = (
            self.moved - before.moved,
            self.touched - before.touched,
            self.on_gpus - before.on_gpus,
        )
        return any(abs(change) >= _LEAST_BYTES for change in changes)


@dataclass(slots=True)
class LoadWatch:
    """Looks at a load now and then.

    Attributes:
        running: The replica that loads.
        limit_s: Seconds without progress after which it hangs (``cluster.load_hang_s``).
        mark: What it had done when it last got on.
        marked: When that was.
        looked: When it was last looked at.
    """

    running: Running
    limit_s: float
    mark: Activity = field(default_factory=Activity)
    marked: float = field(default_factory=time.monotonic)
    looked: float = field(default_factory=time.monotonic)

    async def look(self) -> None:
        """Ask its nodes how far it is, unless they were just asked.

        Raises:
            HungLoad: It has not got on for ``limit_s``; the sentence says what it waits for.
        """
        now = time.monotonic()
        if now - self.looked < self.limit_s / 8:
            return
        try:
            seen = await asyncio.wait_for(_activity(self.running), _ANSWER_S)
        except (RayError, TimeoutError):
            return  # of nodes that die the dispatcher hears elsewhere
        self.looked = now
        self.note(seen, now)

    def note(self, seen: Activity, now: float) -> None:
        """Take what was seen.

        Raises:
            HungLoad: As ``look``.
        """
        if seen.differs(self.mark):
            self.mark, self.marked = seen, now
        elif now - self.marked >= self.limit_s:
            raise HungLoad(
                f"it has not got on for {self.limit_s:g} s (cluster.load_hang_s): its processes "
                f"moved {seen.moved / GIB:.1f} GiB and its GPUs hold {seen.on_gpus / GIB:.1f} GiB; "
                f"{self._awaited(seen)}"
            )

    def _awaited(self, seen: Activity) -> str:
        if self.running.placement.spans and seen.on_gpus < GIB:
            return (
                "no rank has weights, so they wait for each other: `distlab doctor` tells whether "
                "the nodes' links work"
            )
        return "it waits for its disk or for a rank that hangs: see log.txt, and `distlab doctor`"


async def _activity(running: Running) -> Activity:
    """Of all nodes together."""
    asked = [
        ray.remote(activity_here)
        .options(num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False))
        .remote(None if place else running.pid, _RANK if running.placement.spans else None)
        for place, node in enumerate(running.node_ids)
    ]
    return sum(await asyncio.gather(*asked), Activity())


def activity_here(pid: int | None, ranks: str | None) -> Activity:
    """What processes of an engine on this machine have done.

    Args:
        pid: Of its actor, None where that is on another machine.
        ranks: What its ranks are called where they are Ray workers; those of other engines here
            count, too.
    """
    moved = touched = 0
    for process in {*_family(pid), *_called(ranks)}:
        try:
            counters = process.io_counters()
            moved += counters.read_chars + counters.write_chars
            # The second field is a name in parentheses that may hold spaces; minor and major
            # faults are the 10th and the 12th.
            stat = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            touched += (int(stat[7]) + int(stat[9])) * _PAGE
        except (psutil.Error, OSError):
            continue  # it has just ended
    return Activity(moved, touched, _on_gpus())


def _family(pid: int | None) -> Sequence[psutil.Process]:
    try:
        actor = None if pid is None else psutil.Process(pid)
        return [] if actor is None else [actor, *actor.children(recursive=True)]
    except psutil.Error:
        return []


def _called(name: str | None) -> Iterator[psutil.Process]:
    for process in psutil.process_iter(["cmdline"]) if name else ():
        if any(name in word for word in process.info["cmdline"] or ()):
            yield process


def _on_gpus() -> int:
    """Bytes allocated on this machine's GPUs; 0 without any."""
    query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    used = answer.stdout.split() if answer.returncode == 0 else []
    return sum(int(mib) for mib in used if mib.isdigit()) << 20
