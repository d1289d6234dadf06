"""What comes back is counted once: in the outcome and in the rows that people see."""

import time

import pyarrow as pa

from distlab.console.display import Display
from distlab.console.progress import CellProgress, State
from distlab.engines.messages import Finished
from distlab.engines.metrics import Metrics
from distlab.sampling.counter import SampleCounter
from distlab.sampling.outcome import CellOutcome, Outcome
from distlab.store.cell import ProblemFailure
from tests.sampling.said import Said


def counter(state: State) -> tuple[SampleCounter, Outcome]:
    outcome = Outcome({"path/1": CellOutcome(), "path/2": CellOutcome()})
    names = {"path/1": "first", "path/2": "second"}
    return SampleCounter(names, outcome, Display(state, Said()), Metrics("run")), outcome


def batch(rows: int) -> pa.RecordBatch:
    return pa.record_batch({"rank": list(range(rows))})


def two_rows() -> State:
    return State(cells={name: CellProgress(name, 4, 8) for name in ("path/1", "path/2")})


def test_samples_and_problems_are_added_to_their_cells() -> None:
    state = two_rows()
    counts, outcome = counter(state)
    done = (("path/1", "a"), ("path/1", "b"), ("path/2", "a"))
    batches = {"path/1": batch(5), "path/2": batch(2)}
    counts.count(Finished(batches, done, {"path/1": 50, "path/2": 9}))
    counts.count(Finished({"path/2": batch(1)}, (("path/2", "b"),), {"path/2": 1}))
    first, second = outcome.cells.values()
    assert (first.samples, first.tokens, second.samples, second.tokens) == (5, 50, 3, 10)
    rows = state.cells.values()
    assert [(row.done_problems, row.done_samples) for row in rows] == [(2, 5), (2, 3)]
    assert [(row.drawn, row.tokens) for row in rows] == [(5, 50), (3, 10)]


def test_a_failure_is_known_by_the_name_that_people_see() -> None:
    state = two_rows()
    counts, outcome = counter(state)
    counts.count(Finished({}, failures=(ProblemFailure("path/2", "a", "killed two engines"),)))
    assert outcome.failures == [ProblemFailure("second", "a", "killed two engines")]
    assert [row.failed for row in state.cells.values()] == [0, 1]


def test_engine_seconds_run_from_the_first_engine_to_the_last_sample() -> None:
    state = two_rows()
    counts, outcome = counter(state)
    state.sampling_since = time.monotonic() - 100
    counts.count(Finished({"path/1": batch(1)}, (("path/1", "a"),), {"path/1": 1}))
    assert 100 <= outcome.engine_s < 160
