"""GraderPool: graders in persistent worker processes that cannot hang, bloat or kill a study.

The pool keeps the deadline of every single answer although answers travel in batches: a worker
notes in shared memory when it began an answer and what came of it, so that the pool, which only
waits, knows which answer overruns. The worker is then killed and forked anew, that answer alone
is a ``timeout``, and the rest of the batch is sent again.

A verdict says something of its answer, never of the machine. The deadline is one of CPU time, so
a busy or stopped machine runs no answer out of it. What ends a worker from outside (a signal, want
of memory) cannot be told from what its answer did: that answer is graded again, alone, and is an
``error`` only when workers keep dying of it.
"""

import contextlib
import selectors
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from distlab.errors import UserError
from distlab.problems.problem import Gold
from distlab.scoring import worker as wire
from distlab.scoring.processes import Nursery, NurseryDied, Worker
from distlab.scoring.types import ComponentSpec, Verdict

# Characters of answers sent at once (ours): a longer answer travels alone.
_MOST_CHARACTERS: Final = 1 << 20
# Wall seconds per second of the deadline that a worker may sleep or wait for a core (ours).
_PATIENCE: Final = 6.0
# So often may workers end at an answer before it is held against it (ours): killed, or out of
# patience. All but the first were alone with it. Patience is what a stuck answer costs.
_MOST_ENDS: Final = {Verdict.ERROR: 3, Verdict.TIMEOUT: 2}
# So often may nurseries die without a verdict in between, and seconds to wait after the first
# death, twice as many after each further one, up to a limit (ours).
_MOST_DEATHS: Final = 10
_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 8.0
# Seconds between two looks at a worker that is about to overrun (ours).
_LOOK_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """How a worker is held.

    Attributes:
        deadline_s: CPU seconds an answer may take before its worker is killed.
        memory_mib: Address space a worker may use, in MiB.
        recycle: Answers after which a worker is replaced.
    """

    deadline_s: float = 5.0
    memory_mib: int = 2048
    recycle: int = 20000

    @property
    def patience_s(self) -> float:
        """Wall seconds that an answer may take, or a worker to read a message."""
        return self.deadline_s * _PATIENCE


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


class _Round:
    """What is left of the tasks of one ``grade``, and what came of them.

    Attributes:
        tasks: All of them; others name them by position.
        verdicts: None where there is none yet.
        queue: To be graded in batches.
        suspects: To be graded again, alone: workers ended at them.
        disturbed: Those whose verdict the machine may have caused.
    """

    def __init__(self, tasks: Iterable[GradeTask]) -> None:
        self.tasks = list(tasks)
        self.verdicts: list[Verdict | None] = [None] * len(self.tasks)
        self.queue = deque(range(len(self.tasks)))
        self.suspects: deque[int] = deque()
        self.disturbed: set[int] = set()
        self._ends: dict[int, int] = {}

    def next_batch(self, most: int) -> list[int]:
        """Positions from the queue's head: one at least, of bounded size together."""
        room = _MOST_CHARACTERS
        batch: list[int] = []
        while self.queue and len(batch) < most:
            room -= len(self.tasks[self.queue[0]].answer)
            if room < 0 and batch:
                break
            batch.append(self.queue.popleft())
        return batch

    def put_back(self, rest: Iterable[int]) -> None:
        """Queue what a worker did not get to, before all others."""
        for position in reversed(list(rest)):
            (self.suspects if position in self._ends else self.queue).appendleft(position)

    def suspect(self, position: int, blame: Verdict) -> None:
        """A worker ended at an answer: grade it again, alone, unless that happens too often."""
        self._ends[position] = self._ends.get(position, 0) + 1
        if self._ends[position] < _MOST_ENDS[blame]:
            self.suspects.append(position)
        else:
            self.verdicts[position] = blame
            self.disturbed.add(position)


