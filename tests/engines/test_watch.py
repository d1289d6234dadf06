"""What counts as a stall; that the dispatcher acts on it is seen in test_dispatcher."""

import asyncio
from types import SimpleNamespace
from typing import Any

from ray.exceptions import RayError

from distlab.decoding.interface import Vitals
from distlab.engines.messages import Pulse
from distlab.engines.watch import Stall, watch


def pulse(stalled_s: float) -> Pulse:
    return Pulse(Vitals(), stalled_s)


def test_time_without_a_step_adds_up_and_a_step_ends_it() -> None:
    stall = Stall()
    assert [stall.note(pulse(s), 2) for s in (2, 4, 6, 0, 2)] == [2, 4, 6, 0, 2]


def test_time_in_which_the_front_end_heard_of_nothing_does_not_count() -> None:
    stall = Stall()
    assert [stall.note(pulse(s), 2) for s in (600, 602, 1200)] == [2, 4, 6]


def test_a_stall_is_no_longer_than_the_replica_says() -> None:
    stall = Stall()
    assert [stall.note(pulse(s), 2) for s in (0.5, 2.5)] == [0.5, 2.5]


def test_a_replica_that_said_how_it_is_is_not_asked() -> None:
    unasked, told = [pulse(0), pulse(0)], []

    async def asked() -> Pulse:
        raise RayError("asked")

    running: Any = SimpleNamespace(actor=SimpleNamespace(pulse=SimpleNamespace(remote=asked)))
    hears = iter([*unasked, None])
    error = asyncio.run(watch(running, 60, lambda: 0.0, lambda: next(hears), told.append))
    assert (str(error), told) == ("asked", unasked)
