import os
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from distlab.decoding.interface import Sample
from distlab.errors import UserError
from distlab.store.batches import prompt_hash, to_batch
from distlab.store.fingerprint import differing_fields
from distlab.store.sample_schema import SAMPLES
from distlab.store.store import CellWriter, Store, StoredCell, cell_path
from tests.store.cells import FIELDS, PROMPT, fill, sample


@pytest.fixture
def cell(tmp_path: Path) -> StoredCell:
    path = cell_path("fam", "base", "cot", "gsm8k", "zero-shot", FIELDS.fingerprint())
    made = Store.open(str(tmp_path / "store")).cell(path)
    assert made.differing(FIELDS) == ()
    assert not made.exists()
    made.create(FIELDS)
    assert made.exists()
    return made


def held(cell: StoredCell) -> dict[str, set[int]]:
    known = prompt_hash(PROMPT)
    return cell.ranks(dict.fromkeys("abc", known))


def test_an_empty_cell_holds_nothing(cell: StoredCell) -> None:
    assert held(cell) == {}
    assert cell.samples().num_rows == 0
    assert cell.samples().schema.equals(SAMPLES)


def test_committed_samples_come_back_as_they_were(cell: StoredCell) -> None:
    wanted = Sample("a", 3, PROMPT, (7, 8), "x\u202e", True, "\nQ:", 11, -0.5, (0.25, 0.5), (1, 1))
    wanted = replace(wanted, computed_tokens=1, turn_end=1, thinking_end=1, thinking_tokens=2)
    cell.commit([to_batch([wanted], "run-1")])
    (row,) = cell.samples().to_pylist()
    assert row == {
        "problem_id": "a",
        "rank": 3,
        "prompt_hash": prompt_hash(PROMPT),
        "prompt_tokens": 3,
        "seed": 11,
        "token_ids": [7, 8],
        "text": "x\u202e",
        "finish_reason": "length",
        "stop_string": "\nQ:",
        "truncated": True,
        "first_token_logprob": -0.5,
        "margins": [0.25, 0.5],
        "token_lengths": [1, 1],
        "given_delta": None,
        "computed_tokens": 1,
        "turn_end": 1,
        "thinking_end": 1,
        "thinking_tokens": 2,
        "run": "run-1",
    }


def test_a_lone_surrogate_does_not_stop_the_commit(cell: StoredCell) -> None:
    cell.commit([to_batch([sample("a", 0, "ok \ud800 \x00 end")], "run")])
    assert cell.samples().column("text").to_pylist() == ["ok ? \x00 end"]


def test_ranks_of_another_prompt_do_not_count(cell: StoredCell) -> None:
    cell.commit([to_batch([sample("a", 0)], "run")])
    assert held(cell) == {"a": {0}}
    assert cell.ranks({"a": "another"}) == {}


def test_ranks_add_up_over_shards(cell: StoredCell) -> None:
    cell.commit([to_batch([sample("a", 0), sample("a", 1)], "one")])
    cell.commit([to_batch([sample("a", 2), sample("b", 0)], "two")])
    assert held(cell) == {"a": {0, 1, 2}, "b": {0}}


def test_a_sample_in_two_shards_counts_once_and_the_first_shard_wins(cell: StoredCell) -> None:
    for text in ("one", "two"):
        cell.commit([to_batch([sample("a", 0, text), sample("b", 0, text)], "run")])
    first = pq.read_table(cell.shards()[0], columns=["text"]).column("text").to_pylist()
    assert cell.samples(["text"]).column("text").to_pylist() == first


def test_a_torn_write_is_not_seen(cell: StoredCell) -> None:
    cell.commit([to_batch([sample("a", 0)], "run")])
    (Path(cell.path) / ".samples-00.parquet.1.tmp").write_bytes(b"PAR1")
    assert held(cell) == {"a": {0}}


