import json
from dataclasses import asdict
from typing import Any

import pytest

from distlab.decoding.decoder import SampleOrder
from distlab.store.cell import Cell

CELL = Cell("f", "base", "m", "own:Decoder", "d", "qa", 2, "0", "p", order=SampleOrder.RANKED)


def test_a_cell_goes_through_json() -> None:
    read = Cell.from_json(json.loads(json.dumps(asdict(CELL))))
    assert read == CELL
    assert isinstance(read.order, SampleOrder)


@pytest.mark.parametrize(
    ("kind", "order", "deltas"),
    [
        ("cot", SampleOrder.RANKED, True),
        ("stochastic", SampleOrder.INDEPENDENT, False),
        ("greedy", SampleOrder.SINGLE, False),
    ],
)
def test_the_kind_of_an_older_manifests_cell_says_how_its_samples_relate(
    kind: str, order: SampleOrder, deltas: bool
) -> None:
    raw: dict[str, Any] = {**asdict(CELL), "kind": kind}
    del raw["order"], raw["deltas"]
    read = Cell.from_json(raw)
    assert (read.order, read.deltas) == (order, deltas)
