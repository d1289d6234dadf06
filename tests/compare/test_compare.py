import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distlab.analysis.gaps import Gap, paired_gap
from distlab.compare.__main__ import main
from distlab.compare.comparing import compare
from distlab.compare.comparison import Comparison
from distlab.problems import Gold, GoldKind, Problem
from distlab.runs.folder import RunFolder
from distlab.store.cell import Cell

Make = Callable[..., Path]

# Problems to marks of two samples each: "1" correct, "0" wrong, "-" no answer.
FIRST = {"a": "11", "b": "10", "c": "00", "d": "0-"}
OTHER = {"a": "11", "b": "00", "c": "01", "d": "11"}


def cell(
    arm: str = "base/t0.6", *, family: str = "fam", n: int = 2, fingerprint: str = "same"
) -> Cell:
    variant, decoding = arm.split("/")
    return Cell(family, variant, decoding, "stochastic", "d", "zero-shot", n, fingerprint, "p")


def problem(name: str, gold: str = "7") -> Problem:
    return Problem(name, "d", "How many?", Gold(GoldKind.NUMBER, gold), name)


def only(first: Path, other: Path) -> Comparison:
    (found,) = compare([first, other])
    return found


def gap(found: Comparison, metric: str = "Pass@2") -> Gap:
    (row,) = (row for row in found.differences if row.metric == metric)
    return row.gap


def test_differences_are_paired_by_problem(make: Make) -> None:
    found = only(make("one", (cell(), FIRST)), make("two", (cell(), OTHER)))
    expected = paired_gap(np.array([1.0, 1, 0, 0]), np.array([1.0, 0, 1, 1]), list("abcd"))
    assert gap(found) == expected
    assert (expected.base_only, expected.instruct_only) == (1, 2)
    assert gap(found, "pass@1").difference.value == pytest.approx(0.25)


def test_problems_go_together_by_name_and_not_by_place(make: Make) -> None:
    other = {"d": "11", "x": "00", "b": "00", "a": "11"}
    found = only(make("one", (cell(), FIRST)), make("two", (cell(), other)))
    assert gap(found).problems == 3
    assert (gap(found).base_only, gap(found).instruct_only) == (1, 1)


def test_samples_that_both_hold_are_compared_one_by_one(make: Make) -> None:
    found = only(make("one", (cell(), FIRST)), make("two", (cell(), OTHER, {"answer": "9"})))
    changed = [(row.problem, row.rank, row.before, row.after) for row in found.changes]
    assert changed == [
        ("b", 0, "correct", "incorrect"),
        ("c", 1, "incorrect", "correct"),
        ("d", 0, "incorrect", "correct"),
        ("d", 1, "no_answer", "correct"),
    ]
    answers = [(row.before_answer, row.after_answer, row.gold) for row in found.changes]
    assert answers == [("7", "9", "7"), ("8", "7", "7"), ("8", "7", "7"), ("", "7", "7")]


def test_other_samples_are_compared_by_problem(make: Make) -> None:
    other = cell(fingerprint="other")
    found = only(make("one", (cell(), FIRST)), make("two", (other, OTHER)))
    changed = [(row.problem, row.rank, row.before, row.after) for row in found.changes]
    assert changed == [
        ("b", -1, "1 of 2 correct", "0 of 2 correct"),
        ("c", -1, "0 of 2 correct", "1 of 2 correct"),
        ("d", -1, "0 of 2 correct", "2 of 2 correct"),
    ]


def test_the_same_run_again_differs_in_nothing(make: Make) -> None:
    found = only(make("one", (cell(), FIRST)), make("two", (cell(), FIRST)))
    assert (found.settings, found.changes, found.cannot) == ((), (), ())
    assert gap(found).difference.value == 0


def test_another_extractor_is_paired_by_its_grader(make: Make) -> None:
    rules, llm = {"extractor": "rules"}, {"extractor": "llm"}
    found = only(make("one", (cell(), FIRST, rules)), make("two", (cell(), OTHER, llm)))
    (row, *_) = found.differences
    assert (row.judge.extractor, row.by.extractor, row.judge.grader) == ("rules", "llm", "standard")
    assert len(found.changes) == 4


