from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from distlab.errors import UserError
from distlab.problems import (
    DatasetSpec,
    GoldKind,
    load_dataset,
    load_exemplars,
    read_problems,
    write_problems,
)
from distlab.problems.rows import read_rows

ROWS = {
    "gsm8k": 1319,
    "math": 5000,
    "math-500": 500,
    "math-perturb-simple": 279,
    "math-perturb-hard": 279,
    "medcalc": 1047,
}
GSM = {"question": "What is 1 + 1?", "answer": "1 + 1 = <<1+1=2>>2\n#### 2"}
MATH_500 = {
    "problem": "Add.",
    "answer": "2",
    "subject": "Algebra",
    "level": 1,
    "unique_id": "test/algebra/0.json",
}
MATH = {"problem": "Add.", "level": "Level 1", "type": "Algebra", "solution": r"$\boxed{2}$"}
PERTURB = {
    "problem_id": 7,
    "problem": "Add.",
    "answer": 2,
    "level": "Level 5",
    "type": "Algebra",
    "original_split": "train",
}


@pytest.mark.parametrize(
    "loader", ["", "gsm8k", "no.such.module:GSM8K", "json:NoSuch", "json:dumps"]
)
def test_a_bad_loader_is_named(loader: str) -> None:
    with pytest.raises(UserError, match=r"dataset\.sets\.x\.loader"):
        load_dataset(DatasetSpec("x", loader))


@pytest.mark.parametrize(
    ("loader", "said"),
    [
        ("Fine", None),
        ("Throwing", r"its `load` fails \(RuntimeError: boom\)"),
        ("Leaving", r"its `load` fails \(SystemExit"),
        ("Bare", "its `load` gave a list, and must give a LoadedDataset"),
        ("Streaming", "its problems are a generator"),
        ("Empty", "it gave no problem"),
        ("Twice", "its problems 0 and 1 have one id, 'p'"),
        ("Numbered", "its problem 0 has id 7, where a text must be"),
        ("Strange", "its problem 0 has dataset 'other', which must be 'own'"),
        ("Ungraded", "its problem 0 has gold '1', which must be a Gold"),
        ("Boundless", "it gave 3 problems where `dataset.limit` is 2"),
    ],
)
def test_what_an_own_loader_gives_is_looked_at(loader: str, said: str | None) -> None:
    spec = DatasetSpec("own", f"tests.problems.own_loaders:{loader}", limit=2)
    if said is None:
        assert load_dataset(spec).rows == 1
        with pytest.raises(UserError, match="its `exemplars` must give a tuple of Exemplar"):
            load_exemplars(spec)
    else:
        with pytest.raises(UserError, match=rf"`dataset\.sets\.own\.loader` is .*{said}"):
            load_dataset(spec)


def test_a_limit_below_one_is_refused(spec: Callable[..., DatasetSpec]) -> None:
    with pytest.raises(UserError, match=r"dataset\.limit is 0"):
        load_dataset(spec("gsm8k", limit=0))


@pytest.mark.parametrize(
    ("name", "row", "change", "message"),
    [
        ("gsm8k", GSM, {"answer": "no gold"}, "field `answer` must end with `#### `"),
        ("gsm8k", GSM, {"answer": "x #### many"}, "field `answer` must end with `#### `"),
        ("gsm8k", GSM, {"question": None}, "field `question` is missing"),
        ("math", MATH, {"solution": "2"}, r"field `solution` has no \\boxed answer"),
        ("math", MATH, {"level": "Level ?"}, "field `level` must be 1 to 5"),
        ("math-500", MATH_500, {"answer": ""}, "field `answer` is empty"),
        ("math-perturb-hard", PERTURB, {"problem_id": "a"}, "field `problem_id` must be a number"),
        ("math-perturb-hard", PERTURB, {"original_split": "dev"}, "must be train or test"),
        ("math-perturb-hard", PERTURB, {"answer": None}, "field `answer` is missing"),
    ],
)
def test_malformed_rows_name_line_and_field(
    spec: Callable[..., DatasetSpec],
    write: Callable[..., Path],
    name: str,
    row: Mapping[str, Any],
    change: Mapping[str, Any],
    message: str,
) -> None:
    good = {"problem": "Another.", "question": "Another?", "unique_id": "x", "problem_id": 8}
    first = {key: good.get(key, value) for key, value in row.items()}
    path = write("rows.jsonl", [first, {**row, **change}])
    with pytest.raises(UserError, match=rf"rows\.jsonl line 2: .*{message}"):
        load_dataset(spec(name, path))


def test_a_repeated_problem_is_refused(
    spec: Callable[..., DatasetSpec], write: Callable[..., Path]
) -> None:
    path = write("rows.jsonl", [GSM, GSM])
    with pytest.raises(UserError, match=r"line 2 repeats the problem of .*line 1"):
        load_dataset(spec("gsm8k", path))


