"""Whether a replica draws, is hung or dead, told apart from one that is merely busy.

An engine hangs where it has requests and makes no step. Its front end, a process of its own that
hears of the steps, may be busy with results meanwhile: then it answers late and knows of no step.
So only the time in which it answers counts, and one that does not answer is asked about on its
node: as long as it computes, it is busy.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from ray.exceptions import RayError

from distlab.engines.fleet import Running
from distlab.engines.messages import Pulse
from distlab.engines.nodes import cpu_seconds

# A front end that computes and does not answer is waited for so many times as long (ours).
_BUSY_LIMITS = 10
# To start a process on a node that is busy takes a while.
_ASIDE_S = 120.0
# Share of a core that a busy process gets at least, also where much else computes (ours).
_BUSY_SHARE = 0.1


class HungEngine(Exception):
    """An engine with requests made no step for too long."""


@dataclass(slots=True)
class Stall:
    """How long an engine has made no step, as far as its replica could have heard of one.

    Attributes:
        seconds: Without a step, so far.
    """

    seconds: float = 0.0

    def note(self, pulse: Pulse, asleep_s: float) -> float:
        """Take a pulse; returns the seconds so far.

        Args:
            pulse: What the replica says.
            asleep_s: Seconds between the answer before and the question. The time that the answer
                took does not count.
        """
        self.seconds = min(self.seconds + asleep_s, pulse.stalled_s)
        return self.seconds


async def watch(
    running: Running,
    hang_s: float,
    pause_s: Callable[[], float],
    heard: Callable[[], Pulse | None],
    told: Callable[[Pulse], None],
) -> Exception:
    """Ask a replica how it is until it is dead or hung; returns what is wrong with it.

    Args:
        running: The replica.
        hang_s: Seconds without a step, or an answer, after which it is taken for hung.
        pause_s: Seconds until the next question; fewer where ``hang_s`` is short.
        heard: How it was doing in the pause, where it said so unasked.
        told: Takes every answer.
    """
    stall = Stall()
    while True:
        pause = min(pause_s(), hang_s / 4)
        await asyncio.sleep(pause)
        try:
            pulse = heard() or await _pulse(running, hang_s)
        except (RayError, HungEngine) as error:
            return error
        if stall.note(pulse, pause) >= hang_s:
            return HungEngine(f"no token for {hang_s:g} s (cluster.hang_s)")
        told(pulse)


async def _pulse(running: Running, hang_s: float) -> Pulse:
    """The replica's answer, waited for while its process computes.

    Raises:
        RayError: The replica is dead.
        HungEngine: It does not answer.
    """
    asked = asyncio.ensure_future(_answer(running))
    try:
        for _ in range(_BUSY_LIMITS):
            if await _is_done(asked, hang_s / 2):
                return asked.result()
            before = await _cpu_seconds(running)
            if await _is_done(asked, hang_s / 2):
                return asked.result()
            if await _cpu_seconds(running) - before < _BUSY_SHARE * hang_s / 2:
                break
        raise HungEngine(f"no answer for {hang_s:g} s (cluster.hang_s)")
    finally:
        asked.cancel()


async def _answer(running: Running) -> Pulse:
    return await running.actor.pulse.remote()


async def _is_done(asked: "asyncio.Task[Pulse]", within_s: float) -> bool:
    return bool((await asyncio.wait({asked}, timeout=within_s))[0])


async def _cpu_seconds(running: Running) -> float:
    """What its process has computed so far, as its node says."""
    try:
        return await asyncio.wait_for(cpu_seconds(running.node_ids[0], running.pid), _ASIDE_S)
    except TimeoutError:
        raise HungEngine(f"its node does not say for {_ASIDE_S:g} s how it is") from None
