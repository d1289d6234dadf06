import csv
import json
from pathlib import Path

import pytest

from distlab.errors import Unavailable, UserError
from distlab.ingest.known import KnownSet, joined
from distlab.problems.problem import DatasetSpec, Gold, GoldKind, Problem

HEADER = (
    "Row Number;Calculator ID;Calculator Name;Category;Output Type;Note Type;Patient Note;"
    "Question;Ground Truth Answer;Lower Limit;Upper Limit"
)
ROWS = {  # calculator, gold, limits
    "1": ("2", "10", "9.5", "10.5"),
    "2": ("13", "05/12/2020", "05/12/2020", "05/12/2020"),
    "3": ("69", "('3 weeks', '4 days')", "('3 weeks', '4 days')", "('3 weeks', '4 days')"),
    "4": ("4", "2", "2", "2"),
}


@pytest.fixture
def medcalc(tmp_path: Path) -> KnownSet:
    file = tmp_path / "medcalc.csv"
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER.split(";"))
        for number, (calculator, *golds) in ROWS.items():
            labels = [number, calculator, "name", "lab", "decimal", "made", f"note {number}"]
            writer.writerow([*labels, "How much?", *golds])
    return KnownSet.parse(f"medcalc={file}")


def given(golds: dict[str, str]) -> list[Problem]:
    return [
        Problem(name, "d", "", Gold(GoldKind.NUMBER, text), name, strata={"mine": "x"})
        for name, text in golds.items()
    ]


def test_kinds_limits_and_strata_come_from_the_dataset(medcalc: KnownSet) -> None:
    mine = given({number: golds[1] for number, golds in ROWS.items()})
    made = joined(mine, medcalc, "d")
    problems = made.problems
    assert [problem.gold.kind.value for problem in problems] == [
        "interval",
        "date",
        "weeks_days",
        "integer",
    ]
    first = problems[0]
    assert (first.id, first.dataset, first.cluster) == ("medcalc-v1.0-1", "d", "calculator-02")
    assert (first.gold.lower, first.gold.upper) == (9.5, 10.5)
    assert first.strata["category"] == "lab"
    assert first.strata["mine"] == "x"
    assert made.said == "problems and golds are those of medcalc, found by id or question"


def test_a_few_other_golds_are_said_and_most_are_refused(medcalc: KnownSet) -> None:
    one = joined(given({"1": "10.2", "medcalc-v1.0-4": "7", "2": "5/12/2020"}), medcalc, "d")
    assert one.said.endswith(
        "; 1 of 3 golds of the file are others (medcalc-v1.0-4 has '2', and the file '7')"
    )
    with pytest.raises(UserError, match="2 of 3 golds are not those of medcalc"):
        joined(given({"1": "11", "4": "7", "2": "05/12/2020"}), medcalc, "d")


def test_ids_that_the_dataset_does_not_have_are_refused(medcalc: KnownSet) -> None:
    said = r"problem '5' is none of the 4 of medcalc, by its id \(such as 'medcalc-v1\.0-1'\)"
    with pytest.raises(UserError, match=said):
        joined(given({"5": "10"}), medcalc, "d")
    with pytest.raises(UserError, match=r"'1' and 'medcalc-v1\.0-1' are both medcalc-v1\.0-1"):
        joined(given({"1": "10", "medcalc-v1.0-1": "10"}), medcalc, "d")
    with pytest.raises(UserError, match="medcalk"):
        joined(given({"1": "10"}), KnownSet.parse("medcalk"), "d")


def test_without_the_hub_the_file_of_the_rows_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unavailable(spec: DatasetSpec) -> None:
        raise Unavailable(f"{spec.name} cannot be had; give dataset.path=FILE")

    monkeypatch.setattr("distlab.ingest.known.load_dataset", unavailable)
    with pytest.raises(UserError, match="give the file of its rows as --known gsm8k=FILE"):
        KnownSet.parse("gsm8k").load()


def test_the_part_in_which_ids_differ_names_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "hard.jsonl"
    fields = {"answer": "7", "level": "Level 5", "type": "Algebra", "original_split": "test"}
    rows = [{"problem_id": n, "problem": f"p{n}", "solution": "7", **fields} for n in (1, 2)]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    made = joined(given({"2": "7"}), KnownSet("math-perturb-hard", file), "d")
    assert made.problems[0].id == "math-perturb-2-hard"