def test_another_family_is_paired_by_its_arms(make: Make) -> None:
    other = cell(family="big", fingerprint="other")
    found = only(make("one", (cell(), FIRST)), make("two", (other, OTHER)))
    assert gap(found).problems == 4
    assert found.cannot == ()


def test_equal_samples_of_a_renamed_family_keep_their_answers(make: Make) -> None:
    found = only(make("one", (cell(), FIRST)), make("two", (cell(family="renamed"), OTHER)))
    assert found.changes[1].after_answer == "7"


def test_settings_that_differ_are_named(make: Make) -> None:
    def manifest(seed: int, vllm: str) -> dict[str, object]:
        return {
            "config": {"seed": seed, "store": f"s{seed}", "decoding": {"n": 2}},
            "versions": {"vllm": vllm},
            "fingerprints": {cell().key: {"seed": seed, "prompt": {"style": "p"}}},
            "datasets": {"d": {"content_hash": "c"}},
        }

    one = make("one", (cell(), FIRST), **manifest(0, "0.31"))
    two = make("two", (cell(), FIRST), **manifest(1, "0.32"))
    assert [(row.setting, row.first, row.second) for row in only(one, two).settings] == [
        ("seed", "0", "1"),
        ("version.vllm", "0.31", "0.32"),
        ("base/t0.6 d zero-shot: seed", "0", "1"),
    ]


def test_what_has_no_counterpart_is_said(make: Make) -> None:
    one = make("one", (cell(), FIRST), (cell("base/cot"), FIRST))
    two = make("two", (cell(), FIRST), (cell("instruct/t1"), FIRST))
    assert only(one, two).cannot == (
        "one alone has fam/base/cot/d/zero-shot; two has nothing to compare.",
        "two alone has fam/instruct/t1/d/zero-shot; one has nothing to compare.",
    )


def test_problems_that_are_not_the_same_are_left_out(make: Make) -> None:
    changed = [problem("a", "8"), *map(problem, "bcd")]
    found = only(make("one", (cell(), FIRST)), make("two", (cell(), OTHER), problems=changed))
    assert gap(found).problems == 3
    assert found.cannot == (
        "1 problems of d have the same id and another question or gold in the two runs; "
        "they are left out.",
    )


def test_runs_without_a_shared_problem_or_judge_say_so(make: Make) -> None:
    one = make("one", (cell(), {"a": "11"}))
    found = only(one, make("two", (cell(), {"x": "11"})))
    assert found.differences == ()
    assert "The runs share no problem of d" in found.cannot[0]
    other = {"extractor": "llm", "grader": "prm800k"}
    found = only(one, make("three", (cell(), {"a": "11"}, other)))
    assert found.differences == ()
    assert "share neither an extractor nor a grader" in found.cannot[0]


def test_a_vote_of_more_samples_is_no_match(make: Make) -> None:
    two = make("two", (cell(n=3), {"a": "111", "b": "001"}))
    found = only(make("one", (cell(), {"a": "11", "b": "00"})), two)
    assert [row.metric for row in found.differences] == ["Pass@2", "pass@1"]
    assert gap(found).instruct == pytest.approx((1 + 2 / 3) / 2)
    assert found.cannot[0].endswith("maj@n and CoT-decoding's agg are not.")


def test_of_samples_drawn_until_solved_the_widest_score_alone_compares(make: Make) -> None:
    stopped = replace(cell(), until_solved=True)
    one = make("one", (cell(), FIRST))
    found = only(one, make("two", (stopped, {"a": "1", "b": "00", "c": "01", "d": "1"})))
    assert [row.metric for row in found.differences] == ["Pass@2"]
    assert gap(found) == gap(only(one, make("three", (cell(), OTHER))))
    assert found.cannot[0].endswith("was drawn until solved: Pass@2 alone can be compared.")
    longer = replace(stopped, n=3)
    found = only(one, make("four", (longer, {"a": "1", "b": "000", "c": "01", "d": "1"})))
    assert found.differences == ()
    assert "nothing can be compared" in found.cannot[0]


