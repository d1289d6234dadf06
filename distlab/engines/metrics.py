"""distlab's own numbers on Ray's metrics endpoint, beside vLLM's.

They are for whoever looks on: what Ray does not take is said once in the log, and no more.
"""

import logging
from collections.abc import Callable

from ray.util.metrics import Counter, Gauge

from distlab.engines.events import EngineEvent
from distlab.escape import ascii_label

_log = logging.getLogger(__name__)


class Metrics:
    """Counters of a run: samples, tokens, failures, engine events; and gauges of its replicas."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._has_failed = False
        self._samples = Counter("distlab_samples", "Samples drawn.", ("run", "cell"))
        self._tokens = Counter("distlab_tokens", "New tokens in them.", ("run", "cell"))
        self._failures = Counter(
            "distlab_problem_failures", "Problems without samples.", ("run", "cell")
        )
        self._events = Counter(
            "distlab_engine_events", "What happened to engines.", ("run", "model", "kind")
        )
        tags = ("run", "model", "replica")
        self._leases = Gauge("distlab_replica_leases", "Requests leased to a replica.", tags)
        self._rate = Gauge("distlab_replica_tokens_per_s", "New tokens per second.", tags)

    def drawn(self, cell: str, samples: int, tokens: int) -> None:
        """Samples came back."""
        self._add(self._samples, samples, cell=cell)
        self._add(self._tokens, tokens, cell=cell)

    def failed(self, cell: str) -> None:
        """A problem got no samples."""
        self._add(self._failures, 1, cell=cell)

    def event(self, event: EngineEvent) -> None:
        """Something happened to an engine."""
        self._add(self._events, 1, model=event.model, kind=event.kind.value)

    def replica(self, name: str, model: str, leases: int, tokens_per_s: float) -> None:
        """How a replica is doing."""
        self._record(self._leases.set, leases, model=model, replica=name)
        self._record(self._rate.set, tokens_per_s, model=model, replica=name)

    def _add(self, counter: Counter, count: int, **labels: str) -> None:
        # Ray refuses to add nothing.
        if count:
            self._record(counter.inc, count, **labels)

    def _record(
        self, record: Callable[[float, dict[str, str]], None], value: float, **labels: str
    ) -> None:
        tags = {name: ascii_label(text) for name, text in {"run": self._run, **labels}.items()}
        try:
            record(value, tags)
        except Exception:
            if not self._has_failed:
                _log.warning("metrics are incomplete: Ray did not take one", exc_info=True)
            self._has_failed = True
