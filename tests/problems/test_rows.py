import datetime
import gzip
import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distlab.errors import UserError
from distlab.problems.rows import Row, read_rows


def row(**fields: object) -> Row:
    return Row("f.jsonl line 3", fields)


def test_absent_and_empty_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.jsonl does not exist"):
        read_rows(tmp_path / "absent.jsonl")
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n\n")
    with pytest.raises(UserError, match="has no rows"):
        read_rows(empty)


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("a.jsonl", b'{"a": 1}\n{"a": \n', "line 2 is not valid JSON"),
        ("a.jsonl", b'{"a": 1}\n[1]\n', "line 2 must be a JSON object, not list"),
        ("a.jsonl", b"[" * 100_000, "line 1 is not valid JSON"),
        ("a.jsonl", b'{"a": "\xff"}\n', "is not UTF-8 at byte"),
        ("a.json", b'"text"', "must hold a list of objects"),
        ("a.csv", b'a,b\n1,2\n"x\n', r"line 3 is not valid CSV"),
        ("a.csv", b"a,b\n1,2,3\n", "line 2 has more values than the header"),
        ("a.csv", b"a,b,a\n1,2,3\n", "has two columns `a`; give one of them another name"),
        ("a.csv", "a,b\n1,2\n".encode("utf-16-le"), "is UTF-16"),
        ("a.parquet", b"no", "is not valid Parquet"),
        ("a.txt", b"a", "unknown suffix"),
        ("a.jsonl", b'[{"a": 1}, 2]', "row 2 must be a JSON object, not int"),
        ("a.csv", b'{"a": 1}\n{"a": \n', "line 2 is not valid JSON"),
        ("a.jsonl.gz", gzip.compress(b'{"a": 1}\n'), "is compressed; unpack it with gunzip"),
        ("a.json", b'{"a": [{"b": 1}], "c": [{"b": 1}]}', "must hold a list of objects"),
    ],
)
def test_malformed_files_name_the_place(
    tmp_path: Path, name: str, body: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    with pytest.raises(UserError, match=message):
        read_rows(path)


def test_places_count_lines_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n"two\nlines",1\nthree,2\n')
    assert [one.place.rpartition(" ")[2] for one in read_rows(path)] == ["2", "4"]
    path = tmp_path / "a.jsonl"
    path.write_text('\n{"a": 1}\n')
    assert read_rows(path)[0].place.endswith("line 2")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.tsv", "a\tb\n1\tx\n2\ty\n"),
        ("a.csv", "a;b\n1;x\n2;y\n"),
        ("a.json", '{"n": 2, "none": [], "rows": [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]}'),
        ("a.txt", '{"a": "1", "b": "x"}\n{"a": "2", "b": "y"}\n'),
        ("a.json", '{"a": "1", "b": "x"}\n{"a": "2", "b": "y"}'),
        ("a.log", '[{"a": "1", "b": "x"},\n{"a": "2", "b": "y"}]'),
        ("a", "\n[\n" + '{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]'),
        ("a.txt", "a,b\n1,x\n2,y\n"),
        ("a.csv", '{"a": "1", "b": "x"}\n{"a": "2", "b": "y"}\n'),
        ("a.csv", '[{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]'),
        ("a.csv", '[\n{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]'),
        ("a.jsonl", '[{"a": "1", "b": "x"},\n{"a": "2", "b": "y"}]'),
    ],
)
def test_what_a_suffix_does_not_say_is_seen_in_the_content(
    tmp_path: Path, name: str, body: str
) -> None:
    path = tmp_path / name
    for mark in ("", "\ufeff"):
        path.write_text(mark + body)
        assert [dict(one.fields) for one in read_rows(path)] == [
            {"a": "1", "b": "x"},
            {"a": "2", "b": "y"},
        ]


def test_parquet_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    for name in ("a.data", "a.csv", "a.jsonl"):
        pq.write_table(pa.table({"a": [1]}), tmp_path / name)
        assert dict(read_rows(tmp_path / name)[0].fields) == {"a": 1}


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.txt"])
def test_utf_16_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"a": 1}\n', encoding="utf-16")
    with pytest.raises(UserError, match="is UTF-16; save it as UTF-8"):
        read_rows(tmp_path / name)


def test_separators_inside_a_line_end_no_line(tmp_path: Path) -> None:
    text = "one\u2028two\u2029three\x85four"
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"a": text}, ensure_ascii=False) + "\r\n")
    assert [one.fields["a"] for one in read_rows(path)] == [text]
    path = tmp_path / "a.csv"
    path.write_text(f"a,b\n{text},1\n")
    assert [one.fields["a"] for one in read_rows(path)] == [text]


def test_an_object_of_objects_keeps_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"2": {"a": 1}, "3": {"a": 2}}))
    assert [one.text("key") for one in read_rows(path)] == ["2", "3"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "`x` is missing"),
        ("  ", "`x` is empty"),
        ([1], "`x` must be text, not list"),
        (True, "`x` must be text, not bool"),
        ("\ud800", "`x` is not valid Unicode"),
    ],
)
def test_text_refuses(value: object, message: str) -> None:
    with pytest.raises(UserError, match=f"f.jsonl line 3: field {message}"):
        row(x=value).text("x")


@pytest.mark.parametrize("value", ["a", "nan", "inf", "1,000", ""])
def test_number_refuses(value: str) -> None:
    with pytest.raises(UserError, match="field `x`"):
        row(x=value).number("x")


def test_numbers_are_read_from_text_and_json() -> None:
    assert row(x="1.5").number("x") == row(x=1.5).number("x") == 1.5
    assert row(x="7.0").integer("x") == row(x=7).integer("x") == 7
    assert row(x=0.5).text("x") == "0.5"
    with pytest.raises(UserError, match="whole number"):
        row(x=1.5).integer("x")


def test_decimals_days_and_short_floats_of_parquet_are_read_as_written(tmp_path: Path) -> None:
    columns = {
        "decimal": pa.array([Decimal("1.50")]),
        "day": pa.array([datetime.date(2024, 2, 29)]),
        "time": pa.array([datetime.datetime(2024, 2, 29)]),
        "short": pa.array([0.1], pa.float32()),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    (one,) = read_rows(tmp_path / "a.parquet")
    assert [one.text(name) for name in columns] == ["1.50", "2024-02-29", "2024-02-29", "0.1"]