class GraderPool:
    """Persistent, killable grader workers. Not thread-safe: one caller at a time.

    Args:
        graders: What to grade with; tasks name them by position.
        workers: Worker processes.
        settings: Deadline, memory cap and recycling.

    Raises:
        UserError: A grader cannot be imported or does not take its options, or the worker
            processes die as soon as they start.
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
        self._fork_server: Nursery | None = None
        self._workers: list[Worker] = []
        self._round = _Round(())
        self._deaths = 0
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
            UserError: Worker processes die over and over without grading anything.
            ValueError: The pool is closed.
        """
        if self._fork_server is None:
            raise ValueError("a closed pool grades nothing")
        self._round = _Round(tasks)
        try:
            while self._round.queue or self._round.suspects or self._busy():
                try:
                    self._turn()
                except NurseryDied as death:
                    self._forget()
                    self._mourn(death)
                    self._open()
        except BaseException:
            self.close()
            raise
        return [verdict for verdict in self._round.verdicts if verdict is not None]

    @property
    def disturbed(self) -> frozenset[int]:
        """Positions of the last tasks whose verdict the machine may have caused, not the answer."""
        return frozenset(self._round.disturbed)

    def close(self) -> None:
        """End every process of the pool. A closed pool grades nothing more."""
        with contextlib.suppress(NurseryDied):
            for worker in list(self._workers):
                self._end(worker)
                worker.close()
        self._forget()
        if self._fork_server is not None:
            self._fork_server.kill()
            self._fork_server = None

    def _busy(self) -> list[Worker]:
        return [worker for worker in self._workers if worker.batch]

    def _turn(self) -> None:
        """Hand out batches, wait for news or the next deadline, act on it."""
        self._hand_out()
        busy = self._busy()
        for key, _ in self._selector.select(min(map(self._left_s, busy), default=0.0)):
            self._hear(key.data)
        for worker in busy:
            if worker.batch and self._left_s(worker) <= 0.0:
                self._overrun(worker)

    def _hand_out(self) -> None:
        """Give idle workers batches; once all are through, one of them a suspect alone."""
        work = self._round
        for worker in list(self._workers):
            if work.queue and not worker.batch:
                # Smaller towards the end, so that all workers finish together.
                share = max(1, min(wire.MOST_ANSWERS, len(work.queue) // (2 * self._size)))
                self._give(worker, work.next_batch(share))
        if work.suspects and not work.queue and not self._busy():
            if self._workers[-1].graded:
                # What earlier answers left in a worker must not tell against this one.
                self._replace(self._workers[-1])
            self._give(self._workers[-1], [work.suspects.popleft()])

    def _give(self, worker: Worker, batch: Sequence[int]) -> None:
        tasks = [self._round.tasks[position] for position in batch]
        try:
            worker.give(batch, [(task.grader, task.gold, task.answer) for task in tasks])
        except OSError:
            self._replace(worker, Verdict.ERROR)

    def _left_s(self, worker: Worker) -> float:
        """Seconds after which a worker may have overrun; 0 or less once it has."""
        patience = self._settings.patience_s - worker.waited_s()
        deadline = self._settings.deadline_s - worker.spent_s()
        return min(patience, deadline if deadline <= 0.0 else max(deadline, _LOOK_S))

    def _hear(self, worker: Worker) -> None:
        """A worker says that its batch is through, or is gone."""
        try:
            through = worker.sock.recv(1)
        except OSError:
            through = b""
        if not through:
            self._replace(worker, Verdict.ERROR)
            return
        worker.graded += len(worker.batch)
        self._take(worker)
        if worker.graded >= self._settings.recycle:
            self._replace(worker)

    def _overrun(self, worker: Worker) -> None:
        """Kill a worker past its deadline or the pool's patience."""
        began, late = worker.began, worker.spent_s() >= self._settings.deadline_s
        self._end(worker)
        rest = self._take(worker)
        if rest and late and 0.0 < began == worker.began:
            self._round.verdicts[rest.pop(0)] = Verdict.TIMEOUT
        elif rest:
            self._round.suspect(rest.pop(0), Verdict.TIMEOUT)
        self._succeed(worker, rest)

    def _replace(self, worker: Worker, blame: Verdict | None = None) -> None:
        """Kill a worker; ``blame`` is what its end makes of the answer that it was at."""
        self._end(worker)
        rest = self._take(worker)
        if rest and blame is not None:
            self._round.suspect(rest.pop(0), blame)
        self._succeed(worker, rest)

    def _take(self, worker: Worker) -> list[int]:
        """Take a worker's results; returns what it did not get to."""
        verdicts = worker.verdicts()
        batch, worker.batch = worker.batch, []
        for position, verdict in zip(batch, verdicts, strict=False):
            self._round.verdicts[position] = verdict
        if verdicts:
            self._deaths = 0
        return batch[len(verdicts) :]

    def _succeed(self, worker: Worker, rest: Iterable[int]) -> None:
        """Another worker in the place of one that was ended."""
        self._round.put_back(rest)
        worker.close()
        self._fork()

    def _open(self) -> None:
        """Start the fork server and its workers, again where they are killed meanwhile."""
        while True:
            try:
                self._fork_server = Nursery(self._graders, self._settings.memory_mib)
                for _ in range(self._size):
                    self._fork()
            except NurseryDied as death:
                self._forget()
                self._mourn(death)
            except BaseException:
                self.close()
                raise
            else:
                return

    def _mourn(self, death: NurseryDied) -> None:
        """Wait a moment after a death of the fork server; give up after too many."""
        self._deaths += 1
        if self._deaths == _MOST_DEATHS:
            raise UserError(
                f"the process that starts grader workers ended {_MOST_DEATHS} times in a row "
                f"({death}), most likely for want of memory: free some, or set a lower "
                "`grader.memory_mib`, and give the same command again"
            ) from death
        time.sleep(min(_PAUSE_S * 2 ** (self._deaths - 1), _LONGEST_PAUSE_S))

    def _forget(self) -> None:
        """Drop all workers; their answers are nobody's fault."""
        for worker in self._workers:
            self._round.put_back(self._take(worker))
            self._selector.unregister(worker.sock)
            worker.close()
        self._workers.clear()

    def _fork(self) -> None:
        assert self._fork_server is not None
        worker = self._fork_server.fork(self._settings.patience_s)
        self._workers.append(worker)
        self._selector.register(worker.sock, selectors.EVENT_READ, worker)

    def _end(self, worker: Worker) -> None:
        """Kill a worker, reap it, and hear no more of it."""
        assert self._fork_server is not None
        self._fork_server.end(worker)
        self._selector.unregister(worker.sock)
        self._workers.remove(worker)
