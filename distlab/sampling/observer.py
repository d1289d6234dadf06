"""Shows and notes what happens to engines, as the dispatcher tells it."""

import time
from collections.abc import Mapping

from distlab.console.display import Display
from distlab.console.progress import ReplicaProgress, format_seconds
from distlab.engines.events import EngineEvent, EventKind, EventLog
from distlab.engines.messages import Pulse
from distlab.engines.metrics import Metrics
from distlab.sampling.outcome import Outcome


class EngineObserver:
    """The dispatcher's observer.

    Args:
        events: Where to note what happens.
        outcome: Gets the loads and the deaths.
        display: Shows the engines.
        metrics: Of the run.
    """

    def __init__(
        self, events: EventLog, outcome: Outcome, display: Display, metrics: Metrics
    ) -> None:
        self._events = events
        self._outcome = outcome
        self._display = display
        self._metrics = metrics
        # Checkpoint to the restarts of each engine that died, for who takes its place.
        self._restarts: dict[str, list[int]] = {}

    def event(self, event: EngineEvent) -> None:
        """Note, count and show what happens to engines."""
        self._events.write(event)
        self._metrics.event(event)
        self._show_replica(event)
        where = f" on {' and '.join(dict.fromkeys(event.nodes))}" if event.nodes else ""
        if event.kind is EventKind.LOADING and event.detail:
            self._display.say(f"ranks of {event.model}{where} meet over {event.detail}")
        match event.kind:
            case EventKind.LOADING if self._display.state.sampling_since is None:
                self._display.enter(f"loading {event.model}")
            case EventKind.LOADED:
                self._outcome.load_s.append(float(event.detail))
                took = format_seconds(float(event.detail))
                self._display.say(f"engine of {event.model}{where} loaded in {took}")
                self._on_ready()
            case EventKind.REUSED:
                self._on_ready()
            case EventKind.DIED | EventKind.HUNG:
                self._outcome.deaths += 1
                self._display.say(
                    f"warning: an engine of {event.model}{where} {event.kind} and is rebuilt: "
                    f"{event.detail}"
                )
            case EventKind.LOAD_FAILED:
                self._display.say(
                    f"warning: an engine of {event.model}{where} did not load: {event.detail}"
                )
            case EventKind.WAITING:
                self._display.say(f"{event.model} waits for {event.detail}")
            case EventKind.SET_ASIDE:
                self._display.say(f"warning: {event.detail} kills engines and is set aside")

    def _on_ready(self) -> None:
        if self._display.state.sampling_since is None:
            self._display.state.sampling_since = time.monotonic()
        self._display.enter("sampling")

    def _show_replica(self, event: EngineEvent) -> None:
        """Keep the replicas' rows; who takes a dead one's place inherits its restarts."""
        if event.replica is None:
            return
        rows, restarts = self._display.state.replicas, self._restarts.setdefault(event.model, [])
        match event.kind:
            case EventKind.LOADING | EventKind.REUSED:
                rows[event.replica] = ReplicaProgress(
                    event.model,
                    nodes=tuple(dict.fromkeys(event.nodes)),
                    restarts=restarts.pop() if restarts else 0,
                )
                if event.kind is EventKind.REUSED:
                    rows[event.replica].state = "sampling"
            case EventKind.LOADED:
                rows[event.replica].state = "sampling"
                rows[event.replica].told(time.monotonic(), 0)
            case EventKind.DIED | EventKind.HUNG | EventKind.LOAD_FAILED:
                restarts.append(rows.pop(event.replica).restarts + 1)
            case EventKind.STOPPED:
                rows.pop(event.replica, None)

    def pulse(self, replica: str, pulse: Pulse, requests: Mapping[str, int]) -> None:
        """Show how a replica is doing, and what it has made of its cells."""
        # A replica that has just been given up may still answer.
        if (row := self._display.state.replicas.get(replica)) is None:
            return
        vitals, now, held = pulse.vitals, time.monotonic(), sum(requests.values())
        self._display.state.share_out(now, row.told(now, vitals.tokens), requests)
        row.problems, row.running, row.waiting = held, vitals.running, vitals.waiting
        self._metrics.replica(replica, row.model, held, row.tokens_per_s)
        self._display.refresh()
