"""What happens to engines, told as it happens."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from distlab.engines.messages import Pulse

_log = logging.getLogger(__name__)


class EventKind(StrEnum):
    """What happened."""

    LOADING = "loading"
    LOADED = "loaded"
    REUSED = "reused"
    LOAD_FAILED = "load_failed"
    DIED = "died"
    HUNG = "hung"
    STOPPED = "stopped"
    SET_ASIDE = "set_aside"
    WAITING = "waiting"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """One thing that happened.

    Attributes:
        kind: What happened.
        model: Checkpoint of the engine.
        replica: Name of the replica, None where it is about the whole checkpoint.
        nodes: Host names, in rank order, where it is about a replica.
        detail: An error, a number of seconds, what is waited for.
    """

    kind: EventKind
    model: str
    replica: str | None = None
    nodes: tuple[str, ...] = ()
    detail: str = ""


class Observer(Protocol):
    """Is told what engines do."""

    def event(self, event: EngineEvent) -> None:
        """Something happened."""
        ...

    def pulse(self, replica: str, pulse: Pulse, requests: Mapping[str, int]) -> None:
        """How a replica is doing, every few seconds.

        Args:
            replica: Its name.
            pulse: What it says of itself.
            requests: Cell key to the requests of it that are leased to the replica.
        """
        ...


@dataclass(frozen=True, slots=True)
class EventLog:
    """Events as lines of JSON, for people and programs that look at a run later.

    Attributes:
        path: The file; lines are added to what is there.
    """

    path: Path

    def write(self, event: EngineEvent) -> None:
        """Add a line: the event's fields and ``time``, UTC.

        Where it cannot be written, it is said in the log and the study goes on.
        """
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **asdict(event)}
        try:
            with self.path.open("a", encoding="ascii") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            _log.warning("an engine's event was not noted (%s): %s", error, event)
