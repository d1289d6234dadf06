"""The processes behind ``GraderPool``: a fork server that forks workers, and the worker itself.

Run as ``python -m distlab.scoring.worker FD``. The fork server imports and warms the graders once;
each worker is a fork of it, so that replacing a killed worker costs milliseconds and not the
seconds that sympy takes to import. Nothing here runs in the process that owns the pool.
"""

import contextlib
import ctypes
import gc
import itertools
import mmap
import os
import pickle
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from distlab.errors import UserError
from distlab.importing import is_ours
from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.types import CODES, NO_VERDICT, ComponentSpec, Grader, Verdict, load_grader

# Messages are a length and a pickle. Both ends are ours; model text is data inside, never code.
_LENGTH = struct.Struct("<Q")
# Answers a worker is sent at once, at most: one result byte each in the board.
MOST_ANSWERS = 512
# The board, shared by pool and worker: the worker's CPU seconds when it began the answer under way
# (0 before the first), then the code of a verdict per answer.
BEGAN = struct.Struct("=d")
NONE_YET = struct.pack("=b", NO_VERDICT)
BLANK_BOARD = bytes(BEGAN.size) + NONE_YET * MOST_ANSWERS
BOARD_BYTES = len(BLANK_BOARD)

# What graders are warmed with, gold and answer: equal digits, which some judge without imports,
# and a pair that takes algebra.
_WARM = (("1", "1"), (r"\frac{x}{2}", r"\sqrt{3}"))

_JUDGED = {True: Verdict.CORRECT, False: Verdict.INCORRECT}
# Seconds in which a grader has to be warm (ours), and between two looks whether it is.
_TRIAL_S = 20.0
_LOOK_S = 0.005
# Status of a process that lived through it: a grader may well end it with 0.
_SURVIVED = 86
# Characters of what a grader returned that a message shows (ours).
_SHOWN = 60

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Start:
    """First message to a fork server.

    Attributes:
        graders: What the workers grade with; answers name them by position.
        memory_mib: Address space of a worker, in MiB.
    """

    graders: tuple[ComponentSpec, ...]
    memory_mib: int


class Hangup(Exception):
    """The other end is gone."""


def send(sock: socket.socket, message: object) -> None:
    """Send one message.

    Raises:
        OSError: The other end is gone, or does not read.
    """
    payload = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    sock.sendall(_LENGTH.pack(len(payload)) + payload)


def receive(sock: socket.socket) -> Any:  # noqa: ANN401 - whatever was sent
    """Receive one message.

    Raises:
        Hangup: The other end is gone.
    """
    (length,) = _LENGTH.unpack(_read(sock, _LENGTH.size))
    return pickle.loads(_read(sock, length))


def _read(sock: socket.socket, length: int) -> bytes:
    data = bytearray(length)
    view = memoryview(data)
    while view:
        count = sock.recv_into(view)
        if not count:
            raise Hangup
        view = view[count:]
    return bytes(data)


def fork_server(control: socket.socket) -> None:
    """Serve "fork" and "end" requests until the pool hangs up."""
    start: Start = receive(control)
    try:
        graders = [load_grader(spec) for spec in start.graders]
    except Exception as error:
        send(control, error if _picklable(error) else RuntimeError(str(error)))
        return
    for spec, grader in zip(start.graders, graders, strict=True):
        # What is not ours may end the process, as C code does, and would end this one each time.
        is_safe = is_ours(spec.target) or _survives(grader)
        odd = [answer for answer in _warm(grader) if not _is_bool(answer)] if is_safe else []
        if odd:
            shown = repr(odd[0])[:_SHOWN]
            sentence = (
                f"`grader.use.{spec.name}.target` is {spec.target!r}: its `grade` returned {shown} "
                f"({type(odd[0]).__name__}), and must return True or False; correct its code"
            )
            send(control, UserError(sentence))
            return
    # What is here now stays in memory that all workers share.
    gc.freeze()
    send(control, "ready")
    while True:
        request, pid = receive(control)
        if request == "fork":
            _fork(control, graders, start.memory_mib)
        else:
            # Only here is a worker reaped, so its pid cannot have passed to another process.
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            send(control, pid)


def _picklable(error: Exception) -> bool:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return False
    return True


def _warm(grader: Grader) -> Iterator[object]:
    """Grade each gold kind: first calls import what is costly, build parsers, fill caches.

    Yields:
        What the grader returned. "1" is no date: that it raises something there means nothing.
    """
    for kind, (text, answer) in itertools.product(GoldKind, _WARM):
        gold = Gold(kind, text, items=(text,), lower=1.0, upper=1.0)
        with contextlib.suppress(Exception):
            if grader.applies(kind):
                yield grader.grade(gold, answer)


def _survives(grader: Grader) -> bool:
    """Whether a process lives through warming the grader, tried in one of its own."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            list(_warm(grader))
            code = _SURVIVED
        finally:
            os._exit(code)
    deadline = time.monotonic() + _TRIAL_S
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) == _SURVIVED
        time.sleep(_LOOK_S)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


def _is_bool(answer: object) -> bool:
    """Whether it is a verdict: a reward of 0.1, a tuple or a text would all count as true."""
    return isinstance(answer, bool | np.bool_)


def _fork(control: socket.socket, graders: list[Grader], memory_mib: int) -> None:
    _, handles, _, _ = socket.recv_fds(control, 1, 2)
    fork_server_pid = os.getpid()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            control.close()
            _confine(memory_mib, fork_server_pid)
            sock = socket.socket(fileno=handles[0])
            _work(sock, mmap.mmap(handles[1], BOARD_BYTES), graders)
            code = 0
        finally:
            os._exit(code)
    for handle in handles:
        os.close(handle)
    send(control, pid)


def _confine(memory_mib: int, fork_server_pid: int) -> None:
    """Cap the memory, leave no core file, die with the fork server."""
    limit = memory_mib << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != fork_server_pid:
        os._exit(1)
    # Should the machine run out of memory all the same, the kernel takes a worker first.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _work(sock: socket.socket, board: mmap.mmap, graders: list[Grader]) -> None:
    """Grade batches of (grader, gold, answer); one byte back says that a batch is through."""
    while True:
        try:
            batch = receive(sock)
        except Hangup:
            return
        for position, (index, gold, answer) in enumerate(batch, BEGAN.size):
            BEGAN.pack_into(board, 0, time.process_time())
            try:
                right = graders[index].grade(gold, answer)
                verdict = _JUDGED[bool(right)] if _is_bool(right) else Verdict.ERROR
            except MemoryError:
                # What earlier answers left may fill the heap. To the pool the worker died of this
                # answer, which a fresh one tries again.
                return
            except BaseException:
                verdict = Verdict.ERROR
            board[position] = CODES[verdict]
        BEGAN.pack_into(board, 0, 0.0)
        sock.sendall(b"\n")


def run(serve: Callable[[socket.socket], None]) -> None:
    """Serve on the socket whose descriptor is argv[1], until the other end is gone."""
    # Ctrl-C is the other end's to handle: it commits what is finished and closes the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(Hangup, OSError):
        serve(socket.socket(fileno=int(sys.argv[1])))


def main() -> None:
    """Entry point of the fork server process; argv[1] is the control socket's descriptor."""
    run(fork_server)


if __name__ == "__main__":
    main()
