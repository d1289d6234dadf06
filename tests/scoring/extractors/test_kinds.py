"""Each kind of text that was once read wrong, in several wordings.

The rows are ours, in ``tests/golden/extractions.jsonl``: the kind of fault, the kind of gold, a
text, and the value that a careful reader takes from it, or null where it states none.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.extractors.rules import Rules
from distlab.scoring.graders.standard import Standard

FILE = Path(__file__).parents[2] / "golden" / "extractions.jsonl"
ROWS = [json.loads(line) for line in FILE.read_text().splitlines()]


def same_value(kind: GoldKind, wanted: str, answer: str) -> bool:
    if wanted.replace(" ", "") == answer.replace(" ", ""):
        return True
    # An interval's limits are not the extractor's business.
    known = GoldKind.NUMBER if kind is GoldKind.INTERVAL else kind
    return Standard().grade(Gold(known, wanted), answer)


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['fault']} {i}" for i, row in enumerate(ROWS)])
def test_value(row: dict[str, Any]) -> None:
    kind = GoldKind(row["gold_kind"])
    found = Rules().extract(row["text"], kind)
    if row["answer"] is None:
        assert found.answer is None
        assert (found.start, found.end) == (0, 0)
    else:
        assert found.answer is not None
        assert same_value(kind, row["answer"], found.answer), found.answer
        assert 0 <= found.start < found.end <= found.cut
