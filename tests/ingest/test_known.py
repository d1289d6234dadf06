import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from distlab.errors import Unavailable, UserError
from distlab.ingest.__main__ import main as ingest
from distlab.ingest.known import KnownSet, joined
from distlab.problems.problem import DatasetSpec, Gold, GoldKind, Problem
from distlab.runs.folder import RunFolder

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


CAPITALS = """
sets:
  capitals:
    loader: distlab.tabular.datasets:File
    path: capitals.jsonl
    columns: {question: question, answer: answer, choices: options}
"""


def test_a_dataset_of_the_users_is_known_by_its_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"question": "Of Peru?", "options": ["Lima", "Cusco"], "answer": 0}
    (tmp_path / "capitals.jsonl").write_text(json.dumps(row))
    own = tmp_path / "own" / "dataset"
    own.mkdir(parents=True)
    (own / "capitals.yaml").write_text(CAPITALS)
    (own / "two.yaml").write_text(f"{CAPITALS}  more: {{loader: x}}\n")
    monkeypatch.chdir(tmp_path)
    known = KnownSet("capitals", config_dirs=(Path("own"),))
    # A file of samples need not repeat the choices.
    asked = replace(given({"7": "A"})[0], question="Of Peru?")
    (problem,) = joined([asked], known, "d").problems
    assert problem.gold == Gold(GoldKind.CHOICE, "A", items=("Lima", "Cusco"))
    (tmp_path / "own").rename(tmp_path / "conf")
    assert KnownSet("capitals").load()[0].question == "Of Peru?\nA. Lima\nB. Cusco"
    with pytest.raises(UserError, match="--known two is capitals and more, where one is needed"):
        KnownSet("two").load()


def test_the_manifest_says_where_a_known_dataset_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    examples = Path(__file__).parents[2] / "docs" / "examples"
    monkeypatch.chdir(examples)
    monkeypatch.syspath_prepend(str(examples))
    row = {"q": "How many days has a leap year?", "out": "366", "gold": 366}
    file = tmp_path / "given.jsonl"
    file.write_text(json.dumps(row))
    words = [str(file), "--variant=base", "--known=quiz", "--map", "question=q", "samples=out"]
    places = [f"--runs={tmp_path / 'runs'}", f"--store={tmp_path / 'store'}", "--config-dir"]
    assert ingest([*words, "gold=gold", *places, "conf"]) == 0
    (run,) = (tmp_path / "runs").iterdir()
    parts = {
        "folders": [str(examples / "conf")],
        "modules": {"own_dataset:Quiz": str(examples)},
    }
    assert RunFolder(run).read_manifest().parts == parts
    assert ingest([*words, "gold=gold", *places, "nowhere"]) == 2
    assert "the config folder nowhere does not exist" in capsys.readouterr().err
