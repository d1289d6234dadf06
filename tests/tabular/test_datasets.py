import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import huggingface_hub
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from distlab.config.compose import compose, compose_config
from distlab.config.door import datasets, validate
from distlab.errors import Unavailable, UserError
from distlab.problems import DatasetSpec, GoldKind, LoadedDataset, load_dataset, load_exemplars
from distlab.problems.problem import Gold
from distlab.scoring.graders._words import judge_words

Load = Callable[..., LoadedDataset]
NAMES = {"question": "q", "answer": "a"}


def spec(path: Path, columns: Mapping[str, str | tuple[str, ...]], kind: str) -> DatasetSpec:
    return DatasetSpec(
        name="mine",
        loader="distlab.tabular.datasets:File",
        path=str(path),
        train_path=str(path),
        options={"kind": kind},
        columns={**NAMES, **columns},
    )


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load rows as JSONL, or a text or bytes as they stand."""

    def run(
        rows: Sequence[object] | bytes, kind: str = "auto", **columns: str | tuple[str, ...]
    ) -> LoadedDataset:
        file = tmp_path / "rows.jsonl"
        lines = rows if isinstance(rows, bytes) else b"".join(map(line, rows))
        file.write_bytes(lines)
        return load_dataset(spec(file, columns, kind))

    return run


def line(row: object) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def golds(loaded: LoadedDataset) -> list[tuple[GoldKind, str]]:
    return [(problem.gold.kind, problem.gold.text) for problem in loaded.problems]


def test_golds_are_read_row_by_row_out_of_whatever_holds_them(load: Load) -> None:
    given = ["7", "So 9 * 8.\n#### 72", r"Hence \boxed{\frac{1}{2}}.", "\u22125", 3, "2020-05-12"]
    loaded = load([{"q": f"Question {place}?", "a": gold} for place, gold in enumerate(given)])
    assert golds(loaded) == [
        (GoldKind.NUMBER, "7"),
        (GoldKind.NUMBER, "72"),
        (GoldKind.LATEX, r"\frac{1}{2}"),
        (GoldKind.NUMBER, "-5"),
        (GoldKind.NUMBER, "3"),
        (GoldKind.DATE, "2020-05-12"),
    ]
    (said,) = loaded.notes
    assert said.startswith("golds: 4 as number, 1 as latex (such as ")
    assert "1 were read from behind ####" in said


@pytest.mark.parametrize(
    "gold", ["N/A", float("nan"), "", None, "It follows that he has as much as we had."]
)
def test_a_gold_that_is_no_answer_is_refused_with_its_row(load: Load, gold: object) -> None:
    with pytest.raises(
        UserError, match=r"rows\.jsonl line 2: field `a` .*`dataset\.columns\.answer`"
    ):
        load([{"q": "One?", "a": "1"}, {"q": "Two?", "a": gold}])


def test_choices_are_lettered_behind_the_question(load: Load) -> None:
    rows = [
        {"q": "Capital?", "a": 1, "o": ["Lyon", "Paris"]},
        {"q": "Colour?", "a": "(A)", "o": ["red", "blue"]},
        {"q": "Largest?", "a": "4", "o": {"text": ["2", "1"], "label": ["4", "5"]}},
        {"q": "Second?", "a": "two", "o": ["one", "two", "three"]},
    ]
    loaded = load(rows, choices="o")
    assert [problem.gold.text for problem in loaded.problems] == ["B", "A", "A", "B"]
    assert {problem.gold.kind for problem in loaded.problems} == {GoldKind.CHOICE}
    assert loaded.problems[0].question == "Capital?\nA. Lyon\nB. Paris"
    assert loaded.problems[0].gold.items == ("Lyon", "Paris")


@pytest.mark.parametrize(
    ("gold", "offered"),
    [
        # A missing value somewhere makes floats of whole numbers in pandas.
        (1.0, ["Lyon", "Paris"]),
        ("b", ["Lyon", "Paris"]),
        ("paris", ["Lyon", "Paris"]),
        ("B", {"A": "Lyon", "B": "Paris", "C": None}),
        ("2", [{"label": "1", "text": "Lyon"}, {"label": "2", "text": "Paris"}]),
        ("B", '["Lyon", "Paris"]'),
    ],
)
def test_choices_as_files_write_them(load: Load, gold: object, offered: object) -> None:
    (problem,) = load([{"q": "Capital?", "a": gold, "o": offered}], choices="o").problems
    assert (problem.gold.text, problem.gold.items) == ("B", ("Lyon", "Paris"))


@pytest.mark.parametrize(
    ("gold", "offered", "sentence"),
    [
        ("C", ["x", "y"], "is 'C', which is none of the 2 choices: give a label"),
        (2, ["x", "y"], "is 2, which is none"),
        ("B", ["B", "y"], "may be either of two"),
        ("b", ["B", "y"], "may be either of two"),
        ("A", ["x"], "must be a list of 2 to 10 choices"),
        ("A", ["x", "x"], "offers one choice twice"),
    ],
)
def test_a_gold_that_is_no_choice_is_refused(
    load: Load, gold: object, offered: list[str], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        load([{"q": "?", "a": gold, "o": offered}], choices="o")


def test_several_columns_may_hold_a_choice_each(load: Load) -> None:
    texts = ("Femur", "Rib", "Ulna", "Skull")
    offered = dict(zip(("opa", "opb", "opc", "opd"), texts, strict=True))
    rows = [
        {"q": "Longest?", "a": 0, **offered},
        # As pandas and spreadsheets write that there is none.
        {"q": "Which breathes?", "a": "1", **offered, "opc": float("nan"), "opd": ""},
    ]
    long, short = load(rows, choices=tuple(offered)).problems
    assert (long.gold.text, long.gold.items) == ("A", texts)
    assert (short.gold.text, short.question) == ("B", "Which breathes?\nA. Femur\nB. Rib")
    del rows[1]["opb"]
    with pytest.raises(UserError, match=r"has no column `opb`, which `dataset\.columns\.choices`"):
        load(rows, choices=tuple(offered))
    rows[0]["a"] = 4
    with pytest.raises(UserError, match=r"is 4, which is none of the 4 choices: .* from 0 to 3"):
        load(rows[:1], choices=tuple(offered))


@pytest.mark.parametrize(
    ("columns", "named"),
    [("[o,p]", ("o", "p")), ("o", "o"), ("[o,o]", None), ("[o]", None), ("{o: p}", None)],
)
def test_the_key_of_choices_names_a_column_or_several(
    columns: str, named: str | tuple[str, ...] | None
) -> None:
    words = ["dataset=file", "dataset.path=x.jsonl", f"dataset.columns.choices={columns}"]
    raw = compose(words).dataset
    if named is None:
        with pytest.raises(UserError, match=r"columns\.choices` is .*: name a column of"):
            datasets(raw)
    else:
        assert datasets(raw)[0].columns["choices"] == named


def test_truth_values_are_texts_that_yes_and_no_say_too(load: Load) -> None:
    rows = [{"q": "Is it so?", "a": True}, {"q": "Or not?", "a": False}]
    first, second = (problem.gold for problem in load(rows).problems)
    assert first == Gold(GoldKind.TEXT, "true", items=("yes",))
    assert second == Gold(GoldKind.TEXT, "false", items=("no",))
    assert judge_words(first, "Yes.") and not judge_words(first, "False")
    # As a CSV has them.
    told = load([{"q": "Is it so?", "a": "True"}, {"q": "Or not?", "a": "False"}])
    assert told.problems[1].gold == Gold(GoldKind.TEXT, "False", items=("no",))
    mixed = load([{"q": "Is it so?", "a": "True"}, {"q": "Who?", "a": "Nobody"}])
    assert mixed.problems[0].gold.items == ()
    offered = load([{"q": "Is it so?", "a": True, "o": ["False", "True"]}], choices="o")
    assert offered.problems[0].gold.text == "B"
    with pytest.raises(UserError, match="is True, which is none of the 2 choices"):
        load([{"q": "Is it so?", "a": True, "o": ["wrong", "right"]}], choices="o")
    with pytest.raises(UserError, match="must be a number in plain notation, not 'true'"):
        load(rows, "number")


def test_letters_and_words_are_told_by_what_most_rows_hold(load: Load) -> None:
    def kinds(*given: str) -> list[GoldKind]:
        return [
            kind for kind, _ in golds(load([{"q": f"{n}?", "a": a} for n, a in enumerate(given)]))
        ]

    assert kinds("A", "C", "12") == [GoldKind.CHOICE, GoldKind.CHOICE, GoldKind.NUMBER]
    assert golds(load([{"q": f"{a}?", "a": a} for a in "abc"])) == [
        (GoldKind.CHOICE, letter) for letter in "ABC"
    ]
    assert kinds("Paris", "New York", "x+1") == [GoldKind.TEXT, GoldKind.TEXT, GoldKind.LATEX]
    # In a set of formulas a letter is a point, and a word is what it was.
    assert kinds("x+1", "y^2", "E", "Evelyn") == [GoldKind.LATEX] * 4


def test_texts_may_be_long_and_have_other_spellings(load: Load) -> None:
    long = "one two three four five six seven eight nine"
    loaded = load([{"q": "1?", "a": [long, "short"]}, {"q": "2?", "a": "None"}], kind="text")
    assert [(p.gold.text, p.gold.items) for p in loaded.problems] == [
        (long, ("short",)),
        ("None", ()),
    ]


def test_clusters_strata_and_nested_columns(tmp_path: Path) -> None:
    file = tmp_path / "nested.parquet"
    rows = [{"doc": {"q": f"{n}?", "a": n}, "source": "s", "level": n % 2} for n in range(4)]
    pq.write_table(pa.Table.from_pylist(rows), file)
    columns = {"question": "doc.q", "answer": "doc.a", "cluster": "source", "strata": ("level",)}
    problems = load_dataset(spec(file, columns, "number")).problems
    assert {problem.cluster for problem in problems} == {"s"}
    assert [problem.strata["level"] for problem in problems] == ["0", "1", "0", "1"]


def test_rows_without_a_group_stand_alone(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    rows = [
        {"i": "p", "q": "1?", "a": 1, "of": "book", "k": "x", "s": "seed", "hard": True},
        {"i": "r", "q": "2?", "a": 2, "of": None, "k": "", "s": None, "hard": False},
        {"i": "s", "q": "3?", "a": 3, "of": math.nan, "k": None, "s": "", "hard": False},
    ]
    file.write_bytes(b"".join(map(line, rows)))
    columns = {"id": "i", "cluster": "of", "pair": "k", "side": "s", "strata": ("hard",)}
    problems = load_dataset(spec(file, columns, "auto")).problems
    assert [(p.cluster, p.pair, p.side) for p in problems] == [
        ("book", "x", "seed"),
        ("r", None, None),
        ("s", None, None),
    ]
    assert [problem.strata["hard"] for problem in problems] == ["true", "false", "false"]
    file.write_bytes(line({**rows[0], "k": None}))
    with pytest.raises(UserError, match="line 1: field `s` is of a row without a pair"):
        load_dataset(spec(file, columns, "auto"))


@pytest.mark.parametrize("seeds", [("q", "p"), (None, "p", "q")], ids=["circle", "chain"])
def test_a_seed_that_perturbs_another_is_refused(load: Load, seeds: Sequence[str | None]) -> None:
    rows = [
        {"i": name, "q": f"{name}?", "a": 1, "of": of}
        for name, of in zip("pqr", seeds, strict=False)
    ]
    with pytest.raises(UserError, match=r"field `of` names .[pq]., which perturbs another problem"):
        load(rows, id="i", seed="of")


def test_seeds_may_name_themselves_and_share_a_source(load: Load) -> None:
    rows = [
        {"i": 1, "q": "1?", "a": 1, "of": 1.0, "source": "s"},
        {"i": 2, "q": "2?", "a": 2, "of": 1.0, "source": "s"},
    ]
    problems = load(rows, id="i", seed="of", cluster="source").problems
    assert [(p.pair, p.side, p.cluster) for p in problems] == [
        ("1", "seed", "s"),
        ("1", "twin", "s"),
    ]


def test_a_column_of_seeds_makes_pairs(load: Load) -> None:
    rows = [
        {"i": "p", "q": "1+1?", "a": 2, "of": None},
        {"i": "p-hard", "q": "1+11?", "a": 12, "of": "p"},
        {"i": "alone", "q": "2+2?", "a": 4, "of": ""},
    ]
    problems = load(rows, id="i", seed="of").problems
    assert [(p.pair, p.side, p.cluster) for p in problems] == [
        ("p", "seed", "p"),
        ("p", "twin", "p"),
        (None, None, "alone"),
    ]
    with pytest.raises(UserError, match="line 1: field `of` names 'x', which is the id of no row"):
        load([{"i": "p", "q": "1+1?", "a": 2, "of": "x"}], id="i", seed="of")


def test_files_of_editors_and_spreadsheets(load: Load, tmp_path: Path) -> None:
    rows = [{"q": "Line\u2028one?", "a": 1}, {"q": "Two?", "a": 2}]
    marked = b"\xef\xbb\xbf" + b"".join(map(line, rows))
    assert [problem.question for problem in load(marked).problems] == ["Line\u2028one?", "Two?"]
    with pytest.raises(UserError, match="is UTF-16; save it as UTF-8"):
        load('{"q": "One?", "a": 1}\n'.encode("utf-16"))
    file = tmp_path / "semicolons.csv"
    file.write_text("\ufeffq;a\nHow many?;1\n")
    assert golds(load_dataset(spec(file, {}, "auto"))) == [(GoldKind.NUMBER, "1")]


def test_a_column_that_is_not_there_names_its_key(load: Load) -> None:
    with pytest.raises(UserError, match=r"no column `a`, which `dataset\.columns\.answer` names"):
        load([{"q": "One?", "gold": 1}])


def test_exemplars_are_rows_with_solutions(tmp_path: Path) -> None:
    file = tmp_path / "solved.jsonl"
    file.write_bytes(line({"q": "1+1?", "a": "2", "how": "One and one."}))
    (one,) = load_exemplars(spec(file, {"solution": "how"}, "auto"))
    assert (one.question, one.reasoning, one.answer) == ("1+1?", "One and one.", "2")


def test_the_command_line_names_file_and_columns() -> None:
    study = validate(
        compose_config(
            [
                "dataset=file",
                "dataset.path=some/capitals.jsonl",
                "dataset.columns.question=doc.prompt",
                "dataset.columns.strata=[level]",
                "dataset.kind=choice",
            ]
        )
    )
    (made,) = study.datasets
    assert (made.name, made.path, made.options) == (
        "capitals",
        "some/capitals.jsonl",
        {"kind": "choice"},
    )
    assert made.columns == {"question": "doc.prompt", "answer": "answer", "strata": ("level",)}


def test_columns_are_refused_where_a_loader_has_its_own() -> None:
    config = compose_config(["dataset=gsm8k", "dataset.columns.answer=gold"])
    (made,) = validate(config).datasets
    with pytest.raises(UserError, match=r"leave `dataset\.columns` out, or take dataset=file"):
        load_dataset(made)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of a stand-in for the hub."""

    def snapshot(*_: object, **__: object) -> str:
        return str(tmp_path)

    def one_file(_: str, name: str, **__: object) -> str:
        if not (tmp_path / name).is_file():
            raise LocalEntryNotFoundError("no connection")
        return str(tmp_path / name)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", one_file)
    return tmp_path