def test_p_values_are_adjusted_over_the_table(make: Make) -> None:
    marks = {f"{place}": "00" for place in range(9)}
    other = dict.fromkeys(marks, "11")
    cells = cell(), cell("instruct/t1")
    one = make("one", *((each, marks) for each in cells))
    found = only(one, make("two", *((each, other) for each in cells)))
    wide = [row for row in found.differences if row.metric == "Pass@2"]
    assert len(found.differences) == 6
    assert wide[0].holm == pytest.approx(6 * wide[0].gap.difference.p)


def test_three_runs_give_two_comparisons(make: Make) -> None:
    runs = [make(name, (cell(), FIRST)) for name in ("one", "two", "three")]
    names = [(found.first, found.second) for found in compare(runs)]
    assert names == [("one", "two"), ("one", "three")]


HOSTILE = "=HYPERLINK(1)|<script>\x1b[31m\u202e`[x](javascript:1)"


def test_hostile_text_is_obeyed_by_no_output(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = make("one", (cell(), {HOSTILE: "00"}, {"answer": HOSTILE}))
    two = make("two", (cell(), {HOSTILE: "11"}), config={"note": HOSTILE})
    assert main([str(one), str(two), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\u202e" not in printed
    written = (tmp_path / "out" / "compare.md").read_text()
    assert not {"\x1b", "\u202e"} & set(written)
    assert "<script>" not in written
    assert "](javascript" not in written
    with (tmp_path / "out" / "changes.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 2
    assert {row["problem"][:2] for row in rows} == {"'="}
    assert {row["before_answer"][:2] for row in rows} == {"'="}


def test_a_terminal_of_80_columns_cuts_no_figure(
    make: Make, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    judges = [{"grader": grader} for grader in ("standard", "math-verify")]
    arms = cell("base/cot"), cell("instruct/t0.05")
    one = make("one", *((arm, FIRST, judge) for arm in arms for judge in judges))
    two = make("two", *((arm, OTHER, judge) for arm in arms for judge in judges))
    assert main([str(one), str(two)]) == 0
    scores = capsys.readouterr().out.partition("Verdicts that differ")[0]
    assert scores.count("+25.0 [−50.5, +77.8]") == 4
    assert "…" not in scores


def test_a_copy_that_was_scored_apart_has_its_own_name(make: Make) -> None:
    one = make("one", (cell(), FIRST), run="one")
    found = only(one, make("copy", (cell(), OTHER), run="one"))
    assert (found.first, found.second) == ("one", "copy")


def test_tables_of_an_earlier_comparison_do_not_stay(make: Make, tmp_path: Path) -> None:
    one, two = make("one", (cell(), FIRST)), make("two", (cell(), OTHER))
    three = make("three", (cell(), FIRST))
    out = ["--out", str(tmp_path / "out")]
    assert main([str(one), str(two), *out]) == 0
    assert (tmp_path / "out" / "changes.csv").exists()
    assert main([str(one), str(three), *out]) == 0
    assert not (tmp_path / "out" / "changes.csv").exists()
    assert (tmp_path / "out" / "differences.csv").exists()


def test_bad_input_is_one_sentence(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make("one", (cell(), FIRST))
    assert main([str(run), str(tmp_path)]) == 2
    assert "is not a run folder" in capsys.readouterr().err
    assert main([str(run), str(run)]) == 2
    assert "is named twice" in capsys.readouterr().err
    assert main([str(run), str(make("none", (cell(), {})))]) == 2
    assert "has no verdicts" in capsys.readouterr().err
    with pytest.raises(KeyboardInterrupt), RunFolder(run).judging():
        raise KeyboardInterrupt
    assert main([str(run), str(make("two", (cell(), FIRST)))]) == 2
    assert "has verdicts on some samples alone" in capsys.readouterr().err


def test_ids_that_are_spelt_differently_are_named_since_they_do_not_pair(make: Make) -> None:
    ours, theirs = {"0": "11", "07": "10", "x": "00"}, {"0.0": "11", "7": "00", "x": "01"}
    found = only(make("one", (cell(), ours)), make("two", (cell(), theirs)))
    assert gap(found).problems == 1
    assert found.cannot == (
        "The two runs spell 2 ids of d differently ('0' and '0.0'), so these problems do not pair: "
        "write the ids alike, and ingest again.",
    )
