import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from distlab.errors import UserError
from distlab.problems import DatasetSpec, Gold, GoldKind, Problem, load_dataset, load_exemplars

ROW = {
    "Row Number": 1,
    "Calculator ID": 2,
    "Calculator Name": "Clearance",
    "Category": "lab",
    "Output Type": "decimal",
    "Note Type": "Template",
    "Patient Note": "A man of 40.",
    "Question": "What is the clearance?",
    "Ground Truth Answer": "10.5",
    "Lower Limit": "9.975",
    "Upper Limit": "11.025",
    "Ground Truth Explanation": "We divide 21 by 2.",
}


@pytest.fixture
def gold(spec: Callable[..., DatasetSpec], write: Callable[..., Path]) -> Callable[..., Gold]:
    """The gold that one row becomes."""

    def load(**change: object) -> Gold:
        row = {**ROW, **{name.replace("_", " "): value for name, value in change.items()}}
        return load_dataset(spec("medcalc", write("rows.jsonl", [row]))).problems[0].gold

    return load


def _fields(calculator: int, answer: str, lower: str = "0", upper: str = "0") -> dict[str, Any]:
    return {
        "Calculator ID": calculator,
        "Ground Truth Answer": answer,
        "Lower Limit": lower,
        "Upper Limit": upper,
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (_fields(13, "09/23/2014"), Gold(GoldKind.DATE, "09/23/2014")),
        (
            _fields(69, "('3 weeks', '4 days')"),
            Gold(GoldKind.WEEKS_DAYS, "('3 weeks', '4 days')"),
        ),
        (_fields(4, "-1"), Gold(GoldKind.INTEGER, "-1")),
        (_fields(2, "10", "9.5", "10.5"), Gold(GoldKind.INTERVAL, "10", lower=9.5, upper=10.5)),
        (_fields(2, "0.0"), Gold(GoldKind.INTERVAL, "0.0", lower=0, upper=0)),
        (
            _fields(2, "-10", "-9.5", "-10.5"),
            Gold(GoldKind.INTERVAL, "-10", lower=-10.5, upper=-9.5),
        ),
    ],
)
def test_the_calculator_decides_the_kind(
    gold: Callable[..., Gold], fields: Mapping[str, Any], expected: Gold
) -> None:
    # 69 is published as "integer", 13 as "date": the type says nothing we use.
    assert gold(**fields, Output_Type="integer") == expected


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (_fields(13, "23/09/2014"), "must be month/day/year"),
        (_fields(69, "25"), "must be weeks and days"),
        (_fields(4, "1.5"), "must be a whole number"),
        (_fields(2, "high"), "must be a number"),
        ({"Lower Limit": ""}, "`Lower Limit` is empty"),
        ({"Row Number": None}, "`Row Number` is missing"),
    ],
)
def test_golds_that_do_not_fit_their_calculator_are_refused(
    gold: Callable[..., Gold], fields: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=rf"rows\.jsonl line 1: field .*{message}"):
        gold(**fields)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"version": "v2"}, r"options\.version is 'v2'; use one of v1\.0, v1\.1, v1\.2, verified"),
        ({"labels": "better"}, r"options\.labels is 'better'"),
        ({"labels": "corrected"}, "give the audit's CSV as corrected_path"),
        (
            {"labels": "corrected", "version": "v1.1", "corrected_path": "x.csv"},
            r"there is for v1\.0 alone",
        ),
    ],
)
def test_options_are_checked(
    spec: Callable[..., DatasetSpec], options: Mapping[str, str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        load_dataset(spec("medcalc", options=options))


def test_a_version_without_known_hash_is_counted_only(
    spec: Callable[..., DatasetSpec], write: Callable[..., Path]
) -> None:
    rows = [{**ROW, "Row Number": number} for number in range(1100)]
    path = write("rows.csv", rows)
    loaded = load_dataset(spec("medcalc", path, options={"version": "verified"}))
    assert "no known hash" in loaded.notes[0]
    assert loaded.problems[0].id == "medcalc-verified-0"


def test_golds_outside_of_their_limits_are_said(
    spec: Callable[..., DatasetSpec], write: Callable[..., Path]
) -> None:
    path = write("rows.jsonl", [{**ROW, "Upper Limit": "10"}])
    notes = load_dataset(spec("medcalc", path)).notes
    assert "1 golds lie outside of their own limits: medcalc-v1.0-1" in notes


def test_the_published_rows_by_kind(real_spec: Callable[..., DatasetSpec]) -> None:
    problems = load_dataset(real_spec("medcalc")).problems
    assert Counter(problem.gold.kind for problem in problems) == {
        GoldKind.INTERVAL: 627,
        GoldKind.INTEGER: 360,
        GoldKind.DATE: 40,
        GoldKind.WEEKS_DAYS: 20,
    }
    assert len({problem.cluster for problem in problems}) == 55
    intervals = [one.gold for one in problems if one.gold.kind is GoldKind.INTERVAL]
    assert all(gold.lower <= float(gold.text) <= gold.upper for gold in intervals)  # type: ignore[operator]
    assert sum(float(gold.text) == 0 for gold in intervals) == 21


def test_corrected_labels_keep_ids_and_questions(
    real_spec: Callable[..., DatasetSpec], real: Callable[[str], Path]
) -> None:
    path = str(real("medcalc/test_v1.0_corrected_887.csv"))
    options = {"labels": "corrected", "corrected_path": path}
    published = {one.id: one for one in load_dataset(real_spec("medcalc")).problems}
    loaded = load_dataset(real_spec("medcalc", options=options))
    corrected = {one.id: one for one in loaded.problems}
    assert len(corrected) == 818
    assert "818 of 1047 problems; the audit covers 887 and calls 69 unanswerable" in loaded.notes[0]
    assert len(loaded.notes) == 1
    assert all(one.question == published[name].question for name, one in corrected.items())
    changed = [name for name, one in corrected.items() if _moved(published[name], one)]
    assert len(changed) == 210
    # Given in days by the audit; the same six days.
    assert corrected["medcalc-v1.0-1028"].gold == published["medcalc-v1.0-1028"].gold
    assert corrected["medcalc-v1.0-42"].gold.text == "5"
    assert published["medcalc-v1.0-42"].gold.text == "3"


def _moved(published: Problem, corrected: Problem) -> bool:
    """Whether the published gold would be judged wrong against the corrected one."""
    gold = corrected.gold
    if gold.lower is None or gold.upper is None:
        return gold.text != published.gold.text
    return not gold.lower <= float(published.gold.text) <= gold.upper


def test_an_audit_of_other_rows_is_refused(
    spec: Callable[..., DatasetSpec], write: Callable[..., Path]
) -> None:
    audit = {**_fields(2, "11"), "Unique ID": 9}
    options = {"labels": "corrected", "corrected_path": str(write("audit.csv", [audit]))}
    with pytest.raises(UserError, match=r"audit\.csv line 2: field `Unique ID` names no Row"):
        load_dataset(spec("medcalc", write("rows.jsonl", [ROW]), options=options))


def test_exemplars_are_short_and_never_evaluated(
    spec: Callable[..., DatasetSpec], write: Callable[..., Path]
) -> None:
    other = {**ROW, "Patient Note": "A woman of 50."}
    long = {**ROW, "Patient Note": "word " * 500}
    weeks = {
        **ROW,
        "Patient Note": "Pregnant.",
        "Calculator ID": 69,
        "Ground Truth Answer": "('3 weeks', '4 days')",
    }
    test = write("test.csv", [ROW])
    train = write("train.csv", [ROW, other, long, weeks])
    exemplars = load_exemplars(spec("medcalc", test, train_path=str(train)))
    assert [one.answer for one in exemplars] == ["10.5", "(3 weeks, 4 days)"]
    assert exemplars[0].question.startswith("Patient note: A woman of 50.")
    assert exemplars[0].reasoning == "We divide 21 by 2."


def test_a_malformed_train_row_is_named(
    spec: Callable[..., DatasetSpec], write: Callable[..., Path], tmp_path: Path
) -> None:
    test = write("test.csv", [ROW])
    row = {**ROW, "Patient Note": "x", "Calculator ID": 69, "Ground Truth Answer": "('3 weeks'"}
    with pytest.raises(UserError, match=r"train\.csv line 2: .*must be weeks and days"):
        load_exemplars(spec("medcalc", test, train_path=str(write("train.csv", [row]))))
    one_shot = tmp_path / "one.json"
    one_shot.write_text(json.dumps({"2": {"Response": 1, "Patient Note": "x"}}))
    with pytest.raises(UserError, match=r"one\.json row 1: field `Response` must be an object"):
        load_exemplars(spec("medcalc", test, train_path=str(one_shot)))


def test_the_one_shot_file_shares_no_note_with_the_test_set(
    real_spec: Callable[..., DatasetSpec], real: Callable[[str], Path]
) -> None:
    spec = real_spec("medcalc", train_path=str(real("medcalc/one_shot_v1.0.json")))
    exemplars = load_exemplars(spec)
    assert len(exemplars) == 22
    notes = {one.question.partition("\n\n")[0] for one in load_dataset(spec).problems}
    assert not notes & {one.question.partition("\n\n")[0] for one in exemplars}
    assert "(34 weeks, 3 days)" in {one.answer for one in exemplars}
