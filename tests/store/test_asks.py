import json
from pathlib import Path

import pytest

from distlab.errors import UserError
from distlab.store.asks import Ask, read_asks, settled, wanted, write_ask
from distlab.store.store import Store
from tests.store.cells import make_cell


def test_asks_come_back_in_order_and_a_later_word_replaces_the_earlier(tmp_path: Path) -> None:
    cell = make_cell(Store.open(str(tmp_path)))
    assert read_asks(cell) == ()
    first = Ask("one", 2, ("a", "b"), at="2026-01-01T00:00:00+00:00")
    later = Ask("two", 4, ("b",), {"b": "lone \ud800 surrogate"}, at="2026-01-02T00:00:00+00:00")
    write_ask(cell, later)
    write_ask(cell, first)
    write_ask(cell, later)
    assert read_asks(cell) == (first, later)


def test_a_record_of_an_earlier_version_can_be_read(tmp_path: Path) -> None:
    cell = make_cell(Store.open(str(tmp_path)))
    raw = {"run": "one", "n": 2, "problems": ["a"], "failures": {}, "host": "h", "at": "", "id": ""}
    (Path(cell.path) / f"asked-{'0' * 32}.json").write_text(json.dumps(raw))
    (ask,) = read_asks(cell)
    assert (ask.problems, ask.settled) == (("a",), ())


def test_what_stopped_early_lacks_nothing_until_another_run_wants_it() -> None:
    killed = Ask("one", 5, ("a", "b"))
    stopped = Ask("two", 5, ("a", "b"), settled=("a",), stopped="decided after 1 of 2 problems")
    assert settled([killed, stopped]) == {"a"}
    assert settled([killed, stopped, Ask("three", 5, ("a",))]) == set()


def test_what_is_wanted_is_the_most_that_any_run_asked_for() -> None:
    asks = [Ask("one", 5, ("a", "b")), Ask("two", 3, ("b", "c"))]
    assert wanted(asks) == {"a": 5, "b": 5, "c": 3}


DAMAGED = {
    "no JSON": b"{",
    "nothing": b"",
    "a list": b"[1, 2]",
    "a number": b"7",
    "no text": b"\xff\xfe\x00",
    "very deep": b"[" * 100_000,
    "no fields": b"{}",
    "n is text": b'{"run": "r", "n": "4", "problems": ["a"]}',
    "problems is a number": b'{"run": "r", "n": 4, "problems": 4}',
    "problems of lists": b'{"run": "r", "n": 4, "problems": [["a"]]}',
    "failures is a list": b'{"run": "r", "n": 4, "problems": ["a"], "failures": ["a"]}',
    "failures of numbers": b'{"run": "r", "n": 4, "problems": ["a"], "failures": {"a": 1}}',
    "at is a number": b'{"run": "r", "n": 4, "problems": ["a"], "at": 1}',
    "an unknown field": b'{"run": "r", "n": 4, "problems": ["a"], "\\u001b[2J\\n": 1}',
}


@pytest.mark.parametrize("record", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_record_is_named_in_one_line(tmp_path: Path, record: bytes) -> None:
    cell = make_cell(Store.open(str(tmp_path)))
    write_ask(cell, Ask("good", 2, ("a",)))
    (Path(cell.path) / f"asked-{'0' * 32}.json").write_bytes(record)
    with pytest.raises(UserError, match=r"asked-0+\.json cannot be read \(.*\): move it") as caught:
        read_asks(cell)
    assert str(caught.value).isprintable()
