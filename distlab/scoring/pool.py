"""GraderPool: graders in persistent worker processes that cannot hang, bloat or kill a study.

The pool keeps the deadline of every single answer although answers travel in batches: a worker
notes in shared memory when it began an answer and what came of it, so that the pool, which only
waits, knows which answer overruns. The worker is then killed and forked anew, that answer alone
is a ``timeout`` (or an ``error``, where the worker died of it), and the rest of the batch is sent
again.
"""

import contextlib
import mmap
import os
import selectors
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from distlab.problems.types import Gold
from distlab.scoring import worker as wire
from distlab.scoring.types import ComponentSpec, Verdict

# Characters of answers sent at once (ours): a longer answer travels alone.
_MOST_CHARACTERS = 1 << 20
# An answer is blamed once its worker died this often before beginning it (ours): it is then the
# message itself that kills, not a stray signal.
_MOST_STUMBLES = 3
# Seconds a nursery may take to import the graders, and to answer a request afterwards (ours).
_START_S = 300.0
_REPLY_S = 60.0

_VERDICTS = {
    wire.CORRECT: Verdict.CORRECT,
    wire.INCORRECT: Verdict.INCORRECT,
    wire.ERROR: Verdict.ERROR,
}


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """How a worker is held.

    Attributes:
        deadline_s: Seconds an answer may take before its worker is killed.
        memory_mib: Address space a worker may use, in MiB.
        recycle: Answers after which a worker is replaced.
    """

    deadline_s: float = 5.0
    memory_mib: int = 2048
    recycle: int = 20000


@dataclass(frozen=True, slots=True)
class GradeTask:
    """One answer to judge.

    Attributes:
        grader: Position of the grader among the pool's.
        gold: The reference answer.
        answer: What the extractor read.
    """

    grader: int
    gold: Gold
    answer: str


class _NurseryDied(Exception):
    """The process that forks workers is gone, and its workers with it."""


@dataclass(slots=True)
class _Worker:
    """A worker as the pool sees it; ``batch`` holds positions of tasks, empty when idle."""

    pid: int
    sock: socket.socket
    board: mmap.mmap
    graded: int = 0
    batch: list[int] = field(default_factory=list)
    sent: float = 0.0

    @property
    def started(self) -> float:
        """When the answer under way began (monotonic seconds), 0 before the first."""
        (began,) = wire.STARTED.unpack_from(self.board, 0)
        return float(began)

    @property
    def since(self) -> float:
        """What the deadline counts from."""
        return self.started or self.sent

    def results(self) -> list[Verdict]:
        """Verdicts of the batch so far, in order."""
        marks = self.board[wire.STARTED.size : wire.STARTED.size + len(self.batch)]
        return [_VERDICTS[mark] for mark in marks.partition(b"\0")[0]]

    def close(self) -> None:
        self.sock.close()
        self.board.close()


