"""Bytes of a shard, sound and changed."""

import random
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distlab.decoding.interface import Sample
from distlab.store.batches import to_batch
from distlab.store.formats import FORMATS
from distlab.store.sample_schema import FORMAT, FORMAT_KEY, SAMPLES
from distlab.store.shard import Damage, Newer, decode, encode
from tests.store.cells import sample

BRANCH = Sample(
    *("b", 1, (1, 2), (5, 6, 7), "It is 42.", False),
    first_token_logprob=-0.5,
    margins=(0.25, 0.5, 0.75),
    token_lengths=(2, 4, 3),
)


def table() -> pa.Table:
    rows = [sample("a", 0), sample("a", 1, "The answer is 7."), BRANCH]
    return pa.Table.from_batches([to_batch(rows, "run")])


def read(data: bytes, columns: list[str] = SAMPLES.names) -> pa.Table:
    return decode(pa.BufferReader(data), columns)


def with_metadata(made: pa.Table, number: int | str) -> pa.Table:
    return made.replace_schema_metadata({FORMAT_KEY: str(number)})


def test_what_was_written_comes_back() -> None:
    found = read(encode(table()).to_pybytes())
    assert found.equals(table())
    assert found.schema.equals(SAMPLES, check_metadata=True)


def test_parsers_get_no_memory_of_pythons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their threads let go of it when they like: at the interpreter's end that aborts it."""
    data = pa.BufferReader(encode(table()).to_pybytes())
    parsers, parse = [], pq.ParquetFile

    def allocating(source: pa.BufferReader, **options: bool) -> pq.ParquetFile:
        parsers.append(pa.total_allocated_bytes() - before)
        return parse(source, **options)

    monkeypatch.setattr(pq, "ParquetFile", allocating)
    before = pa.total_allocated_bytes()
    decode(data, ["text"])
    assert parsers[0] >= data.size()


def test_columns_come_in_the_order_asked_for() -> None:
    found = read(encode(table()).to_pybytes(), ["rank", "text", "problem_id"])
    assert found.equals(table().select(["rank", "text", "problem_id"]))


def test_other_readers_take_a_shard_for_the_parquet_file_that_it_is(tmp_path: Path) -> None:
    file = tmp_path / "shard.parquet"
    file.write_bytes(encode(table()))
    assert pq.ParquetFile(file, page_checksum_verification=True).read().equals(table())
    rows = duckdb.sql(f"SELECT text, margins FROM '{file}' ORDER BY problem_id, rank").fetchall()
    assert rows == [("42", None), ("The answer is 7.", None), ("It is 42.", [0.25, 0.5, 0.75])]


def test_every_changed_bit_is_noticed_or_changes_nothing() -> None:
    data = encode(table()).to_pybytes()
    expected = read(data)
    harmless = set()
    footer = data.index(b"dlabseal")
    # In the footer, which one checksum covers whole, a bit of each byte does.
    for bit in (*range(8 * footer), *range(8 * footer, 8 * len(data), 9)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            assert read(bytes(changed)).equals(expected)
            harmless.add(bit // 8)
        except Damage as damage:
            assert "\n" not in str(damage)
    # Parquet's mark at the beginning, which no reader needs.
    assert harmless == set(range(4))


def test_damage_in_one_column_leaves_the_others_readable() -> None:
    data = bytearray(encode(table()).to_pybytes())
    at = bytes(data).index(b"The answer is 7.")
    data[at] ^= 1
    assert read(bytes(data), ["problem_id", "rank"]).num_rows == 3
    with pytest.raises(Damage, match="the checksum of its column `text` is wrong"):
        read(bytes(data), ["rank", "text"])


@pytest.mark.parametrize("size", [0, 3, 11, 40, 2000])
def test_a_shard_that_ends_early_is_damaged(size: int) -> None:
    with pytest.raises(Damage):
        read(encode(table()).to_pybytes()[:size])


@pytest.mark.parametrize("later", [FORMAT + 1, f"{FORMAT + 1}.1", f"{FORMAT}.1"])
def test_a_later_format_is_refused_and_not_read_as_todays(later: int | str) -> None:
    with pytest.raises(Newer, match=f"format {later}, and this distlab reads those up to"):
        read(encode(with_metadata(table(), later)).to_pybytes())


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (table().replace_schema_metadata({}), "it names no sample format"),
        (with_metadata(table(), 0), "it names no sample format"),
        (with_metadata(table(), "5 or so"), "it names no sample format"),
        (with_metadata(table().drop_columns("text"), FORMAT), "it lacks the column `text`"),
        (table().append_column("more", [[1, 2, 3]]), "it has a column `more`"),
        (
            table().set_column(1, "rank", [["0", "1", "1"]]),
            "its column `rank` is string and not int32",
        ),
        (
            table().set_column(1, pa.field("rank", pa.int32()), [pa.array([0, None, 1], "int32")]),
            "its column `rank` lacks values",
        ),
    ],
)
def test_another_table_than_samples_is_one_sentence(made: pa.Table, sentence: str) -> None:
    with pytest.raises(Damage, match=sentence):
        read(encode(made).to_pybytes())


def test_todays_format_is_not_taken_without_its_seal() -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(table(), sink)
    with pytest.raises(Damage, match="its seal is missing"):
        read(sink.getvalue().to_pybytes())


def test_the_last_format_is_todays_schema() -> None:
    assert max(FORMATS) == FORMAT
    assert sorted(FORMATS[FORMAT].schema.names) == sorted(SAMPLES.names)


def test_a_column_that_later_formats_add_can_be_null() -> None:
    for kept in FORMATS.values():
        for field in SAMPLES:
            assert field.nullable or kept.names.get(field.name, field.name) in kept.schema.names


def test_a_shard_of_many_samples_is_read_by_its_columns_alone() -> None:
    class Counted(pa.PythonFile):  # type: ignore[misc]
        read_bytes = 0

        def read_at(self, nbytes: int, offset: int) -> bytes:
            Counted.read_bytes += nbytes
            return bytes(super().read_at(nbytes, offset))

    dice = random.Random(0)
    rows = [sample("a", rank, dice.randbytes(100).hex()) for rank in range(2000)]
    data = encode(pa.Table.from_batches([to_batch(rows, "run")])).to_pybytes()
    with Counted(pa.BufferReader(data), mode="r") as file:
        assert decode(file, ["rank"]).num_rows == 2000
    assert Counted.read_bytes < len(data) / 3
