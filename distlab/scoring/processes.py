"""The owner's side of grader processes: the fork server, and a worker's handle."""

import contextlib
import ctypes
import mmap
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from distlab.scoring import worker as wire
from distlab.scoring.types import BY_CODE, ComponentSpec, Verdict

# Seconds a fork server may take to import the graders, and to answer a request afterwards (ours).
_START_S = 300.0
_REPLY_S = 60.0
# Seconds that one which hung up has to end by itself, so that its status can be told (ours).
_END_S = 1.0

_LIBC = ctypes.CDLL(None)


class NurseryDied(Exception):
    """The process that forks workers is gone, and its workers with it; says how it ended."""


@dataclass(slots=True, eq=False)
class Worker:
    """A worker as its pool sees it.

    Attributes:
        pid: Its process.
        sock: Batches go out on it; a byte comes back when one is through.
        board: Memory shared with it, see ``worker``.
        clock: What ``time.clock_gettime`` knows its CPU time by.
        batch: Positions of the tasks under way, empty when idle.
        graded: Tasks graded so far.
    """

    pid: int
    sock: socket.socket
    board: mmap.mmap
    clock: int
    batch: list[int] = field(default_factory=list)
    graded: int = 0
    _sent: float = 0.0
    _seen: tuple[float, float] = (0.0, 0.0)

    def give(self, batch: Sequence[int], tasks: Sequence[object]) -> None:
        """Send a batch.

        Raises:
            OSError: The worker is gone, or does not read.
        """
        self.batch = list(batch)
        self.board[:] = wire.BLANK_BOARD
        self._sent = self._cpu_s()
        self._seen = 0.0, time.monotonic()
        wire.send(self.sock, tasks)

    @property
    def began(self) -> float:
        """Its CPU seconds when it began the answer under way, 0 before the first."""
        (began,) = wire.BEGAN.unpack_from(self.board, 0)
        return float(began)

    def spent_s(self) -> float:
        """CPU seconds spent on the answer under way, or on the message before the first."""
        return self._cpu_s() - (self.began or self._sent)

    def waited_s(self) -> float:
        """Seconds since it was first seen at the answer under way."""
        began, now = self.began, time.monotonic()
        if began != self._seen[0]:
            self._seen = began, now
        return now - self._seen[1]

    def verdicts(self) -> list[Verdict]:
        """Verdicts of the batch so far, in order."""
        marks = self.board[wire.BEGAN.size : wire.BEGAN.size + len(self.batch)]
        return [BY_CODE[mark] for mark in marks.partition(wire.NONE_YET)[0]]

    def close(self) -> None:
        """Let go of what is shared with it."""
        self.sock.close()
        self.board.close()

    def _cpu_s(self) -> float:
        try:
            return time.clock_gettime(self.clock)
        except OSError:
            # It is dead and reaped: its socket says so too.
            return 0.0


class Nursery:
    """A running fork server. Its workers die with it.

    Args:
        graders: What the workers grade with.
        memory_mib: Address space of a worker, in MiB.

    Raises:
        UserError: A grader cannot be imported or does not take its options.
        NurseryDied: It was killed, or could not be started.
    """

    def __init__(self, graders: Sequence[ComponentSpec], memory_mib: int) -> None:
        self._control, theirs = socket.socketpair()
        try:
            self._process = start_module(wire.__name__, theirs)
        except NurseryDied:
            self._control.close()
            raise
        finally:
            theirs.close()
        try:
            self._prepare(wire.Start(tuple(graders), memory_mib))
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def fork(self, patience_s: float) -> Worker:
        """A new worker; one that reads nothing for ``patience_s`` seconds is taken for dead.

        Raises:
            NurseryDied: The fork server is gone.
        """
        ours, theirs = socket.socketpair()
        ours.settimeout(patience_s)
        handle = os.memfd_create("distlab-board")
        try:
            os.ftruncate(handle, wire.BOARD_BYTES)
            board = mmap.mmap(handle, wire.BOARD_BYTES)
            wire.send(self._control, ("fork", 0))
            socket.send_fds(self._control, [b"\0"], [theirs.fileno(), handle])
            pid = wire.receive(self._control)
            return Worker(pid, ours, board, _cpu_clock(pid))
        except (wire.Hangup, OSError) as error:
            ours.close()
            self._died(error)
        finally:
            os.close(handle)
            theirs.close()

    def end(self, worker: Worker) -> None:
        """Kill a worker and reap it.

        Raises:
            NurseryDied: The fork server is gone.
        """
        try:
            wire.send(self._control, ("end", worker.pid))
            wire.receive(self._control)
        except (wire.Hangup, OSError) as error:
            self._died(error)

    def kill(self) -> None:
        """End it and its workers."""
        self._control.close()
        self._process.kill()
        self._process.wait()

    def _prepare(self, start: wire.Start) -> None:
        self._control.settimeout(_START_S)
        try:
            wire.send(self._control, start)
            reply = wire.receive(self._control)
        except (wire.Hangup, OSError) as error:
            self._died(error)
        if isinstance(reply, Exception):
            raise reply
        self._control.settimeout(_REPLY_S)

    def _died(self, error: Exception) -> NoReturn:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self.kill()
        status = self._process.returncode
        how = f"signal {-status}" if status < 0 else f"status {status}"
        raise NurseryDied(how) from error


def start_module(name: str, control: socket.socket) -> subprocess.Popen[bytes]:
    """Run a module in a process of its own, which gets the socket's descriptor as its argument.

    Raises:
        NurseryDied: There is no memory or no process left at this moment.
    """
    # Graders do their sums on one core: workers are how cores are shared.
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        return subprocess.Popen(
            [sys.executable, "-m", name, str(control.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | threads | {"PYTHONPATH": os.pathsep.join(sys.path)},
            pass_fds=(control.fileno(),),
            start_new_session=True,
        )
    except OSError as error:
        raise NurseryDied(str(error)) from error


def _cpu_clock(pid: int) -> int:
    """The clock of a process's CPU time.

    Raises:
        OSError: There is no such process.
    """
    clock = ctypes.c_int()
    if number := _LIBC.clock_getcpuclockid(pid, ctypes.byref(clock)):
        raise OSError(number, os.strerror(number))
    return clock.value
