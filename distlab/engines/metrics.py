"""distlab's own numbers on Ray's metrics endpoint, beside vLLM's."""

from ray.util.metrics import Counter, Gauge

from distlab.engines.events import EngineEvent


class Metrics:
    """Counters of a run: samples, tokens, failures, engine events; and gauges of its replicas."""

    def __init__(self, run: str) -> None:
        self._run = {"run": run}
        self._samples = Counter("distlab_samples", "Samples drawn.", ("run", "cell"))
        self._tokens = Counter("distlab_tokens", "New tokens in them.", ("run", "cell"))
        self._failures = Counter(
            "distlab_problem_failures", "Problems without samples.", ("run", "cell")
        )
        self._events = Counter(
            "distlab_engine_events", "What happened to engines.", ("run", "model", "kind")
        )
        tags = ("run", "model", "replica")
        self._leases = Gauge("distlab_replica_leases", "Draws leased to a replica.", tags)
        self._rate = Gauge("distlab_replica_tokens_per_s", "New tokens a second.", tags)

    def drawn(self, cell: str, samples: int, tokens: int) -> None:
        """Samples came back."""
        tags = {**self._run, "cell": cell}
        self._samples.inc(samples, tags)
        if tokens:
            self._tokens.inc(tokens, tags)

    def failed(self, cell: str) -> None:
        """A problem got no samples."""
        self._failures.inc(1, {**self._run, "cell": cell})

    def event(self, event: EngineEvent) -> None:
        """Something happened to an engine."""
        self._events.inc(1, {**self._run, "model": event.model, "kind": event.kind.value})

    def replica(self, name: str, model: str, leases: int, tokens_per_s: float) -> None:
        """How a replica is doing."""
        tags = {**self._run, "model": model, "replica": name}
        self._leases.set(leases, tags)
        self._rate.set(tokens_per_s, tags)
