import pytest

from distlab.ingest.columns import ColumnMap
from distlab.ingest.given_problems import label_of, with_labels
from distlab.problems.rows import Row

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
