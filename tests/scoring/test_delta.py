from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from distlab.scoring.delta import Deltas
from distlab.scoring.types import Extraction
from distlab.store.sample_schema import SAMPLES

# "We 12." in four tokens: "We", " 1", "2", ".".
MARGINS = [0.5, 0.25, 0.75, 0.125]
LENGTHS = [2, 2, 1, 1]


def deltas(*rows: dict[str, Any]) -> Deltas:
    usual = {"margins": MARGINS, "token_lengths": LENGTHS, "given_delta": None}
    schema = pa.schema([SAMPLES.field(name) for name in usual])
    return Deltas(pa.Table.from_pylist([usual | row for row in rows], schema=schema))


def found(start: int, end: int, answer: str | None = "x") -> Extraction:
    return Extraction(answer, start, end, 6)


@pytest.mark.parametrize(
    ("start", "end", "margins"),
    [
        (3, 5, [0.25, 0.75]),
        (4, 5, [0.75]),
        (2, 3, [0.25]),
        (0, 6, MARGINS),
        (0, 1, [0.5]),
        (5, 6, [0.125]),
    ],
)
def test_delta_is_the_mean_margin_of_the_tokens_that_overlap_the_answer(
    start: int, end: int, margins: list[float]
) -> None:
    assert deltas({}).under([found(start, end)]) == [np.float32(np.mean(margins))]


def test_each_extractor_has_the_delta_of_its_own_answer() -> None:
    made = deltas({}, {})
    assert made.under([found(3, 5), found(4, 5)]).tolist() == [0.5, 0.75]
    assert made.under([found(0, 2), found(2, 3)]).tolist() == [0.5, 0.25]


@pytest.mark.parametrize(
    ("row", "extraction"),
    [
        ({}, found(0, 0, None)),
        ({}, found(2, 2)),
        ({}, found(5, 7)),
        ({"margins": None, "token_lengths": None}, found(3, 5)),
        ({"token_lengths": None}, found(3, 5)),
        ({"margins": [0.5]}, found(3, 5)),
        ({"margins": [], "token_lengths": []}, found(0, 1)),
    ],
)
def test_where_there_is_no_answer_or_no_margin_there_is_no_delta(
    row: dict[str, Any], extraction: Extraction
) -> None:
    assert np.isnan(deltas(row).under([extraction])).all()


def test_a_delta_that_came_with_the_sample_holds_under_every_extractor() -> None:
    made = deltas({"given_delta": 0.875}, {})
    for extraction in (found(3, 5), found(0, 0, None)):
        assert made.under([extraction, extraction])[0] == 0.875
    assert made.under([found(3, 5)] * 2)[1] == 0.5


def test_rows_of_several_chunks_and_slices_keep_their_margins() -> None:
    rows = [{"margins": [i / 8] * 4} for i in range(4)]
    whole = deltas(*rows)
    assert whole.under([found(0, 1)] * 4).tolist() == [0, 0.125, 0.25, 0.375]
    usual = {"margins": MARGINS, "token_lengths": LENGTHS, "given_delta": None}
    schema = pa.schema([SAMPLES.field(name) for name in usual])
    table = pa.Table.from_pylist([usual | row for row in rows], schema=schema)
    pieces = pa.concat_tables([table.slice(2), table.slice(1, 1)])
    assert Deltas(pieces).under([found(0, 1)] * 3).tolist() == [0.25, 0.375, 0.125]