class GraderPool:
    """Persistent, killable grader workers. Not thread-safe: one caller at a time.

    Args:
        graders: What to grade with; tasks name them by position.
        workers: Worker processes.
        settings: Deadline, memory cap and recycling.

    Raises:
        UserError: A grader cannot be imported or does not take its options.
        RuntimeError: The worker processes cannot be started.
    """

    def __init__(
        self,
        graders: Sequence[ComponentSpec],
        *,
        workers: int = 1,
        settings: PoolSettings | None = None,
    ) -> None:
        self._graders = tuple(graders)
        self._size = workers
        self._settings = settings or PoolSettings()
        self._selector = selectors.DefaultSelector()
        self._workers: dict[int, _Worker] = {}
        self._tasks: list[GradeTask] = []
        self._verdicts: list[Verdict | None] = []
        self._queue: deque[int] = deque()
        self._stumbles: dict[int, int] = {}
        self._revivals = 0
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def grade(self, tasks: Iterable[GradeTask]) -> list[Verdict]:
        """Judge every task: correct, incorrect, timeout or error, in the order given.

        A pool whose ``grade`` was interrupted by an exception is closed.

        Raises:
            RuntimeError: Worker processes die over and over without grading anything.
        """
        self._tasks = list(tasks)
        self._verdicts = [None] * len(self._tasks)
        self._queue = deque(range(len(self._tasks)))
        self._stumbles = {}
        self._revivals = 0
        try:
            while self._queue or any(worker.batch for worker in self._workers.values()):
                try:
                    self._turn()
                except _NurseryDied:
                    self._revive()
        except BaseException:
            self.close()
            raise
        return [verdict for verdict in self._verdicts if verdict is not None]

    def close(self) -> None:
        """End every process of the pool. A closed pool grades nothing more."""
        with contextlib.suppress(_NurseryDied):
            for pid in list(self._workers):
                self._end(pid)
        self._abandon()

    def _turn(self) -> None:
        """Hand out batches, wait for news or the next deadline, act on it."""
        for worker in list(self._workers.values()):
            if not worker.batch and self._queue:
                self._give(worker)
        busy = [worker for worker in self._workers.values() if worker.batch]
        deadline = self._settings.deadline_s
        soonest = min((worker.since for worker in busy), default=0.0) + deadline
        for key, _ in self._selector.select(max(0.0, soonest - time.monotonic())):
            self._hear(key.data)
        now = time.monotonic()
        for worker in busy:
            if worker.batch and now - worker.since > deadline:
                self._overrun(worker)

    def _give(self, worker: _Worker) -> None:
        """Send an idle worker its next batch, smaller towards the end so that all finish."""
        share = max(1, min(wire.MOST_ANSWERS, len(self._queue) // (2 * self._size)))
        room = _MOST_CHARACTERS
        while self._queue and len(worker.batch) < share:
            room -= len(self._tasks[self._queue[0]].answer)
            if room < 0 and worker.batch:
                break
            worker.batch.append(self._queue.popleft())
        tasks = [self._tasks[position] for position in worker.batch]
        worker.board[:] = bytes(wire.BOARD_BYTES)
        worker.sent = time.monotonic()
        try:
            wire.send(worker.sock, [(task.grader, task.gold, task.answer) for task in tasks])
        except OSError:
            self._bury(worker)

    def _hear(self, worker: _Worker) -> None:
        """A worker says that its batch is through, or is gone."""
        try:
            through = worker.sock.recv(1)
        except OSError:
            through = b""
        if not through:
            self._bury(worker)
            return
        worker.graded += len(worker.batch)
        self._settle(worker, None)
        if worker.graded >= self._settings.recycle:
            self._replace(worker)

    def _bury(self, worker: _Worker) -> None:
        """Blame the answer that a dead worker was at; fork another."""
        self._replace(worker, Verdict.ERROR if worker.started else None)

    def _overrun(self, worker: _Worker) -> None:
        """Kill a worker past its deadline; blame the answer, unless it finished meanwhile."""
        began = worker.started
        self._end(worker.pid)
        late = began > 0.0 and worker.started == began
        self._settle(worker, Verdict.TIMEOUT if late else None)
        worker.close()
        self._fork()

    def _replace(self, worker: _Worker, blame: Verdict | None = None) -> None:
        self._end(worker.pid)
        self._settle(worker, blame)
        worker.close()
        self._fork()

    def _settle(self, worker: _Worker, blame: Verdict | None) -> None:
        """Take a worker's results; what it did not get to goes back to the queue's head."""
        results = worker.results()
        batch, worker.batch = worker.batch, []
        if blame and len(results) < len(batch):
            results.append(blame)
        if batch and not results:
            self._stumbles[batch[0]] = self._stumbles.get(batch[0], 0) + 1
            if self._stumbles[batch[0]] == _MOST_STUMBLES:
                results.append(Verdict.ERROR)
        if results:
            self._revivals = 0
        for position, verdict in zip(batch, results, strict=False):
            self._verdicts[position] = verdict
        self._queue.extendleft(reversed(batch[len(results) :]))

    def _open(self) -> None:
        """Start the nursery and its workers."""
        self._control, theirs = socket.socketpair()
        self._control.settimeout(_START_S)
        # Graders do their sums on one core: workers are how cores are shared.
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", wire.__name__, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | threads | {"PYTHONPATH": os.pathsep.join(sys.path)},
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )
        theirs.close()
        try:
            wire.send(self._control, wire.Start(self._graders, self._settings.memory_mib))
            reply = wire.receive(self._control)
            if isinstance(reply, Exception):
                raise reply
            self._control.settimeout(_REPLY_S)
            for _ in range(self._size):
                self._fork()
        except (wire.Hangup, OSError, _NurseryDied) as error:
            self._abandon()
            raise RuntimeError("the grader processes cannot be started") from error
        except BaseException:
            self._abandon()
            raise

    def _abandon(self) -> None:
        self._forget()
        self._control.close()
        self._nursery.kill()
        self._nursery.wait()

    def _forget(self) -> None:
        """Drop workers that died with the nursery; their answers are nobody's fault."""
        for worker in self._workers.values():
            self._queue.extendleft(reversed(worker.batch))
            self._selector.unregister(worker.sock)
            worker.close()
        self._workers.clear()

    def _revive(self) -> None:
        """Start a new nursery in place of a dead one."""
        self._revivals += 1
        if self._revivals > _MOST_STUMBLES:
            raise RuntimeError("the grader processes die as soon as they start")
        self._abandon()
        self._open()

    def _fork(self) -> None:
        ours, theirs = socket.socketpair()
        # A worker that does not even read within its deadline is dead or stopped.
        ours.settimeout(self._settings.deadline_s)
        handle = os.memfd_create("distlab-board")
        try:
            os.ftruncate(handle, wire.BOARD_BYTES)
            board = mmap.mmap(handle, wire.BOARD_BYTES)
            wire.send(self._control, ("fork", 0))
            socket.send_fds(self._control, [b"\0"], [theirs.fileno(), handle])
            pid = wire.receive(self._control)
        except (wire.Hangup, OSError) as error:
            raise _NurseryDied from error
        finally:
            os.close(handle)
            theirs.close()
        worker = _Worker(pid, ours, board)
        self._workers[pid] = worker
        self._selector.register(ours, selectors.EVENT_READ, worker)

    def _end(self, pid: int) -> None:
        """Kill a worker, reap it, and hear no more of it."""
        try:
            wire.send(self._control, ("end", pid))
            wire.receive(self._control)
        except (wire.Hangup, OSError) as error:
            raise _NurseryDied from error
        self._selector.unregister(self._workers.pop(pid).sock)
