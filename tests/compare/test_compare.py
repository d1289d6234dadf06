import csv
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distlab.analysis.gaps import Gap, paired_gap
from distlab.compare.__main__ import main
from distlab.compare.asked import Asked
from distlab.compare.comparing import compare
from distlab.compare.comparison import Comparison
from distlab.errors import UserError
from distlab.logs.formats import read_log
from distlab.logs.log import ID, QUESTION
from distlab.problems import Gold, GoldKind, Problem
from distlab.runs.folder import RunFolder
from distlab.store.cell import Cell
from tests.compare.conftest import Make

# Problems to marks of two samples each: "1" correct, "0" wrong, "-" no answer.
FIRST = {"a": "11", "b": "10", "c": "00", "d": "0-"}
OTHER = {"a": "11", "b": "00", "c": "01", "d": "11"}


def cell(
    arm: str = "base/t0.6", *, family: str = "fam", n: int = 2, fingerprint: str = "same"
) -> Cell:
    variant, decoding = arm.split("/")
    return Cell(family, variant, decoding, "stochastic", "d", "zero-shot", n, fingerprint, "p")


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


def test_problems_of_another_gold_are_left_out(make: Make) -> None:
    ours, theirs = (
        [Problem(n, "d", n, Gold(GoldKind.INTEGER, gold if n == "a" else "7"), n) for n in "abcd"]
        for gold in ("7", "8")
    )
    one = make("one", (cell(), FIRST), problems=ours)
    found = only(one, make("two", (cell(), OTHER), problems=theirs))
    assert gap(found).problems == 3
    assert found.pairing == (
        "d: 3 problems paired, 3 by id; 0 of A and 0 of B have no counterpart.",
        "d: 1 pair left out for golds that are not equal (a: '7' and '8').",
    )


