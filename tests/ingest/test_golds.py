import functools
from pathlib import Path

import pytest

from distlab.errors import UserError
from distlab.ingest import golds
from distlab.ingest.columns import ColumnMap
from distlab.ingest.golds import read_golds
from distlab.problems.problem import Gold, GoldKind
from distlab.problems.rows import Row
from distlab.scoring.pool import GraderPool, PoolSettings
from distlab.scoring.types import ComponentSpec

COLUMNS = ColumnMap.parse(["problem_id=id", "samples=code", "gold=gt"])
MOODY = ComponentSpec("moody", "hostile_graders:Stripping")


def rows(*values: str) -> list[Row]:
    return [Row(f"given.csv line {place}", {"gt": v}) for place, v in enumerate(values, 1)]


@pytest.mark.parametrize(
    ("hostile", "problem"),
    [
        ("burn", "takes graders too long to read as latex"),
        ("segfault", "no grader can read as latex"),
        ("bomb", "no grader can read as latex"),
    ],
)
def test_a_hostile_gold_is_one_sentence(
    hostile: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Golds are texts of strangers: what they do to a grader, they do to a worker."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "scoring"))
    monkeypatch.setattr(golds, "_STANDARD", MOODY)
    settings = PoolSettings(deadline_s=0.3, memory_mib=512)
    monkeypatch.setattr(golds, "GraderPool", functools.partial(GraderPool, settings=settings))
    with pytest.raises(UserError, match=rf"line 2: field `gt` holds '{hostile}', which {problem}"):
        read_golds(rows("object", hostile, "object"), COLUMNS, "latex")


def test_every_gold_of_many_is_tried() -> None:
    many = [str(value) for value in range(200)]
    assert read_golds(rows(*many), COLUMNS, "auto") == tuple(
        Gold(GoldKind.NUMBER, text) for text in many
    )
    with pytest.raises(UserError, match="line 201: field `gt` holds"):
        read_golds(rows(*many, "{" * 5000), COLUMNS, "latex")
