"""Status of stores; runs and sweeps are looked at where they are made (tests/sweep)."""

from pathlib import Path

import pytest

from distlab.status.__main__ import main
from distlab.status.read import store_status
from distlab.store.asks import Ask, write_ask
from distlab.store.claims import claiming
from distlab.store.sample_schema import FORMAT_KEY, SAMPLES
from distlab.store.shard import encode
from distlab.store.store import Store, StoredCell, shard_name
from tests.store.cells import fill, make_cell


@pytest.fixture
def cell(tmp_path: Path) -> StoredCell:
    return make_cell(Store.open(str(tmp_path / "store")))


def test_a_cell_is_measured_against_all_that_runs_wanted(cell: StoredCell) -> None:
    write_ask(cell, Ask("one", 4, ("a", "b"), {"b": "too long", "c": "not asked for by name"}))
    write_ask(cell, Ask("two", 2, ("a", "c"), {"c": "engine died"}))
    fill(cell, "a", 3, run="one")
    fill(cell, "az", 2, run="two")
    (status,) = store_status(cell.store)
    assert status.name == cell.name
    # a holds 3 of 4 wanted, z is wanted by none; b and c have nothing and failed.
    assert (status.samples, status.wanted, status.done, status.missing) == (5, 10, 3, 1)
    assert status.failed == {"b": "too long", "c": "engine died"}
    assert status.runs == {"one": 3, "two": 2}
    assert status.last is not None
    assert status.drawing == ""


def test_a_failed_problem_that_has_samples_by_now_is_missing_what_it_lacks(
    cell: StoredCell,
) -> None:
    write_ask(cell, Ask("one", 2, ("a",), {"a": "engine died"}))
    fill(cell, "a", 1)
    (status,) = store_status(cell.store)
    assert (status.failed, status.missing) == ({}, 1)


def test_a_problem_that_stopped_since_it_was_solved_lacks_nothing(cell: StoredCell) -> None:
    write_ask(cell, Ask("one", 20, ("a", "b"), settled=("a",)))
    fill(cell, "ab", 3)
    (status,) = store_status(cell.store)
    assert (status.wanted, status.done, status.missing) == (23, 6, 17)


def test_that_a_study_stopped_by_itself_is_said(
    cell: StoredCell, capsys: pytest.CaptureFixture[str]
) -> None:
    write_ask(cell, Ask("one", 2, ("a", "b"), settled=("a", "b"), stopped="stopped\x1b after 1"))
    fill(cell, "a", 1)
    assert main([cell.store.root]) == 0
    output = capsys.readouterr().out
    assert output.count(r"stopped\x1b after 1") == 1
    assert " 1        1       0 " in output


def test_who_draws_a_cell_is_said(cell: StoredCell) -> None:
    with claiming(cell.store, "their run") as theirs:
        assert theirs.take(cell) is None
        (status,) = store_status(cell.store)
    assert status.drawing == "their run"


def test_the_command_prints_counts_failures_and_no_control_characters(
    cell: StoredCell, capsys: pytest.CaptureFixture[str]
) -> None:
    write_ask(cell, Ask("\x1b[31mred", 2, ("a", "b", "c"), {"b": "why\x1b[2J", "c": "why\x1b[2J"}))
    fill(cell, "a", 1, run="\x1b[31mred")
    assert main([cell.store.root]) == 0
    output = capsys.readouterr().out
    assert "\x1b" not in output
    assert r"\x1b[31mred: 1" in output
    assert rf"failed: {cell.name}: b and 1 more: why\x1b[2J" in output


def test_a_shard_that_cannot_be_read_hides_no_other(
    cell: StoredCell, capsys: pytest.CaptureFixture[str]
) -> None:
    write_ask(cell, Ask("one", 2, ("a", "b", "c")))
    fill(cell, "a", 2)
    damaged = Path(fill(cell, "b", 2))
    damaged.write_bytes(damaged.read_bytes()[:-9])
    later = SAMPLES.empty_table().replace_schema_metadata({FORMAT_KEY: b"999"})
    newer = Path(cell.path, f"samples-{shard_name()}.parquet")
    newer.write_bytes(encode(later).to_pybytes())
    beside = make_cell(cell.store, "beside")
    fill(beside, "a", 3)
    first, second = sorted(store_status(cell.store), key=lambda status: status.samples)
    assert (first.name, first.samples, first.done, first.missing) == (cell.name, 2, 2, 4)
    assert (second.name, second.samples, second.unreadable) == (beside.name, 3, ())
    assert main([cell.store.root]) == 1
    faults = [x for x in capsys.readouterr().out.splitlines() if x.startswith("fault: ")]
    assert f"the shard {damaged} is damaged" in faults[0]
    assert f"the shard {newer} is of sample format 999" in faults[1]


def test_bad_input_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "is no store with cells, no run and no sweep" in line


def test_the_path_of_a_cell_is_whole_in_a_pipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    cell = make_cell(Store.open(str(tmp_path / "store")), f"{'long-' * 20}name")
    fill(cell, "a", 1)
    assert main([cell.store.root]) == 0
    assert cell.name in capsys.readouterr().out
