"""Signals that stop a command: the first in order, the third at once.

SIGINT (Ctrl-C), SIGTERM and SIGHUP mean the same. The first raises ``Stopped`` in the main thread,
or goes to the stage that listens. The second changes nothing, since what cleans up is not done
sooner for being interrupted. The third ends the process and all that it started where they are,
which files and stores survive as they do a kill. Under ``nohup`` SIGHUP is ignored and stays so.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from distlab.console.exits import stopped_by

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STDERR: Final = 2
_PR_SET_CHILD_SUBREAPER: Final = 36
# Seconds after which a handler that was taken away is back (ours).
_AGAIN_S: Final = 0.05
# Rounds of killing, and seconds for the kernel to end what was killed (ours).
_ROUNDS: Final = 40
_ROUND_S: Final = 0.05


class Stopped(KeyboardInterrupt):
    """A signal asked the command to end."""

    def __init__(self, number: int) -> None:
        """Make it of the signal's number."""
        super().__init__(number)
        self.number = number


def number_of(stop: KeyboardInterrupt) -> int:
    """The signal that stopped a command; SIGINT where Python or Ray raised for it."""
    return stop.number if isinstance(stop, Stopped) else signal.SIGINT


def _raise(number: int) -> NoReturn:
    raise Stopped(number)


def _sent_again(dropped: "sys.UnraisableHookArgs") -> None:
    """What is raised while an object is finalised is dropped: send that signal once more."""
    if isinstance(dropped.exc_value, Stopped):
        _process.came = 0
        threading.Timer(_AGAIN_S, os.kill, (os.getpid(), dropped.exc_value.number)).start()
    else:
        sys.__unraisablehook__(dropped)


def _leave(number: int) -> None:
    """The command is over: its status is known, and nothing is left to be stopped."""


@dataclass(slots=True)
class _Process:
    """What this process makes of the signals, and which came.

    Attributes:
        terminal: Descriptor that leads to the user, wherever standard error goes meanwhile.
        resume: How to go on, as a clause with a command.
        take: Takes the first signal.
        came: Signals so far.
        number: The first of them.
        is_parent: Whether what it started ends with it.
        is_starting: Whether what forks now outlives a signal to the process group.
    """

    terminal: int = _STDERR
    resume: str = ""
    take: Callable[[int], None] = _raise
    came: int = 0
    number: int = 0
    is_parent: bool = False
    is_starting: bool = False

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        self.came += 1
        if self.came == 1:
            self.number = number
            self._log(f"{signal.Signals(number).name} came: stopping")
            self.take(number)
        elif self.came == 2:
            self._tell("still stopping; a third signal ends it at once")
        else:
            self._end_at_once()

    def _end_at_once(self) -> NoReturn:
        self._tell(f"stopped at once; what is committed is safe{self.resume}")
        self.end_children()
        os._exit(stopped_by(self.number))

    def end_children(self) -> None:
        """Kill all that came of this process, orphans included."""
        for _ in range(_ROUNDS if self.is_parent else 0):
            # What is killed may have forked since it was looked up.
            if not (left := _descendants(os.getpid())):
                return
            for pid in left:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_ROUND_S)

    def _tell(self, sentence: str) -> None:
        _write(self.terminal, sentence)

    def _log(self, sentence: str) -> None:
        """For whoever reads the log; the terminal has it at the end."""
        with suppress(OSError):
            if not os.path.samestat(os.fstat(_STDERR), os.fstat(self.terminal)):
                _write(_STDERR, sentence)


# Of the process, as signal handlers are.
_process = _Process()


def _leave_group() -> None:
    """In a child that was forked: a process group of its own, for it and for all that it starts."""
    if _process.is_starting:
        os.setpgid(0, 0)


# Only from within a child: the kernel lets no parent move a child that has executed a program.
os.register_at_fork(after_in_child=_leave_group)


@contextmanager
def stoppable(resume: str) -> Iterator[None]:
    """For all that a command does, the exit of the interpreter included.

    Args:
        resume: How to go on, as the end of a sentence.
    """
    # A plain write, since a signal may come in the middle of one of Python's streams.
    _process.terminal, _process.resume = os.dup(_STDERR), resume
    _install()
    before, sys.unraisablehook = sys.unraisablehook, _sent_again
    try:
        yield
    finally:
        _process.take, sys.unraisablehook = _leave, before
        if _process.came:
            _process.end_children()


def came() -> int | None:
    """The first signal that came to this process, None before it."""
    return _process.number if _process.came else None


@contextmanager
def heard_by(take: Callable[[int], None]) -> Iterator[None]:
    """For a block that stops by itself once it is told to: the first signal goes to it.

    Args:
        take: Called in the main thread with the signal's number; a later signal is not told.
    """
    handlers, before = _install(), _process.take
    is_command = handlers[signal.SIGTERM] == _process.on_signal
    _process.take = take
    try:
        yield
    finally:
        _process.take = before
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if not is_command:
            # Whoever has the process counts signals anew.
            _process.came = 0


def hear_interrupts() -> None:
    """Let an interrupt raise KeyboardInterrupt where SIGINT is ignored.

    So it is in all that comes of a command that a script starts in the background, Ray's workers
    included, and there ``ray.cancel`` does nothing.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def starting_children() -> Iterator[None]:
    """For a block that starts processes which end with this one, and sets handlers: ``ray.init``.

    The processes get no SIGHUP of a terminal that is closed, and no signal that ``timeout`` or a
    shell sends to our process group, since what is sampled could not be committed without them.
    They remain children when their parent dies.
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _process.is_parent = True
    is_command = signal.getsignal(signal.SIGTERM) == _process.on_signal
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    _process.is_starting = True
    try:
        yield
    except SystemExit as end:
        # Ray's handler, until ours is back.
        if is_command and end.code == signal.SIGTERM:
            raise Stopped(signal.SIGTERM) from None
        raise
    finally:
        _process.is_starting = False
        if is_command:
            _install()
        signal.pthread_sigmask(signal.SIG_SETMASK, masked)


@contextmanager
def ending_children() -> Iterator[None]:
    """For a block that takes handlers away below Python early on and lasts: ``ray.shutdown``."""
    if signal.getsignal(signal.SIGTERM) != _process.on_signal:
        yield
        return
    before = signal.signal(signal.SIGALRM, lambda *_: _install())
    signal.setitimer(signal.ITIMER_REAL, _AGAIN_S, _AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        _install()


def _install() -> "dict[signal.Signals, signal._HANDLER]":
    """Our handler for all that is not ignored by ``nohup``; returns those that were there."""
    found = {number: signal.getsignal(number) for number in _SIGNALS}
    if found[signal.SIGHUP] == signal.SIG_IGN:
        del found[signal.SIGHUP]
    for number in found:
        signal.signal(number, _process.on_signal)
    return found


def _write(descriptor: int, sentence: str) -> None:
    encoding = sys.getfilesystemencoding()
    with suppress(OSError):
        os.write(descriptor, f"distlab: {sentence}\n".encode(encoding, "backslashreplace"))


def _descendants(root: int) -> list[int]:
    """Processes below one that live, by the kernel's table."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            # The name in parentheses may hold blanks and parentheses.
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if fields[0] != "Z":
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found[1:]
