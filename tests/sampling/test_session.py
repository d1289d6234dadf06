"""Cells that several studies want parts of, and that other runs draw; no engine, no Ray."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from distlab.checkpoints.checkpoint import Checkpoint
from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.config.values import Arm, Family
from distlab.console.display import Display
from distlab.console.progress import State
from distlab.decoding.decoder import DecodingSpec
from distlab.decoding.interface import SampleRequest
from distlab.decoding.stochastic import Stochastic
from distlab.sampling import session
from distlab.sampling.planned import PlannedCell, merged
from distlab.sampling.session import Session, cell_rows
from distlab.store.batches import prompt_hash
from distlab.store.cell import Cell
from distlab.store.claims import claiming
from distlab.store.store import Store, StoredCell
from tests.sampling.said import Said
from tests.store.cells import FIELDS, PROMPT, fill, make_cell


@pytest.fixture
def cell(tmp_path: Path) -> StoredCell:
    return make_cell(Store.open(str(tmp_path)))


def planned(cell: StoredCell, n: int, missing: Mapping[str, Sequence[int]]) -> PlannedCell:
    """A study that wants n samples of some problems."""
    decoding = DecodingSpec("t1", Stochastic(), 8)
    lacked = sum(map(len, missing.values()))
    return PlannedCell(
        cell=Cell("fam", "base", "t1", decoding.decoder.kind, "toy", "p", n, "f00d", cell.name),
        family=Family("fam", {}, 1, "float32", None, 64, {}, None, {}, False, ()),
        seed=0,
        arm=Arm("base", decoding, n),
        checkpoint=Checkpoint("m", "m", None, "w"),
        fields=FIELDS,
        stop=(),
        prompt_hashes=dict.fromkeys(missing, prompt_hash(PROMPT)),
        requests=tuple(
            SampleRequest(problem, PROMPT, tuple(ranks))
            for problem, ranks in missing.items()
            if ranks
        ),
        held=n * len(missing) - lacked,
        failures=(),
        stored=cell,
    )


def test_what_studies_miss_of_a_cell_is_drawn_once_up_to_the_most_that_any_wants(
    cell: StoredCell,
) -> None:
    few_samples = planned(cell, 2, {"a": [1], "b": [0, 1], "c": []})
    few_problems = planned(cell, 4, {"a": [1, 2, 3]})
    (both,) = merged([few_samples, few_problems])
    assert {request.problem_id: request.ranks for request in both.requests} == {
        "a": (1, 2, 3),
        "b": (0, 1),
    }
    assert (both.cell.n, set(both.prompt_hashes)) == (4, {"a", "b", "c"})
    # Held: rank 0 of a, and both of c.
    row = cell_rows([few_samples, few_problems])[cell.name]
    assert (row.problems, row.done_problems) == (3, 1)
    assert (row.samples, row.done_samples) == (8, 3)


@pytest.mark.parametrize("lengths", [(64, 128), (128, 64)])
def test_a_shared_cell_takes_the_longest_context_that_any_study_allows(
    cell: StoredCell, lengths: tuple[int, int]
) -> None:
    one = planned(cell, 2, {"a": [0, 1]})
    studies = [replace(one, family=replace(one.family, max_model_len=most)) for most in lengths]
    (both,) = merged(studies)
    assert both.family.max_model_len == 128


def test_a_cell_that_another_run_draws_is_waited_for_and_not_drawn_again(
    cell: StoredCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_ASK_AGAIN_S", 0.05)
    monkeypatch.setattr(session, "sample", lambda *_: pytest.fail("nothing is left to draw"))
    wanted = planned(cell, 2, {"a": [0, 1], "b": [0, 1]})
    said, state = Said(), State()
    with claiming(cell.store, "first") as first:
        assert first.take(cell) is None

        def finish() -> None:
            deadline = time.monotonic() + 60
            while not said.lines and time.monotonic() < deadline:
                time.sleep(0.01)
            fill(cell, "ab", 2)
            first.release(cell)

        other = threading.Thread(target=finish)
        other.start()
        cluster = validate(compose_config([])).cluster
        with Session(cell.store, cluster, "second", Path("unused")) as ours:
            outcome = ours.draw([wanted], Display(state, said))
        other.join()
    assert outcome.samples == 0
    assert outcome.signal is None
    (line,) = said.lines
    assert "fam/base/t1/toy/p is being drawn by run first (" in line
    assert state.cells[cell.name].done_samples == 4


def test_what_is_there_already_needs_no_claim(cell: StoredCell) -> None:
    cluster = validate(compose_config([])).cluster
    with Session(cell.store, cluster, "ours", Path("unused")) as ours:
        assert ours.draw([planned(cell, 2, {"a": []})], Display(State(), Said())).samples == 0
    assert not (Path(cell.store.root) / ".drivers").exists()
