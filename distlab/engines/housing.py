"""Where replicas run: what is wanted and what is free in, starts and stops out."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from distlab.engines.events import EventKind, Observer
from distlab.engines.fleet import Running
from distlab.engines.staffing import Claim, staff
from distlab.engines.workload import Limits, Workload
from distlab.placement.placement import Node, Placement

# Within this Ray's account of the nodes has caught up with what was given back.
_ACCOUNT_S = 4.0


@dataclass(frozen=True, slots=True)
class Moves:
    """What to do now.

    Attributes:
        starts: Replicas to start, and where.
        vacate: Idle replicas to give up.
        hopeless: Workloads to give up: they waited for a place long enough.
    """

    starts: tuple[tuple[Workload, Placement], ...]
    vacate: tuple[Running, ...]
    hopeless: tuple[Workload, ...]


class Housing:
    """Shares a cluster out among workloads, and knows how long each has waited."""

    def __init__(self, workloads: Sequence[Workload], limits: Limits, observer: Observer) -> None:
        """Begin with nobody housed.

        Args:
            workloads: All that share the cluster.
            limits: How engines are held.
            observer: Is told who waits.
        """
        self._workloads = workloads
        self._limits = limits
        self._observer = observer

    @property
    def is_complete(self) -> bool:
        """Whether nobody has use for another replica."""
        return not self._claimants()

    def moves(
        self, nodes: Sequence[Node], replicas: Sequence[Running], *, is_vacating: bool
    ) -> Moves:
        """Start replicas where there is room for them, and make room where there is none.

        Args:
            nodes: Of the live cluster, with what is taken on them.
            replicas: That are up.
            is_vacating: Whether some are being given up at this moment.
        """
        claimants, idle = self._claimants(), self._idle(replicas)
        decision = staff(
            [self._claim(workload) for workload in claimants],
            nodes,
            [(running.settings.group, running.placement) for running in idle],
        )
        for index, _ in decision.starts:
            claimants[index].waiting_since = None
        homeless = [claimants[index] for index in decision.homeless]
        at_work = is_vacating or bool(decision.vacate) or self._is_anyone_at_work(decision.starts)
        return Moves(
            tuple((claimants[index], placement) for index, placement in decision.starts),
            () if is_vacating else tuple(idle[index] for index in decision.vacate),
            tuple(workload for workload in homeless if self._is_hopeless(workload, at_work)),
        )

    def _claimants(self) -> list[Workload]:
        """Those that have use for another replica, the most urgent first."""
        return sorted(
            (w for w in self._workloads if w.wanted(self._limits.replicas) > w.replicas),
            key=lambda w: (-w.job.settings.group.ranks, -w.queue.waiting),
        )

    def _claim(self, workload: Workload) -> Claim:
        since = workload.waiting_since
        return Claim(
            workload.job.settings.group,
            workload.replicas,
            workload.wanted(self._limits.replicas),
            is_new=since is None or time.monotonic() - since < _ACCOUNT_S,
        )

    def _idle(self, replicas: Sequence[Running]) -> list[Running]:
        """Replicas that nobody has use for."""
        busy = set()
        for workload in self._workloads:
            for serving in workload.serving:
                awaited = workload.queue.waiting or workload.following
                if serving.leased or serving.kept or (awaited and not workload.is_over):
                    busy.add(serving.running.name)
        return [running for running in replicas if running.name not in busy]

    def _is_anyone_at_work(self, starts: Sequence[tuple[int, Placement]]) -> bool:
        return bool(starts) or any(w.replicas for w in self._workloads if not w.is_over)

    def _is_hopeless(self, workload: Workload, at_work: bool) -> bool:
        """Note that a workload fits nowhere; whether it has for too long, with nobody at work."""
        now = time.monotonic()
        if workload.waiting_since is None:
            workload.waiting_since = workload.homeless_since = now
            self._observer.event(workload.event(EventKind.WAITING, detail=workload.needs))
            return False
        if at_work:
            workload.homeless_since = now
            return False
        return now - workload.homeless_since >= self._limits.wait_for_nodes_s