def test_runs_without_a_shared_problem_or_judge_are_refused(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = make("one", (cell(), {"a": "11"})), make("two", (cell(), {"x": "11"}))
    assert main([str(one), str(two)]) == 2
    said = capsys.readouterr().err
    assert "nothing of one and two can be compared" in said
    assert "The runs share no problem of d" in said
    assert not (two / "compare").exists()
    other = {"extractor": "llm", "grader": "prm800k"}
    three = make("three", (cell(), {"a": "11"}, other))
    with pytest.raises(UserError, match="share neither an extractor nor a grader"):
        compare([one, three])
    (found,) = compare([one, three], Asked({"judge": ("standard", "prm800k")}))
    assert gap(found).problems == 1


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
    four = make("four", (longer, {"a": "1", "b": "000", "c": "01", "d": "1"}))
    with pytest.raises(UserError, match="nothing can be compared"):
        only(one, four)


def test_p_values_are_adjusted_over_the_table(make: Make) -> None:
    marks = {f"{place}": "00" for place in range(9)}
    other = dict.fromkeys(marks, "11")
    cells = cell(), cell("instruct/t1")
    one = make("one", *((each, marks) for each in cells))
    found = only(one, make("two", *((each, other) for each in cells)))
    wide = [row for row in found.differences if row.metric == "Pass@2"]
    assert len(found.differences) == 6
    assert wide[0].holm == pytest.approx(12 * wide[0].gap.difference.p)


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
    scores = capsys.readouterr().out.partition("Tests")[0]
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


def test_a_cell_alone_on_either_side_pairs_whatever_it_is_called(make: Make) -> None:
    one = make("one", (cell("base/greedy"), FIRST))
    found = only(one, make("two", (replace(cell("instruct/t1"), prompt="few-shot"), OTHER)))
    (row, *_) = found.differences
    assert (row.cell.arm, row.other.arm, row.other.prompt) == (
        "base/greedy",
        "instruct/t1",
        "few-shot",
    )
    assert found.cannot == ()


def test_what_goes_together_can_be_chosen(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    run = make("one", (cell("base/cot"), FIRST), (cell("instruct/t1"), OTHER))
    assert main([str(run), str(run), "--arm", "base/cot", "--arm", "instruct/t1"]) == 0
    assert "+25.0" in capsys.readouterr().out
    other = make("two", (cell("base/cot"), OTHER), (cell("instruct/t1"), OTHER))
    (found,) = compare([run, other], Asked({"arm": ("base/cot",)}))
    assert {row.cell.arm for row in found.differences} == {"base/cot"}
    assert main([str(run), str(other), "--arm", "base/cto"]) == 2
    assert "--arm base/cto is nothing that one has: name one of base/cot" in capsys.readouterr().err
    assert main([str(run), str(other), *["--arm", "base/cot"] * 3]) == 2
    assert "--arm is given 3 times" in capsys.readouterr().err


def test_problems_pair_by_question_where_ids_are_others(make: Make) -> None:
    gold = Gold(GoldKind.NUMBER, "7")
    ours = [Problem(n, "d", f"What is\n{n} and one more?", gold, f"c{n in 'ab'}") for n in "abcd"]
    theirs = [
        # The same question in a prompt, under the same id; another under the same id.
        replace(ours[0], question="Q: What is a and one more? A:", cluster="1"),
        replace(ours[2], id="b", cluster="2"),
        replace(ours[1], id="9", cluster="3"),
        replace(ours[0], id="8", question="Who?", cluster="4"),
    ]
    one = make("one", (cell(), FIRST), problems=ours)
    two = make("two", (cell(), {"a": "11", "b": "01", "9": "00", "8": "11"}), problems=theirs)
    found = only(one, two)
    assert found.pairing == (
        "d: 3 problems paired, 1 by id and 2 by question; 1 of A and 1 of B have no counterpart.",
        "d: 1 id with other questions in A than in B, looked for by their questions.",
    )
    wide = gap(found)
    assert (wide.problems, wide.base_only, wide.instruct_only, wide.clusters) == (3, 1, 1, 2)
    (few,) = found.cannot
    assert (
        "The 3 problems of fam/base/t0.6/d/zero-shot share 2 sources, too few for an interval"
        in few
    )


def test_of_questions_that_are_asked_twice_none_is_picked(make: Make) -> None:
    gold = Gold(GoldKind.NUMBER, "7")
    one = make("one", (cell(), FIRST), problems=[Problem(n, "d", "Q", gold, n) for n in "abcd"])
    other = [Problem(n, "d", "Q", gold, n) for n in "awxy"]
    marks = dict(zip("awxy", OTHER.values(), strict=True))
    found = only(one, make("two", (cell(), marks), problems=other))
    assert gap(found).problems == 1
    assert "3 of A and 3 of B have no counterpart" in found.pairing[0]


def test_what_the_data_tell_is_said(make: Make) -> None:
    equal = {f"{place}": "10"[place % 2] for place in range(400)}
    better = {name: "0" if int(name) % 4 == 3 else "1" for name in equal}
    one, two = make("one", (cell(n=1), equal)), make("two", (cell(n=1), better))
    (found,) = compare([one, two], Asked(margin=0.02))
    (row, _) = found.differences
    assert (row.said, row.gap.base_only, row.gap.instruct_only) == ("B higher", 0, 100)
    assert row.gap.mcnemar < 1e-20
    assert row.within > 0.99
    again = only(one, make("three", (cell(n=1, fingerprint="other"), equal)))
    assert {row.said for row in again.differences} == {"equal"}


DATA = Path(__file__).parents[1] / "logs" / "data"
LM_EVAL = next((DATA / "lm-eval").glob("samples_mini_gsm_*.jsonl"))
INSPECT = DATA / "inspect" / "mini-gsm.eval"


def test_logs_of_two_tools_are_compared_by_their_own_scores(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (found,) = compare([LM_EVAL, INSPECT], Asked({"judge": ("exact_match,strict-match", "match")}))
    (row,) = found.differences
    assert (row.judge.grader, row.by.grader) == (
        "lm-eval:exact_match,strict-match",
        "inspect:match",
    )
    assert (row.gap.problems, row.gap.base, row.gap.instruct) == (6, 4 / 6, 0.75)
    assert found.pairing[0].startswith("mini_gsm: 6 problems paired, 6 by question; 0 of A")
    assert ("2", 1, "The answer is $1,250", "$1,250") in [
        (row.problem, row.way, row.before_answer.rstrip("."), row.after_answer)
        for row in found.changes
    ]
    assert main([str(LM_EVAL), str(INSPECT), "--judge", "nothing"]) == 2
    assert "name one of logged/lm-eval:exact_match,strict-match" in capsys.readouterr().err
    assert main([str(LM_EVAL), str(DATA / "inspect" / "mini-choice.json")]) == 2
    assert "mini_gsm and mini_choice: 0 problems paired" in capsys.readouterr().err


def test_what_a_logs_score_leaves_unsaid_is_said_or_too_much(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in LM_EVAL.read_text().splitlines()]
    first = rows[0]["filter"]
    mine = [row for row in rows if row["filter"] == first]

    def log(name: str, *values: float) -> Path:
        changed = [row | {"exact_match": v} for row, v in zip(mine, values, strict=False)]
        file = tmp_path / f"samples_{name}.jsonl"
        file.write_text("".join(f"{json.dumps(row)}\n" for row in [*changed, *mine[len(values) :]]))
        return file

    (found,) = compare(
        [log("one", math.nan), LM_EVAL], Asked({"judge": (f"exact_match,{first}",) * 2})
    )
    assert found.differences[0].gap.problems == 5
    said = f"exact_match,{first} says nothing of 1 sample, beside 5 that count under it."
    assert any(sentence.endswith(said) for sentence in found.cannot)
    # Which ones are neither depends on the model: none of such a score is taken.
    for name, values in {"two": (math.nan, math.nan), "half": (0.5,)}.items():
        with pytest.raises(UserError, match="has no score that is right"):
            compare([log(name, *values), LM_EVAL], Asked())


def test_logs_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    places = []
    for model in ("one", "two"):
        (tmp_path / model / "logs").mkdir(parents=True)
        places.append(Path(shutil.copy(LM_EVAL, tmp_path / model / "logs")))
    (found,) = compare(places)
    assert (found.first, found.second) == (f"one/logs/{LM_EVAL.name}", f"two/logs/{LM_EVAL.name}")
    assert any(sentence.startswith("two/logs/samples_") for sentence in found.cannot)


def test_a_log_is_compared_with_a_run(make: Make) -> None:
    rows = list(read_log(LM_EVAL, "auto").rows)
    questions = {str(row.fields[ID]): str(row.fields[QUESTION]) for row in rows}
    golds = {"0": "7", "1": "72", "2": "1250", "3": "45"}
    problems = [
        Problem(f"p{n}", "d", questions[n], Gold(GoldKind.NUMBER, gold), n)
        for n, gold in golds.items()
    ]
    run = make("one", (cell(n=1), {f"p{n}": "1" for n in golds}), problems=problems)
    (found,) = compare([run, LM_EVAL], Asked({"judge": ("standard", "exact_match,strict-match")}))
    assert (gap(found, "pass@1").base, gap(found, "pass@1").instruct) == (1.0, 0.5)
    assert found.pairing == (
        "d and mini_gsm: 4 problems paired, 4 by question; 0 of A and 2 of B have no counterpart.",
    )
