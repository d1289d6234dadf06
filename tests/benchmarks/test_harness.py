import json
from pathlib import Path

import pytest

from tests.benchmarks import harness, table
from tests.benchmarks.harness import Goal, Measured, Row, RowFailed, alternate, run


def row(measured: Measured | Exception, goal: Goal) -> Row:
    def measure(pairs: int) -> Measured:
        assert pairs == 3
        if isinstance(measured, Exception):
            raise measured
        return measured

    return Row("one", "speed, tokens/s", "another", goal, measure)


def test_a_ratio_is_taken_pair_by_pair() -> None:
    result = run(row(Measured([10, 20, 90], [10, 40, 30]), Goal(0.98, at_least=True)), 3)
    assert (result.median, result.lowest, result.highest) == (1.0, 0.5, 3.0)
    assert result.met


def test_without_a_peer_the_figure_is_ours() -> None:
    result = run(row(Measured([3, 1, 2]), Goal(1.5, at_least=False)), 3)
    assert (result.median, result.met) == (2, False)


def test_a_row_that_fails_says_so_and_meets_no_goal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "RESULTS", tmp_path / "results" / "latest.json")
    result = run(row(RowFailed("the peer died"), Goal(1, at_least=True)), 3)
    assert not result.met
    assert "FAILED" in table.line(result)
    assert "the peer died" in table.line(result)
    harness.save(result)
    assert "not measured" in table.markdown(harness.load())
    assert list(table.misses(harness.load())) == [
        "one could not be measured: RowFailed: the peer died"
    ]


def test_each_side_is_first_in_every_other_pair() -> None:
    told: list[str] = []

    def side(name: str) -> float:
        told.append(name)
        return 1.0

    ours, theirs = alternate(lambda i: side(f"a{i}"), lambda i: side(f"b{i}"), 3)
    assert told == ["a0", "b0", "b1", "a1", "a2", "b2"]
    assert ours == theirs == [1.0, 1.0, 1.0]


def test_rows_that_were_not_run_again_stay_in_the_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "RESULTS", tmp_path / "latest.json")
    first = run(row(Measured([1, 1, 1]), Goal(1, at_least=True)), 3)
    second = run(row(Measured([2, 2, 2]), Goal(3, at_least=True)), 3)
    first.name = "other"
    for result in (first, second, second):
        harness.save(result)
    content = json.loads((tmp_path / "latest.json").read_text())
    assert list(content["rows"]) == ["other", "one"]
    assert list(table.misses(content)) == ["one misses its goal >= 3 with 2.00"]
    text = table.in_page(f"before\n{table.BEGIN}\nold\n{table.END}\nafter", content)
    assert text.startswith("before\n") and text.endswith("\nafter") and "old" not in text
    assert "| speed, tokens/s | another | ≥ 3 | 2.00 (2.00 to 2.00 of 3), missed |" in text
