"""Engines' lives, as a person sees them and as the outcome counts them."""

import json
from pathlib import Path

import pytest

from distlab.console.display import Display
from distlab.console.progress import CellProgress, State
from distlab.decoding.interface import Vitals
from distlab.engines.events import EngineEvent, EventKind, EventLog
from distlab.engines.messages import Pulse
from distlab.engines.metrics import Metrics
from distlab.sampling.observer import EngineObserver
from distlab.sampling.outcome import Outcome
from tests.sampling.said import Said


class Watched:
    """An observer with all that it writes to."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "events.jsonl"
        self.outcome, self.state, self.said = Outcome(), State(), Said()
        display = Display(self.state, self.said)
        log = EventLog(self.file)
        self.observer = EngineObserver(log, self.outcome, display, Metrics("run"))

    def tell(self, kind: EventKind, replica: str | None = "r1", detail: str = "") -> None:
        self.observer.event(EngineEvent(kind, "model", replica, ("n1", "n1"), detail))


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_an_engine_that_loads_is_timed_and_starts_the_clock(watched: Watched) -> None:
    watched.tell(EventKind.LOADING)
    assert watched.state.stage == "loading model"
    assert watched.state.sampling_since is None
    watched.tell(EventKind.LOADED, detail="61.5")
    assert watched.outcome.load_s == [61.5]
    assert watched.state.sampling_since is not None
    assert watched.state.stage == "sampling"
    assert watched.said.lines == ["engine of model on n1 loaded in 1 min 2 s"]
    assert watched.state.replicas["r1"].state == "sampling"


@pytest.mark.parametrize("kind", [EventKind.DIED, EventKind.HUNG])
def test_who_takes_a_dead_engines_place_inherits_its_restarts(
    watched: Watched, kind: EventKind
) -> None:
    for number, replica in enumerate(["r1", "r2", "r3"]):
        watched.tell(EventKind.LOADING, replica)
        assert watched.state.replicas[replica].restarts == number
        watched.tell(EventKind.LOADED, replica, "1")
        watched.tell(kind, replica, "out of memory")
        assert replica not in watched.state.replicas
    assert watched.outcome.deaths == 3
    assert watched.said.lines[-1].endswith(f"{kind} and is rebuilt: out of memory")


def test_every_event_is_a_line_of_the_log(watched: Watched) -> None:
    watched.tell(EventKind.WAITING, None, "2 GPUs")
    watched.tell(EventKind.GIVEN_UP, None)
    lines = [json.loads(line) for line in watched.file.read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["waiting", "given_up"]
    assert watched.said.lines == ["model waits for 2 GPUs"]


def test_a_pulse_fills_the_row_of_its_engine(watched: Watched) -> None:
    watched.tell(EventKind.REUSED)
    watched.observer.pulse("r1", Pulse(Vitals(tokens=10, running=3, waiting=2), 0.0), {"a": 7})
    row = watched.state.replicas["r1"]
    assert (row.problems, row.running, row.waiting, row.state) == (7, 3, 2, "sampling")


def test_new_tokens_are_credited_to_the_cells_that_an_engine_works_on(watched: Watched) -> None:
    watched.state.cells = {name: CellProgress(name, 4, 8, max_tokens=50) for name in "abc"}
    watched.tell(EventKind.LOADING)
    watched.tell(EventKind.LOADED, detail="1")
    watched.observer.pulse("r1", Pulse(Vitals(tokens=40), 0.0), {"a": 3, "b": 1})
    watched.observer.pulse("r1", Pulse(Vitals(tokens=50), 0.0), {"b": 1})
    assert [row.made for row in watched.state.cells.values()] == [30, 20, 0]
    assert [row.began is not None for row in watched.state.cells.values()] == [True, True, False]


def test_tokens_that_an_engine_made_for_an_earlier_draw_are_nobodys(watched: Watched) -> None:
    watched.state.cells = {"a": CellProgress("a", 4, 8)}
    watched.tell(EventKind.REUSED)
    watched.observer.pulse("r1", Pulse(Vitals(tokens=1000), 0.0), {"a": 1})
    watched.observer.pulse("r1", Pulse(Vitals(tokens=1007), 0.0), {"a": 1})
    assert watched.state.cells["a"].made == 7


def test_a_pulse_of_an_engine_that_was_given_up_is_passed_over(watched: Watched) -> None:
    watched.tell(EventKind.REUSED)
    watched.tell(EventKind.DIED)
    watched.observer.pulse("r1", Pulse(Vitals(tokens=10), 0.0), {"a": 7})
    assert not watched.state.replicas
