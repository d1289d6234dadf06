"""gc, verify and export on a real store."""

import errno
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from distlab import files
from distlab.errors import UserError
from distlab.store.__main__ import main
from distlab.store.batches import to_batch
from distlab.store.claims import claiming
from distlab.store.sample_schema import FORMAT, FORMAT_KEY, SAMPLES
from distlab.store.shard import encode
from distlab.store.store import Store, StoredCell, cell_path, read_shard
from tests.store.cells import FIELDS, fill, make_cell, sample


@pytest.fixture
def cell(tmp_path: Path) -> StoredCell:
    cell = make_cell(Store.open(str(tmp_path / "store")))
    fill(cell, "ab", 2)
    fill(cell, "bc", 2)
    return cell


def run(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> list[str]:
    assert main(arguments) == status
    return capsys.readouterr().out.splitlines()


def age(path: Path) -> Path:
    hours_ago = time.time() - 7200
    os.utime(path, (hours_ago, hours_ago))
    return path


def tear(path: str) -> Path:
    torn = Path(path)
    torn.write_bytes(torn.read_bytes()[:-20])
    return age(torn)


def leave(folder: Path, name: str) -> Path:
    (folder / name).write_bytes(b"PAR1")
    return age(folder / name)


def test_a_clean_store_has_nothing_to_collect(
    cell: StoredCell, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "gc", cell.store.root) == ["0 files, 0 bytes, can be deleted"]


@pytest.mark.parametrize("command", ["export", "repair"])
def test_a_full_disk_is_named_by_the_file_that_it_did_not_take(
    cell: StoredCell,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if command == "repair":
        tear(cell.shards()[0])
    out = ["--out", str(tmp_path / "out")] if command == "export" else []
    monkeypatch.setattr(files.os, "fsync", full)
    assert main([command, cell.store.root, *out]) == 2
    said = capsys.readouterr().err
    where = Path(cell.path) / "damaged-" if command == "repair" else tmp_path / "out"
    assert said.startswith(f"distlab: the disk of {where}")
    assert said.endswith(
        " is full (No space left on device): make room, and give the command again\n"
    )
    assert not list(tmp_path.rglob("*.tmp"))


def test_gc_says_what_it_would_delete_and_deletes_only_when_told(
    cell: StoredCell, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(cell.path)
    torn = tear(cell.shards()[0])
    doomed = {
        torn,
        leave(folder, f".samples-{'0' * 32}.parquet.{'1' * 32}.tmp"),
        leave(folder, f".claim-{'2' * 32}.json"),
        leave(Path(cell.store.root), f".probe-{'3' * 32}"),
    }
    before = set(folder.iterdir())
    lines = run(capsys, "gc", cell.store.root)
    assert set(folder.iterdir()) == before
    assert lines[-1].startswith("4 files, ")
    assert lines[-1].endswith("; --delete deletes them")
    assert all(any(str(path) in line for line in lines) for path in doomed)
    assert "deleted 4 files" in run(capsys, "gc", cell.store.root, "--delete")[-1]
    assert not any(path.exists() for path in doomed)
    assert cell.ranks() == {"b": {0, 1}, "c": {0, 1}}


def test_gc_keeps_what_a_live_writer_may_be_writing(
    cell: StoredCell, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(cell.path)
    new = folder / f".new.{'0' * 32}.tmp"
    new.write_bytes(b"")
    (line, _) = run(capsys, "gc", cell.store.root, "--delete")
    assert line.endswith("kept: it is new: its writer may be at work")
    old = leave(folder, f".old.{'1' * 32}.tmp")
    with claiming(cell.store, "ours") as ours:
        assert ours.take(cell) is None
        lines = run(capsys, "gc", cell.store.root, "--delete", "--older-than", "0")
        assert all("a run draws this cell" in line for line in lines[:-1])
        assert len(lines) == 3
    assert new.exists()
    assert old.exists()


def test_gc_never_deletes_samples_that_can_be_read(
    cell: StoredCell, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(cell.path) / "cell.json").unlink()
    for shard in cell.shards():
        age(Path(shard))
    lines = run(capsys, "gc", cell.store.root, "--delete")
    assert [line.partition(":")[0] for line in lines[:-1]] == ["shard without cell.json"] * 2
    assert len(cell.shards()) == 2
    cell.create(FIELDS)
    assert cell.ranks() == {"a": {0, 1}, "b": {0, 1}, "c": {0, 1}}


def test_verify_counts_what_two_shards_hold_once(
    cell: StoredCell, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = run(capsys, "verify", cell.store.root)
    assert lines[0] == f"{cell.name}: 6 samples in 2 shards, 2 of them in two shards"
    assert lines[-1] == "6 samples in 2 shards, 0 faults"


def test_verify_finds_a_flipped_byte_in_the_data(
    cell: StoredCell, capsys: pytest.CaptureFixture[str]
) -> None:
    shard = Path(cell.shards()[0])
    data = bytearray(shard.read_bytes())
    # Behind the magic number stands the first column's compressed page.
    data[30:40] = bytes(10)
    shard.write_bytes(data)
    lines = run(capsys, "verify", cell.store.root, status=1)
    assert shard.name in lines[1]
    assert lines[1].startswith("  fault: ")
    assert lines[-1].endswith(", 1 fault")


def test_verify_finds_a_changed_address_another_schema_and_repeats(
    cell: StoredCell, capsys: pytest.CaptureFixture[str]
) -> None:
    (first, second) = map(Path, cell.shards())
    table = read_shard(cell.store.fs, str(first), SAMPLES.names)
    first.write_bytes(encode(table.drop_columns("text")))
    second.write_bytes(encode(table.take([0, 0])))
    Path(f"{cell.path}/cell.json").write_text(json.dumps({"checkpoint": "another"}))
    faults = [line for line in run(capsys, "verify", cell.store.root, status=1) if "fault:" in line]
    assert "cell.json is that of" in faults[0]
    assert "it lacks the column `text` (`repair` sets it aside)" in faults[1]
    assert "repeats 1 sample of its own" in faults[2]


def test_verify_finds_a_shard_that_repeats_samples_with_other_texts(
    cell: StoredCell, capsys: pytest.CaptureFixture[str]
) -> None:
    other = cell.commit([to_batch([sample("a", 0, "41"), sample("d", 0)], "run")])
    lines = run(capsys, "verify", cell.store.root, status=1)
    assert lines[0].endswith("7 samples in 3 shards, 3 of them in two shards")
    (fault,) = (line for line in lines if "fault:" in line)
    assert f"{Path(other).name} repeats 1 sample of earlier shards with other texts" in fault


def test_a_shard_without_samples_and_a_link_to_nothing_are_faults_that_repair_sets_aside(
    cell: StoredCell, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = Path(cell.commit([]))
    (kept, lost) = map(Path, cell.shards()[:2])
    lost.unlink()
    lost.symlink_to("nowhere.parquet")
    faults = [line for line in run(capsys, "verify", cell.store.root, status=1) if "fault:" in line]
    assert f"{empty.name} holds no sample (`repair` sets it aside)" in faults[0]
    assert f"{lost.name} is a link that leads nowhere (`repair` sets it aside)" in faults[1]
    run(capsys, "repair", cell.store.root)
    assert run(capsys, "verify", cell.store.root)[-1] == "4 samples in 1 shard, 0 faults"
    assert cell.shards() == (str(kept),)


def test_a_shard_of_a_newer_format_is_a_fault_that_repair_leaves(
    cell: StoredCell, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = Path(cell.shards()[0])
    table = read_shard(cell.store.fs, str(newer), SAMPLES.names)
    newer.write_bytes(encode(table.replace_schema_metadata({FORMAT_KEY: "99"})))
    for command in ("verify", "repair"):
        lines = run(capsys, command, cell.store.root, status=1)
        assert f"is of sample format 99, and this distlab reads those up to {FORMAT}:" in lines[1]
    assert newer.exists()
    with pytest.raises(UserError, match="update distlab"):
        cell.ranks()


def test_repair_sets_shards_at_fault_aside_and_says_why(
    cell: StoredCell, capsys: pytest.CaptureFixture[str]
) -> None:
    (damaged, _) = map(Path, cell.shards())
    bytes_of = bytearray(damaged.read_bytes())
    bytes_of[40] ^= 1
    damaged.write_bytes(bytes_of)
    lines = run(capsys, "repair", cell.store.root)
    assert lines[1].endswith("(set aside)")
    aside = damaged.with_name(damaged.name.replace("samples-", "damaged-"))
    assert aside.read_bytes() == bytes_of
    record = json.loads(aside.with_suffix(".json").read_text())
    assert record["shard"] == damaged.name
    assert "is damaged: the checksum of its column" in record["reason"]
    assert record["by"] == "distlab.store repair"
    assert cell.ranks() == {"b": {0, 1}, "c": {0, 1}}
    assert run(capsys, "verify", cell.store.root)[-1] == "4 samples in 1 shard, 0 faults"
    assert run(capsys, "gc", cell.store.root) == ["0 files, 0 bytes, can be deleted"]


def test_gc_does_not_delete_a_shard_that_is_damaged_in_its_middle(
    cell: StoredCell, capsys: pytest.CaptureFixture[str]
) -> None:
    shard = Path(cell.shards()[0])
    data = bytearray(shard.read_bytes())
    data[-2000:-1000] = bytes(1000)
    shard.write_bytes(data)
    age(shard)
    assert run(capsys, "gc", cell.store.root) == ["0 files, 0 bytes, can be deleted"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"null"])
def test_a_damaged_cell_json_is_one_sentence_and_a_run_writes_it_anew(
    cell: StoredCell, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path(cell.path) / "cell.json"
    file.write_bytes(content)
    what = "that of" if content else "empty; "
    assert f"fault: cell.json is {what}" in run(capsys, "verify", cell.store.root, status=1)[1]
    arguments = ["export", cell.store.root, "--out", str(tmp_path / "out"), "--as", "hub"]
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cell.json cannot be read" in line
    # Its neighbours are compared with those that can be read.
    path = cell_path("fam", "base", "cot", "gsm8k", "zero-shot", "0" * 16)
    assert cell.store.cell(path).differing(replace(FIELDS, seed=1)) == ()
    cell.create(FIELDS)
    assert run(capsys, "verify", cell.store.root)[-1].endswith("0 faults")


def test_shards_that_lost_their_cell_json_are_a_fault(
    cell: StoredCell, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = make_cell(cell.store, "lost")
    fill(lost, "ab", 2)
    (Path(lost.path) / "cell.json").unlink()
    for command in ("verify", "repair"):
        lines = run(capsys, command, cell.store.root, status=1)
        assert any("cell.json is missing; a run of the cell, or the same" in x for x in lines)
        assert lines[-1] == "10 samples in 3 shards, 1 fault"
    lost.create(FIELDS)
    assert run(capsys, "verify", cell.store.root)[-1].endswith("0 faults")


def test_export_writes_each_sample_once_in_order(
    cell: StoredCell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    (line,) = run(capsys, "export", cell.store.root, "--out", str(out))
    (file,) = out.iterdir()
    assert line == f"{file}: 6 samples"
    rows = pq.read_table(file)
    keys = list(zip(rows["problem_id"].to_pylist(), rows["rank"].to_pylist(), strict=True))
    assert keys == [(problem, rank) for problem in "abc" for rank in (0, 1)]
    # As readers without Arrow's dictionaries see it.
    assert str(rows.schema.field("run").type) == "string"


def test_export_makes_a_folder_that_a_hub_takes(
    cell: StoredCell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    run(capsys, "export", cell.store.root, "--out", str(out), "--as", "hub", "--cells", "fam/base")
    (folder,) = out.iterdir()
    assert pq.read_table(folder / "data").num_rows == 6
    card = (folder / "README.md").read_text()
    front, body = card.removeprefix("---\n").split("\n---\n", 1)
    assert 'pretty_name: "fam base/cot on gsm8k, zero-shot"' in front
    assert "data_files: data/*.parquet" in front
    assert "6 samples of 3 problems" in body
    assert "| checkpoint | &#34;org/model&#34; |" in body
    # The stop string "\\nQ:" is told and breaks no line of the table.
    assert "| stop | &#91;&#34;&#92;nQ:&#34;&#93; |" in body
    for name in SAMPLES.names:
        assert f"| {name.replace('_', '&#95;')} |" in body


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("verify", "nowhere"), "the store nowhere holds nothing"),
        (("export", "{store}", "--out", "out", "--cells", "x/"), "no samples below 'x/'"),
        (("verify", "nope://x"), "the store nope://x cannot be read"),
    ],
)
def test_bad_input_is_one_sentence(
    cell: StoredCell,
    arguments: tuple[str, ...],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([part.format(store=cell.store.root) for part in arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("distlab: ")
    assert sentence in line


@pytest.mark.parametrize("command", ["verify", "gc"])
def test_a_folder_that_is_no_store_is_not_sound(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").touch()
    assert main([command, str(tmp_path)]) == 2
    assert "is no store: nothing in it is a cell" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gc", "--older-than", "nan"], "'nan' is no time: give minutes, 0 or more"),
        (["gc", "--older-than=-5"], "'-5' is no time: give minutes, 0 or more"),
        (["gc", "--older-than", "inf"], "'inf' is no time: give minutes, 0 or more"),
        (["export", "--out", "o", "--as", "hubb"], "there is no 'hubb'; did you mean hub?"),
    ],
)
def test_a_mistyped_value_is_one_sentence(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "store"]) == 2
    assert capsys.readouterr().err.endswith(f"{said}\n")
