"""A deadline for code of the user's that reads a text: a loop, or a regex that backtracks."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from distlab.scoring.pool import PoolSettings


class Overrun(BaseException):
    """The deadline is over; no ``Exception``, which the code may well catch."""


@contextmanager
def interrupted(settings: PoolSettings) -> Iterator[None]:
    """Interrupt what runs inside at the deadline, by CPU time and by the clock.

    For the main thread of a process, which signals reach; Python and its regular expressions can
    be interrupted, other C code cannot.

    Args:
        settings: Its deadline and patience, as a grader's.

    Raises:
        Overrun: Inside, once it is over.
    """
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, _overrun)
    try:
        signal.setitimer(signal.ITIMER_PROF, settings.deadline_s)
        signal.setitimer(signal.ITIMER_REAL, settings.patience_s)
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _overrun(number: int, frame: FrameType | None) -> None:
    raise Overrun
