import json
import tracemalloc
from functools import partial
from pathlib import Path

import pytest

from distlab.errors import UserError
from distlab.ingest.columns import ColumnMap
from distlab.ingest.given_problems import read_given, with_labels
from distlab.ingest.given_samples import GivenSample, label_of
from distlab.ingest.write import SourceFile
from distlab.problems.rows import Row, RowStream, each_row

COLUMNS = ColumnMap.parse(["problem_id=id", "samples=code", "gold=gt"])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        *((value, True) for value in (True, 1, 1.0, "1", "1.0", "True", " correct\n")),
        *((value, False) for value in (False, 0, 0.0, "0", "FALSE", "Incorrect")),
        *((value, None) for value in (None, 2, 0.5, float("nan"), "", "maybe", "2", [True], {})),
    ],
)
def test_a_label_is_true_or_false_in_each_spelling(value: object, said: bool | None) -> None:
    assert label_of(value) is said


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"score": [True, False]}, "score"),
        ({"score": [True, False], "correct": [0.5, 0]}, "score"),
        # Which of two counts is not ours to guess.
        ({"score": [1, 0], "correct": [0, 1]}, None),
        ({"score": [True]}, None),
        ({"report": [True, False]}, None),
        ({"score": True}, None),
    ],
)
def test_a_list_of_labels_beside_samples_is_found(
    fields: dict[str, object], found: str | None
) -> None:
    row = Row("f line 1", {"id": "a", "gt": 7, "code": ["7", "8"], **fields})
    assert with_labels(COLUMNS, [row]).label == found
    without = Row("f line 2", {"id": "b", "gt": 7, "code": ["7", "8"]})
    assert with_labels(COLUMNS, [row, without]).label is None


def test_a_column_that_is_mapped_already_is_no_label() -> None:
    columns = ColumnMap.parse(["problem_id=id", "samples=code", "gold=gt", "truncated=label"])
    row = Row("f line 1", {"id": "a", "gt": 7, "code": ["7", "8"], "label": [True, False]})
    assert with_labels(columns, [row]).label is None


def test_what_is_kept_of_a_file_holds_no_text_of_its_samples(tmp_path: Path) -> None:
    file = tmp_path / "given.jsonl"
    text = "x" * 100_000
    rows = [{"id": f"p{n % 4}", "gt": n % 4, "code": f"{n} {text}"} for n in range(200)]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    tracemalloc.start()
    try:
        given = read_given(RowStream(partial(each_row, file)), COLUMNS, "d", "auto", None)
        read = sum(len(each.sample.text) for each in given.samples.of(given.samples.rank < 50))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read > 200 * len(text)
    assert given.samples.n == 50
    # Some rows at once, of the 20 MB that they are.
    assert peak < 20 * len(text)


def test_samples_that_are_held_already_are_not_read_again(tmp_path: Path) -> None:
    rows = [Row(f"f line {n}", {"id": f"p{n % 2}", "gt": 7, "code": str(n)}) for n in range(6)]
    given = read_given(rows, COLUMNS, "d", "auto", 2)
    missing = given.samples.missing(["p0", "p1"], {"p0": {0, 1}, "p1": {1}})
    assert [tuple(each) for each in given.samples.of(missing)] == [(1, 0, GivenSample("1"))]


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "given.jsonl"
    file.write_text("{}\n")
    source = SourceFile.of([file], [])
    source.check()
    with file.open("a") as stream:
        stream.write("{}\n")
    with pytest.raises(UserError, match=r"given\.jsonl changed while it was read"):
        source.check()


@pytest.mark.parametrize("rank", ["1e300", "-1e300", str(2**31)])
def test_ranks_beyond_all_samples_are_refused(rank: str) -> None:
    columns = ColumnMap.parse(["problem_id=id", "samples=code", "gold=gt", "rank=at"])
    row = Row("f line 1", {"id": "a", "gt": 7, "code": "7", "at": rank})
    with pytest.raises(UserError, match=r"f line 1: field `at` is .*, which is no draw index"):
        read_given([row], columns, "d", "auto", None)
