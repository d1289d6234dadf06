import json
from pathlib import Path

import pytest

from distlab.engines.events import EngineEvent, EventKind, EventLog

DIED = EngineEvent(EventKind.DIED, "modèle", "r1", ("n1",), "lone \ud800 surrogate")


def test_events_are_lines_of_json(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.write(DIED)
    log.write(DIED)
    one, other = map(json.loads, log.path.read_text(encoding="ascii").splitlines())
    assert one.pop("time") <= other.pop("time")
    assert one == other
    assert (one["kind"], one["model"], one["detail"]) == ("died", DIED.model, DIED.detail)


@pytest.mark.parametrize("place", ["/dev/full", "/absent/events.jsonl"])
def test_a_log_that_cannot_be_written_is_said_and_ends_nothing(
    place: str, caplog: pytest.LogCaptureFixture
) -> None:
    EventLog(Path(place)).write(DIED)
    (message,) = caplog.messages
    assert message.startswith("an engine's event was not noted (")
