import pytest

from distlab.problems.content import Known, compare, content_hash, duplicates, text_hash


def test_hash_of_nothing_is_the_hash_of_no_bytes() -> None:
    assert content_hash([]).startswith("e3b0c442")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"a": 10}, {"a": "10"}),
        ({"a": 10.0}, {"a": "10"}),
        ({"a": "23.50"}, {"a": 23.5}),
        ({"a": -0.0}, {"a": 0}),
        ({"a": 1e-7}, {"a": "0.0000001"}),
        ({"a": 1, "b": "x"}, {"b": "x", "a": 1}),
    ],
)
def test_hash_takes_the_value_not_the_notation(
    left: dict[str, object], right: dict[str, object]
) -> None:
    assert content_hash([left]) == content_hash([right])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("left", "right"),
    [({"a": "1"}, {"a": "2"}), ({"a": "x"}, {"b": "x"}), ({"a": None}, {"a": "None"})],
)
def test_hash_differs_where_rows_differ(left: dict[str, object], right: dict[str, object]) -> None:
    assert content_hash([left]) != content_hash([right])  # type: ignore[list-item]


def test_hash_is_free_of_row_order_but_counts_rows() -> None:
    rows = [{"a": "x"}, {"a": "y"}]
    assert content_hash(rows) == content_hash(rows[::-1])
    assert content_hash(rows) != content_hash([*rows, rows[0]])


def test_compare_says_what_differs() -> None:
    known = Known(3, "ab" * 32)
    assert compare(known, 3, "ab" * 32, "do") == ()
    assert "has 2 rows where the published set has 3; do" in compare(known, 2, "", "do")[0]
    assert "content hash cdcdcdcdcdcd" in compare(known, 3, "cd" * 32, "do")[0]
    assert "no known hash" in compare(Known(3, None), 3, "cd" * 32, "do")[0]


def test_text_hash_takes_runs_of_blanks_as_one() -> None:
    assert text_hash(" a\n b ") == text_hash("a b") != text_hash("ab")


def test_duplicates() -> None:
    assert duplicates([]) is None
    assert duplicates(["a", "b", "a"]) == (2, 0)