def of_hub(*words: str) -> LoadedDataset:
    config = compose_config(["dataset=hub", "dataset.id=org/tiny", *words])
    (made,) = validate(config).datasets
    return load_dataset(made)


def test_a_split_on_the_hub_is_found_by_its_name_or_by_the_card(hub: Path) -> None:
    (hub / "data").mkdir()
    (hub / "data" / "test-0.jsonl").write_bytes(line({"question": "1+1?", "answer": 2}))
    loaded = of_hub()
    assert (loaded.name, loaded.source, golds(loaded)) == (
        "tiny",
        "hub:org/tiny",
        [(GoldKind.NUMBER, "2")],
    )
    (hub / "odd.jsonl").write_bytes(line({"question": "1+2?", "answer": 3}))
    files = "data_files:\n  - split: test\n    path: odd.jsonl"
    (hub / "README.md").write_text(
        f"---\nconfigs:\n- config_name: default\n  {files}\n---\n# Tiny\n"
    )
    assert golds(of_hub()) == [(GoldKind.NUMBER, "3")]
    with pytest.raises(UserError, match="has no file like"):
        of_hub("dataset.split=dev")


def test_without_network_and_cache_the_hub_is_refused_in_a_sentence(
    hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise LocalEntryNotFoundError("no connection")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(Unavailable, match=r"hub's cache; connect, or give dataset\.path=FILE$"):
        of_hub()
