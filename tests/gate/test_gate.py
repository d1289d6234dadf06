import json

import numpy as np
import pytest

from distlab.analysis.contrasts import Mean, contrast
from distlab.gate.__main__ import main
from tests.compare.conftest import Make
from tests.compare.test_compare import cell


def marks(correct: int, of: int) -> dict[str, str]:
    return {f"{place}": "1" if place < correct else "0" for place in range(of)}


@pytest.mark.parametrize(
    ("first", "other", "allowed", "status"),
    [
        (marks(50, 100), marks(50, 100), "5", 0),
        (marks(50, 100), marks(60, 100), "1", 0),
        (marks(60, 100), marks(30, 100), "5", 3),
        (marks(50, 100), marks(46, 100), "5", 4),
        (marks(50, 100), marks(50, 100), "1", 4),
    ],
)
def test_a_gate_passes_fails_or_cannot_tell(
    make: Make, first: dict[str, str], other: dict[str, str], allowed: str, status: int
) -> None:
    one, two = (make(name, (cell(n=1), m)) for name, m in (("one", first), ("two", other)))
    assert main([str(one), str(two), "--no-worse-than", allowed]) == status


def test_all_cells_must_pass_and_one_may_fail(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    arms = cell(n=1), cell("instruct/t1", n=1)
    good, bad = marks(50, 100), marks(20, 100)
    one = make("one", *((arm, good) for arm in arms))
    two = make("two", (arms[0], good), (arms[1], bad))
    given = [str(one), str(two), "--no-worse-than", "5"]
    assert main(given) == 3
    printed = capsys.readouterr().out
    assert "pass: base/t0.6, fam, d, zero-shot" in printed
    assert "fail: instruct/t1, fam, d, zero-shot" in printed
    assert main([*given, "--arm", "base/t0.6"]) == 0
    assert main([*given, "--score", "Pass@9"]) == 2
    assert "name one of pass@1" in capsys.readouterr().err


def test_json_says_what_the_lines_say_with_the_same_status(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = (make(name, (cell(n=1), marks(m, 100))) for name, m in (("one", 60), ("two", 30)))
    assert main([str(one), str(two), "--no-worse-than", "5", "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert (found["outcome"], found["score"], found["no_worse_than"]) == ("fail", "pass@1", 5.0)
    (only,) = found["comparisons"]
    assert (only["outcome"], only["arm"], only["problems"]) == ("fail", "base/t0.6", 100)
    assert only["difference"] == pytest.approx(-30)
    assert only["difference_low"] < -30 < only["difference_high"]
    assert only["worse_p"] < 0.001 < 0.999 < only["no_worse_p"]


def test_json_holds_null_where_the_data_give_no_number(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = (make(name, (cell(n=1), {"a": "1"})) for name in ("one", "two"))
    main([str(one), str(two), "--no-worse-than", "5", "--json"])
    (only,) = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)["comparisons"]
    assert only["difference_low"] is None


def test_one_sided_tests_take_shared_sources_into_account() -> None:
    values = np.tile([1.0, 0.0, 0.0, -1.0, 0.0, 0.0], 20)
    alone = contrast(Mean(values))
    shared = contrast(Mean(values, np.repeat(np.arange(12), 10)))
    for found in (alone, shared):
        assert found.above(-0.1) + found.below(-0.1) == pytest.approx(1)
        assert found.within(0.1) == max(found.above(-0.1), found.below(0.1))
        assert found.above(-0.2) < found.above(-0.1) < 0.5 < found.below(-0.1)