def test_a_failed_rename_leaves_nothing(cell: StoredCell, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    writer = CellWriter(cell)
    writer.add(to_batch([sample("a", 0)], "run"))
    with pytest.raises(OSError, match="No space"):
        writer.flush()
    monkeypatch.undo()
    assert sorted(p.name for p in Path(cell.path).iterdir()) == ["cell.json"]
    writer.flush()
    assert held(cell) == {"a": {0}}


def test_a_damaged_shard_is_named(cell: StoredCell) -> None:
    cell.commit([to_batch([sample("a", 0)], "run")])
    shard = Path(cell.shards()[0])
    shard.write_bytes(shard.read_bytes()[:-20])
    with pytest.raises(UserError, match=f"{shard.name} is damaged"):
        held(cell)


def test_a_writer_commits_by_itself_when_enough_wait(cell: StoredCell) -> None:
    writer = CellWriter(cell, commit_samples=2)
    writer.add(to_batch([sample("a", 0)], "run"))
    assert cell.shards() == ()
    writer.add(to_batch([sample("b", 0)], "run"))
    assert len(cell.shards()) == 1
    writer.flush()
    assert len(cell.shards()) == 1


def test_a_changed_field_makes_a_new_cell_and_is_named(cell: StoredCell) -> None:
    changed = replace(FIELDS, max_tokens=128, prompt={"style": "zero-shot", "instruction": "Go."})
    assert changed.fingerprint() != FIELDS.fingerprint()
    path = cell_path("fam", "base", "cot", "gsm8k", "zero-shot", changed.fingerprint())
    other = cell.store.cell(path)
    # An empty folder may be the same sweep's: nobody has stored anything that differs.
    assert other.differing(changed) == ()
    fill(cell, "a", 1)
    assert other.differing(changed) == ("max_tokens", "prompt.instruction")
    other.create(changed)
    assert other.differing(changed) == ()


def test_the_nearest_sibling_is_named(cell: StoredCell) -> None:
    near = replace(FIELDS, vllm="vllm 0.33.0")
    fill(cell, "a", 1)
    for fields in (replace(FIELDS, seed=1, dtype="float32", vllm="x"), near):
        path = cell_path("fam", "base", "cot", "gsm8k", "zero-shot", fields.fingerprint())
        made = cell.store.cell(path)
        found = made.differing(fields)
        made.create(fields)
        fill(made, "a", 1)
    assert found == ("vllm",)


def test_a_fingerprint_is_the_same_for_ever() -> None:
    # Written down: a change would orphan every stored sample.
    assert FIELDS.fingerprint() == "62679a3351c46bf1"


def test_no_field_differs_from_itself() -> None:
    import json

    assert differing_fields(FIELDS, json.loads(FIELDS.canonical())) == ()


def test_labels_are_safe_as_file_names() -> None:
    assert cell_path("../x", "a/b", "t 0.05", "..", "", "k") == "_x/a_b/t_0.05/_/_/k"


def test_an_unwritable_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="set `store`"):
        Store.open(str(tmp_path / "file" / "store"))


def test_a_shards_keys_are_read_once(cell: StoredCell, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(cell, "ab", 2)
    assert held(cell) == {"a": {0, 1}, "b": {0, 1}}
    monkeypatch.setattr(pq, "ParquetFile", lambda *_: pytest.fail("read again"))
    assert held(cell) == {"a": {0, 1}, "b": {0, 1}}
    assert cell.store.keys(cell.shards()[0]).num_rows == 4


def test_shards_are_named_in_the_order_of_their_commits(cell: StoredCell) -> None:
    made = [fill(cell, "a", 1) for _ in range(20)]
    assert tuple(made) == cell.shards()


def test_the_cells_of_a_store_are_those_that_were_created(cell: StoredCell) -> None:
    fill(cell, "a", 1)
    (Path(cell.store.root) / "stray" / "x").mkdir(parents=True)
    assert cell.store.cells() == (cell,)
    assert cell.name.startswith("fam/base/cot/gsm8k/zero-shot/")
    assert cell.fields()["checkpoint"] == "org/model"
