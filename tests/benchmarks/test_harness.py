import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from tests.benchmarks import against, harness, table
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
    assert content["rows"]["one"]["machine"] == harness.machine()
    assert list(content["rows"]) == ["other", "one"]
    assert list(table.misses(content)) == ["one misses its goal >= 3 with 2.00"]
    text = table.in_page(f"before\n{table.BEGIN}\nold\n{table.END}\nafter", table.markdown(content))
    assert text.startswith("before\n") and text.endswith("\nafter") and "old" not in text
    assert "| speed, tokens/s | another | ≥ 3 | 2.00 (2.00 to 2.00 of 3), missed |" in text


def test_a_row_keeps_the_machine_and_the_day_that_it_was_measured_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "RESULTS", tmp_path / "latest.json")
    old, new = (run(row(Measured([1, 1, 1]), Goal(1, at_least=True)), 3) for _ in range(2))
    old.name, old.date, old.machine = "plan", "2026-01-01 10:00 UTC", {**old.machine, "cores": 96}
    for result in (old, new):
        harness.save(result)
    text = table.markdown(harness.load())
    assert "plan: " in text and "96 cores" in text
    assert "2026-01-01 10:00 UTC to 2026-01-01 10:00 UTC." in text
    assert f"one: {new.machine['processor']}" in text
    assert "| speed, tokens/s | another | 1.00 |" in table.short(harness.load())


def test_a_dear_row_has_a_number_of_pairs_of_its_own() -> None:
    told = []
    cheap = row(Measured([1, 1, 1]), Goal(1, at_least=True))
    dear = replace(cheap, pairs=3, measure=lambda pairs: told.append(pairs) or cheap.measure(3))
    for pairs in (None, 2):
        assert not run(dear, pairs).error
    assert told == [3, 2]


def results(goal: str, ours: list[float], theirs: list[float], cores: int = 2) -> dict:
    row = {"what": "speed", "beside": "a peer", "goal": goal, "ours": ours, "theirs": theirs}
    return {"rows": {"one": {**row, "machine": {"cores": cores}}}}


OLD = results(">= 2", [20, 21, 19, 20], [10, 10, 10, 10])


@pytest.mark.parametrize(
    ("new", "verdict"),
    [
        (results(">= 2", [30, 31, 29, 30], [10, 10, 10, 10]), "faster, 1.4"),
        (results(">= 2", [30, 31, 29, 30], [20, 20, 20, 20]), "slower, 0.7"),
        (results(">= 2", [20, 25, 15, 21], [10, 10, 10, 10]), "no change told"),
        (results(">= 2", [20], [10]), "a single pair"),
    ],
)
def test_a_row_is_slower_where_the_interval_of_its_change_says_so(new: dict, verdict: str) -> None:
    (sentence,) = against.compared(OLD, new)
    assert sentence.startswith(f"one: {verdict}")


def test_less_of_a_cost_is_faster() -> None:
    before, after = (results("<= 2", [cost, cost + 0.1, cost - 0.1], []) for cost in (2.0, 1.0))
    (sentence,) = against.compared(before, after)
    assert sentence.startswith("one: faster, 0.")


def test_on_another_machine_only_ratios_are_compared() -> None:
    elsewhere = results(">= 2", [20, 21, 19, 20], [10, 10, 10, 10], cores=16)
    (sentence,) = against.compared(OLD, elsewhere)
    assert sentence == "one: no change told, 0.93 to 1.07 times what it was"
    here, there = (results("<= 2", [1.0, 1.1], [], cores=cores) for cores in (2, 16))
    # The machine of a whole file, as it stood in files of old.
    del here["rows"]["one"]["machine"]
    (sentence,) = against.compared({**here, "machine": {"cores": 2}}, there)
    assert sentence == "one: measured on another machine, and has no peer to be compared by"


def test_a_row_that_measures_something_else_is_not_compared() -> None:
    new = results(">= 2", [1.0, 1.1], [])
    new["rows"]["one"]["what"] = "CPU"
    assert list(against.compared(OLD, new)) == ["one: measures something else than before"]


def test_the_interval_is_welchs_on_logarithms() -> None:
    stats = pytest.importorskip("scipy.stats")
    before, after = [1.0, 1.3, 0.9, 1.1], [2.0, 2.9, 1.8]
    logs = [[math.log(figure) for figure in side] for side in (after, before)]
    expected = stats.ttest_ind(*logs, equal_var=False).confidence_interval(0.95)
    found = against.change(before, after)
    assert found == pytest.approx((math.exp(expected.low), math.exp(expected.high)))