def test_an_unknown_option_is_refused(spec: Callable[..., DatasetSpec]) -> None:
    with pytest.raises(UserError, match="no option `versoin`; did you mean `version`"):
        load_dataset(spec("medcalc", options={"versoin": "v1.0"}))
    with pytest.raises(UserError, match="no option `seed`; it has none"):
        load_dataset(spec("gsm8k", options={"seed": 1}))


@pytest.mark.parametrize("name", sorted(ROWS))
def test_the_published_files_match_what_is_known(
    real_spec: Callable[..., DatasetSpec], name: str
) -> None:
    loaded = load_dataset(real_spec(name))
    assert loaded.rows == len(loaded.problems) == ROWS[name]
    assert loaded.notes == ()
    assert len({problem.id for problem in loaded.problems}) == ROWS[name]
    assert {problem.dataset for problem in loaded.problems} == {name}
    assert all(problem.question == problem.question.strip() for problem in loaded.problems)


@pytest.mark.parametrize("name", sorted(ROWS))
@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".csv"])
def test_every_format_of_the_same_rows_agrees(
    real_spec: Callable[..., DatasetSpec],
    write: Callable[..., Path],
    name: str,
    suffix: str,
) -> None:
    spec = real_spec(name, limit=3)
    rows = [dict(row.fields) for row in read_rows(Path(str(spec.path)))]
    if name.startswith("math-perturb") and suffix == ".parquet":
        # A Parquet column has one type; the answers are text, whole numbers and decimals.
        rows = [{**row, "answer": str(row["answer"])} for row in rows]
    copy = load_dataset(replace(spec, path=str(write(f"copy{suffix}", rows))))
    original = load_dataset(spec)
    assert copy.content_hash == original.content_hash
    assert copy.problems == original.problems
    assert copy.notes == ()


def test_a_changed_copy_is_said(
    real_spec: Callable[..., DatasetSpec], write: Callable[..., Path]
) -> None:
    spec = real_spec("math-500")
    rows = [dict(row.fields) for row in read_rows(Path(str(spec.path)))]
    changed = write("rows.jsonl", [{**rows[0], "answer": "0"}, *rows[1:]])
    loaded = load_dataset(replace(spec, path=str(changed)))
    assert "is not the published set's" in loaded.notes[0]
    assert loaded.rows == 500


def test_problems_survive_parquet(real_spec: Callable[..., DatasetSpec], tmp_path: Path) -> None:
    path = tmp_path / "sub" / "problems.parquet"
    for name in ROWS:
        problems = load_dataset(real_spec(name)).problems
        write_problems(path, problems)
        assert read_problems(path) == problems
    write_problems(path, [])
    assert read_problems(path) == ()


def test_foreign_parquet_is_refused(tmp_path: Path, write: Callable[..., Path]) -> None:
    with pytest.raises(UserError, match="does not exist"):
        read_problems(tmp_path / "none.parquet")
    with pytest.raises(UserError, match="is not a problem file of version 1"):
        read_problems(write("other.parquet", [GSM]))


def test_golds_of_gsm8k(real_spec: Callable[..., DatasetSpec]) -> None:
    golds = [problem.gold for problem in load_dataset(real_spec("gsm8k")).problems]
    assert {gold.kind for gold in golds} == {GoldKind.NUMBER}
    assert sum("," in gold.text for gold in golds) == 14
    assert sum(gold.text.startswith("-") for gold in golds) == 2


def test_exemplars_of_gsm8k_are_the_train_split(
    real_spec: Callable[..., DatasetSpec], real: Callable[[str], Path]
) -> None:
    spec = real_spec("gsm8k", train_path=str(real("gsm8k/train.jsonl")))
    exemplars = load_exemplars(spec)
    assert len(exemplars) == 7473
    assert not any("<<" in one.reasoning or "####" in one.reasoning for one in exemplars)
    evaluated = {problem.question for problem in load_dataset(spec).problems}
    assert not evaluated & {one.question for one in exemplars}


def test_exemplars_of_math_leave_level_5_and_figures_out(
    spec: Callable[..., DatasetSpec], write: Callable[..., Path]
) -> None:
    path = write(
        "train.jsonl",
        [
            {**MATH, "problem": "Kept."},
            {**MATH, "problem": "Hard.", "level": "Level 5"},
            {**MATH, "problem": "Odd.", "level": "Level ?"},
            {**MATH, "problem": "Drawn. [asy] draw(); [/asy]"},
            {**MATH, "problem": "Long.", "solution": "x" * 900 + r"\boxed{2}"},
            {**MATH, "problem": "Open.", "solution": "2"},
        ],
    )
    for name in ("math", "math-500", "math-perturb-simple", "math-perturb-hard"):
        (one,) = load_exemplars(spec(name, train_path=str(path)))
        assert (one.question, one.answer) == ("Kept.", "2")
