import functools
from pathlib import Path

import pytest

from distlab.errors import UserError
from distlab.ingest.columns import ColumnMap
from distlab.problems.problem import Gold, GoldKind
from distlab.problems.rows import Row
from distlab.scoring.pool import GraderPool, PoolSettings
from distlab.scoring.types import ComponentSpec
from distlab.tabular import golds
from distlab.tabular.golds import ReadGold, accepted, equal, read_golds, said_of

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
        read_golds(rows("numpy", hostile, "numpy"), COLUMNS, "latex")


def test_every_gold_of_many_is_tried() -> None:
    many = [str(value) for value in range(200)]
    assert read_golds(rows(*many), COLUMNS, "auto") == tuple(
        ReadGold(Gold(GoldKind.NUMBER, text)) for text in many
    )
    with pytest.raises(UserError, match="line 201: field `gt` holds"):
        read_golds(rows(*many, "{" * 5000), COLUMNS, "latex")


def test_one_odd_row_changes_the_kind_of_no_other() -> None:
    given = ("18", "2,125", "1,2", r"\frac{1}{2}", "05/12/2020", "(3 weeks, 4 days)", "# 7")
    read = read_golds(rows(*given), COLUMNS, "auto")
    assert [each.gold.kind for each in read] == [
        GoldKind.NUMBER,
        GoldKind.NUMBER,
        GoldKind.LIST,
        GoldKind.LATEX,
        GoldKind.DATE,
        GoldKind.WEEKS_DAYS,
        GoldKind.NUMBER,
    ]
    said = said_of(read)
    assert said.startswith("golds: 3 as number, 1 as list (such as '1,2'), 1 as latex")
    assert said.endswith("; 1 were read from behind #")


def test_limits_make_an_interval_of_the_rows_that_have_them() -> None:
    columns = ColumnMap.parse(
        ["problem_id=id", "samples=code", "gold=gt", "gold_lower=low", "gold_upper=high"]
    )
    given = [
        Row("g.csv line 2", {"gt": "-10", "low": "-9.5", "high": "-10.5"}),
        Row("g.csv line 3", {"gt": "4", "low": "", "high": ""}),
        Row("g.csv line 4", {"gt": "05/12/2020", "low": "05/12/2020", "high": "05/12/2020"}),
    ]
    read = [each.gold for each in read_golds(given, columns, "auto")]
    assert read == [
        Gold(GoldKind.INTERVAL, "-10", lower=-10.5, upper=-9.5),
        Gold(GoldKind.NUMBER, "4"),
        Gold(GoldKind.DATE, "05/12/2020"),
    ]


def test_a_float_is_as_exact_as_its_digits() -> None:
    (gold,) = read_golds([Row("given.jsonl line 1", {"gt": 0.1 + 0.2})], COLUMNS, "auto")
    assert gold.gold == Gold(GoldKind.NUMBER, "0.3")


def test_golds_that_are_lists_keep_their_items() -> None:
    listed = [Row("g row 1", {"gt": ["1,000", "2"]}), Row("g row 2", {"gt": ["7"]})]
    assert [each.gold for each in read_golds(listed, COLUMNS, "auto")] == [
        Gold(GoldKind.LIST, "1000, 2", items=("1000", "2")),
        Gold(GoldKind.NUMBER, "7"),
    ]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("N/A", "is 'N/A', which is no answer"),
        (float("nan"), "is 'NaN', which is no answer"),
        ("nan", "is 'nan', which is no answer"),
        ("", "is empty"),
        (" ", "is empty"),
        (None, "is empty"),
        ([], "is an empty list"),
        ("#### ", "has nothing behind ####"),
        (r"So it is \boxed{}.", r"has nothing behind \\boxed"),
        ("So it is what we get when both of them go there", "is a text that marks no answer"),
    ],
)
def test_no_answer_is_refused_with_its_rows(value: object, why: str) -> None:
    given = [
        Row(f"g.csv line {place}", {"gt": v}) for place, v in enumerate(["7", value, "N/A"], 2)
    ]
    with pytest.raises(UserError, match=f"g.csv line 3: field `gt` {why}") as refused:
        read_golds(given, COLUMNS, "auto")
    assert "(2 rows have no answer)" in str(refused.value)
    assert str(refused.value).endswith("or leave out the rows with --skip 3 4")


def gold(
    text: str, kind: GoldKind = GoldKind.NUMBER, limits: tuple[float, float] | None = None
) -> Gold:
    lower, upper = limits or (None, None)
    return Gold(kind, text, lower=lower, upper=upper)


def test_spellings_of_one_value_are_one() -> None:
    interval = gold("10", GoldKind.INTERVAL, (9.5, 10.5))
    pairs = {
        (gold("1,000"), gold("1000.00")): True,
        (gold("1000"), gold("1001")): False,
        (gold("007.50"), gold("7.5")): True,
        (gold("-0"), gold("0.0")): True,
        # More digits than a Decimal keeps by default.
        (gold(f"{'1' * 40}2"), gold(f"{'1' * 40}3")): False,
        (gold(r"\frac12", GoldKind.LATEX), gold(r"\frac{1}{2}", GoldKind.LATEX)): True,
        (gold("0.5"), gold(r"\frac{1}{2}", GoldKind.LATEX)): True,
        (gold("5/1/2020", GoldKind.DATE), gold("05/01/2020", GoldKind.DATE)): True,
        # A tolerance accepts what is near; near is not the same.
        (interval, gold("10.1", GoldKind.INTERVAL, (9.5, 10.5))): False,
        (interval, gold("10.0", GoldKind.INTERVAL, (9.5, 10.5))): True,
        (interval, gold("10", GoldKind.INTERVAL, (9.0, 11.0))): False,
        (interval, gold("10.0")): True,
        (gold("4", GoldKind.INTEGER), gold("4.2")): False,
    }
    assert equal(list(pairs)) == list(pairs.values())
    assert accepted([(interval, gold("10.1")), (interval, gold("11"))]) == [True, False]
