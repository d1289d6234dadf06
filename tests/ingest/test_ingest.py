import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distlab.ingest.__main__ import main
from distlab.problems import GoldKind, read_problems
from distlab.runs.folder import RunFolder
from distlab.runs.labels import read_labels
from distlab.store.store import Store

Ingest = Callable[..., RunFolder]
Complain = Callable[..., str]
MAP = ("--map", "problem_id=id", "samples=code", "gold=gt")


def row(
    name: str = "a", gold: object = "7", code: object = ("7", "8"), **more: object
) -> dict[str, Any]:
    return {"id": name, "gt": gold, "code": list(code) if isinstance(code, tuple) else code, **more}


def write(folder: Path, rows: Sequence[object], name: str = "given.jsonl") -> Path:
    file = folder / name
    file.write_text("".join(f"{json.dumps(each)}\n" for each in rows))
    return file


def command(folder: Path, file: Path, *words: str) -> list[str]:
    mapping = () if "--map" in words else MAP
    places = ["--runs", str(folder / "runs")]
    if "--into" not in words:
        places += ["--store", str(folder / "store")]
    return [str(file), "--variant", "base", *mapping, *places, *words]


@pytest.fixture
def ingest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ingest:
    """Ingest rows; returns the run."""

    def run(rows: Sequence[object], *words: str, file: Path | None = None) -> RunFolder:
        assert main(command(tmp_path, file or write(tmp_path, rows), *words)) == 0
        printed = capsys.readouterr().out
        line = next(line for line in printed.splitlines() if line.startswith("run "))
        return RunFolder(Path(line.split(maxsplit=1)[1]))

    return run


@pytest.fixture
def complain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Complain:
    """Ingest rows that are refused; returns the sentence."""

    def run(rows: Sequence[object], *words: str, file: Path | None = None) -> str:
        assert main(command(tmp_path, file or write(tmp_path, rows), *words)) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert len(printed.err.splitlines()) == 1
        # Nothing is left behind that could be taken for samples.
        assert not (tmp_path / "store").exists()
        assert not (tmp_path / "runs").exists()
        return printed.err

    return run


def samples(run: RunFolder) -> list[dict[str, Any]]:
    manifest = run.read_manifest()
    store = Store.look(manifest.store)
    tables = [store.cell(cell.path).samples() for cell in manifest.cells]
    rows: list[dict[str, Any]] = pa.concat_tables(tables).to_pylist()
    return sorted(rows, key=lambda row: (row["problem_id"], row["rank"]))


def texts(run: RunFolder) -> list[tuple[str, int, str]]:
    return [(row["problem_id"], row["rank"], row["text"]) for row in samples(run)]


def test_a_row_with_a_list_is_a_problem_with_its_samples(ingest: Ingest) -> None:
    run = ingest([row("a", "7"), row("b", "1,000", ("x", "y"), level="Level 3")][:1])
    assert texts(run) == [("a", 0, "7"), ("a", 1, "8")]
    (problem,) = read_problems(run.problems("given"))
    assert (problem.id, problem.gold.kind, problem.gold.text) == ("a", GoldKind.NUMBER, "7")


def test_rows_with_one_text_are_put_together(ingest: Ingest) -> None:
    rows = [row("a", 7, "first"), row("b", 8, "x"), row("a", 7, "second"), row("b", 8, "y")]
    assert texts(ingest(rows)) == [
        ("a", 0, "first"),
        ("a", 1, "second"),
        ("b", 0, "x"),
        ("b", 1, "y"),
    ]


def test_a_rank_column_orders_the_samples(ingest: Ingest) -> None:
    rows = [row("a", 7, "second", at=1), row("a", 7, "first", at=0)]
    assert texts(ingest(rows, *MAP, "rank=at")) == [("a", 0, "first"), ("a", 1, "second")]


def test_parquet_and_csv_hold_the_same_samples(ingest: Ingest, tmp_path: Path) -> None:
    parquet = tmp_path / "given.parquet"
    pq.write_table(pa.Table.from_pylist([row("a"), row("b")]), parquet)
    csv = tmp_path / "given.csv"
    csv.write_text("id,gt,code\na,7,7\na,7,8\nb,7,7\nb,7,8\n")
    assert texts(ingest([], file=parquet)) == texts(ingest([], "--decoding", "csv", file=csv))


def test_what_the_file_says_of_a_sample_is_kept(ingest: Ingest) -> None:
    given = row(cut=["length", "stop"], sure=[0.5, None])
    run = ingest([given], *MAP, "truncated=cut", "delta=sure", "--kind", "cot")
    assert [(each["truncated"], each["given_delta"]) for each in samples(run)] == [
        (True, 0.5),
        (False, None),
    ]
    assert not any("cut off" in note for note in run.read_manifest().notes)


def test_strata_pairs_and_clusters_reach_the_problems(ingest: Ingest) -> None:
    given = row(level="3", source="s", twin="t", which="seed")
    words = ("strata.level=level", "cluster=source", "pair=twin", "side=which")
    (problem,) = read_problems(ingest([given], *MAP, *words).problems("given"))
    assert (problem.strata, problem.cluster, problem.pair, problem.side) == (
        {"level": "3"},
        "s",
        "t",
        "seed",
    )


def test_without_ids_a_question_names_its_problem(ingest: Ingest) -> None:
    run = ingest([row(q="How  many?")], "--map", "question=q", "samples=code", "gold=gt")
    (problem,) = read_problems(run.problems("given"))
    assert problem.id == "given-ba352e24c64c"
    assert problem.question == "How  many?"


def test_provenance_says_what_the_samples_are(ingest: Ingest) -> None:
    run = ingest([row()], "--family", "m", "--dataset", "d")
    manifest = run.read_manifest()
    (source,) = manifest.config["ingested"]
    assert len(source["sha256"]) == 64
    assert manifest.fingerprints["m/base/given/d/given"]["file_sha256"] == source["sha256"]
    assert "no engine of distlab drew them" in manifest.notes[0]
    assert "does not say which samples were cut off" in manifest.notes[1]
    assert manifest.versions["engine"].startswith("none")


def test_one_of_a_kind_is_counted_as_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(tmp_path, write(tmp_path, [row(code=["7"])]))) == 0
    assert "1 problem with 1 sample each: " in capsys.readouterr().out


def test_ingesting_again_stores_nothing_twice(ingest: Ingest, tmp_path: Path) -> None:
    ingest([row()])
    shards = set((tmp_path / "store").rglob("samples-*.parquet"))
    assert len(texts(ingest([row()]))) == 2
    assert set((tmp_path / "store").rglob("samples-*.parquet")) == shards


def test_fewer_samples_top_up_to_more(ingest: Ingest) -> None:
    first = ingest([row()], "--n", "1")
    assert (first.read_manifest().cells[0].n, len(texts(first))) == (1, 1)
    second = ingest([row()])
    assert second.read_manifest().cells[0].n == 2
    assert texts(second) == [("a", 0, "7"), ("a", 1, "8")]


def test_two_files_make_one_run_of_two_arms(ingest: Ingest, tmp_path: Path) -> None:
    first = ingest([row("a")], "--dataset", "d", "--family", "m")
    other = write(tmp_path, [row("a", code=("1", "2")), row("b")], "other.jsonl")
    words = ("--variant", "instruct", "--dataset", "d", "--family", "m", "--into", str(first.path))
    both = ingest([], *words, file=other)
    assert both.path == first.path
    assert [cell.arm for cell in both.read_manifest().cells] == ["base/given", "instruct/given"]
    assert [problem.id for problem in read_problems(both.problems("d"))] == ["a", "b"]


def test_megabytes_in_a_cell_of_csv_are_read(ingest: Ingest, tmp_path: Path) -> None:
    csv = tmp_path / "given.csv"
    csv.write_text(f"id,gt,code\na,7,{'x' * 200_000}\n")
    assert len(texts(ingest([], file=csv))[0][2]) == 200_000


def test_lone_surrogates_and_long_lines_are_stored(ingest: Ingest) -> None:
    long = "x" * 5_000_000
    assert texts(ingest([row(code=("\ud800", long))])) == [("a", 0, "?"), ("a", 1, long)]


def test_samples_may_be_empty_but_not_absent(ingest: Ingest, complain: Complain) -> None:
    assert "field `code` must hold texts, not nothing" in complain([row(code=("", None))])
    assert texts(ingest([row(code=("", ""))])) == [("a", 0, ""), ("a", 1, "")]


REFUSED: dict[str, tuple[list[object], tuple[str, ...], str]] = {
    "no such column": (
        [row()],
        ("--map", "problem_id=id", "samples=cod", "gold=gt"),
        "line 1 has no column `cod`, which --map names for samples; did you mean `code`?",
    ),
    "a row without it": ([row(), {"accuracy": 1}], (), "line 2 has no column `code`"),
    "that row can be left out": ([row(), {"accuracy": 1}], (), "with --skip 2"),
    "a list and a text": ([row(), row("b", code="x")], (), "line 2: field `code` must be a list"),
    "numbers": ([row(code=(1, 2))], (), "line 1: field `code` must hold texts, not int"),
    "duplicate ids": ([row(), row("b"), row()], (), "line 3 repeats the problem 'a' of"),
    "ragged": (
        [row(), row("b", code=("1", "2", "3"))],
        (),
        "line 2: field `code` gives problem 'b' 3 samples where",
    ),
    "ragged, remedy": ([row(), row("b", code=("1",))], (), "--n 1 keeps the first 1 of each"),
    "too few": ([row()], ("--n", "3"), "gives problem 'a' 2 samples, not 3"),
    "no samples": ([row(code=())], (), "line 1: field `code` is an empty list"),
    "another gold": ([row(gold=7, code="x"), row(gold=8, code="y")], (), "line 2: field `gt` is"),
    "repeated rank": (
        [row(code="x", at=0), row(code="y", at=0)],
        (*MAP, "rank=at"),
        "line 2: field `at` repeats rank 0",
    ),
    "absent rank": (
        [row(code="x", at=0), row(code="y", at=2)],
        (*MAP, "rank=at"),
        "leaves out rank 1",
    ),
    "no number": (
        [row(), row("b", "seven")],
        ("--gold-kind", "number"),
        "line 2: field `gt` must be a number in plain notation, not 'seven'",
    ),
    "no date": ([row(gold="7")], ("--gold-kind", "date"), "field `gt` holds '7', which no grader"),
    "too deep": ([row(gold="{" * 5000)], (), "which no grader can read as latex"),
    "no limits": ([row(gold="7")], ("--gold-kind", "interval"), "map gold_lower and gold_upper"),
    "no finish reason": (
        [row(cut=["stop", "maybe"])],
        (*MAP, "truncated=cut"),
        "field `cut` must be true, false, or a finish reason",
    ),
    "no side": (
        [row(which="left")],
        (*MAP, "side=which"),
        "line 1: field `which` must be seed, simple, hard or twin, not 'left'",
    ),
    "no label": (
        [row(ok=[True, False]), row("b", ok=[1, "maybe"])],
        (*MAP, "label=ok"),
        "given.jsonl line 2: field `ok` must be true, false, 1, 0, correct or incorrect, "
        "not 'maybe'; correct or remove that row",
    ),
    "absent label": ([row(ok=[True, None])], (*MAP, "label=ok"), "field `ok` must be true, false"),
    "short list": ([row(cut=[True])], (*MAP, "truncated=cut"), "field `cut` must be a list of 2"),
    "no rows": ([], (), "has no rows"),
    "unknown name": ([row()], (*MAP, "goldd=gt"), "--map has no `goldd`; did you mean `gold`?"),
    "no gold": ([row()], ("--map", "problem_id=id", "samples=code"), "which column holds the gold"),
    "no answer": (
        [row(), row("b", "N/A"), row("c", None)],
        (),
        "line 2: field `gt` is 'N/A', which is no answer (2 rows have no answer); map gold to the "
        "column of the final answers, or leave out the rows with --skip 2 3",
    ),
    "objects": (
        [row(code=[{"role": "assistant", "content": "7"}])],
        (),
        "holds objects with role, content: name the field of the text, as in code.NAME",
    ),
    "lists of lists": (
        [row(code=[["7", "8"]])],
        (),
        "field `code` holds lists of texts: name one by its place, as in code.0",
    ),
    "no file of a known dataset": (
        [row()],
        ("--known", "medcalc="),
        "--known medcalc= is no NAME=FILE: give both, or the NAME of a dataset",
    ),
    "no nested column": (
        [row(doc={"question": "q"})],
        (*MAP, "question=doc.questio"),
        "has no column `doc.questio`, which --map names for question; did you mean `doc.question`?",
    ),
    "another question": (
        [row(code="x", q="a"), row(code="y", q="b")],
        (*MAP, "question=q"),
        "line 2: field `q` is not that of",
    ),
    "no path": ([row()], ("--dataset", "../x"), "--dataset is '../x'"),
    "no such row": ([row()], ("--skip", "2"), "--skip 2 is no row of"),
    "greedy": ([row()], ("--kind", "greedy"), "--kind greedy takes one"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_one_sentence(case: str, complain: Complain) -> None:
    rows, words, sentence = REFUSED[case]
    assert sentence in complain(rows, *words)


def test_a_file_that_is_not_there_is_one_sentence(complain: Complain, tmp_path: Path) -> None:
    assert "does not exist" in complain([], file=tmp_path / "absent.jsonl")
    assert "is a folder; give the path of a file in it" in complain([], file=tmp_path)
    (tmp_path / "given.txt").write_text("no table")
    assert "unknown suffix" in complain([], file=tmp_path / "given.txt")


def test_hostile_names_reach_no_terminal(complain: Complain) -> None:
    sentence = complain([row("\x1b[31m\u202eevil"), row("\x1b[31m\u202eevil")])
    assert "\x1b" not in sentence
    assert "\\x1b[31m" in sentence


def test_a_run_that_sampled_is_not_added_to(
    ingest: Ingest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ingest([row()])
    manifest = json.loads(run.manifest_file.read_text())
    del manifest["config"]["ingested"]
    run.manifest_file.write_text(json.dumps(manifest))
    words = command(tmp_path, tmp_path / "given.jsonl", "--into", str(run.path))
    assert main(words) == 2
    assert "is a run that sampled" in capsys.readouterr().err


def test_labels_that_are_taken_are_refused(
    ingest: Ingest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ingest([row()], "--family", "m", "--dataset", "d")
    before = run.manifest_file.read_bytes()
    elsewhere = ["--into", str(run.path), "--store", str(tmp_path / "other")]
    assert main(command(tmp_path, tmp_path / "given.jsonl", *elsewhere)) == 2
    assert "leave --store away" in capsys.readouterr().err
    other = write(tmp_path, [row("a", 8)], "other.jsonl")
    words = ("--family", "m", "--dataset", "d", "--into", str(run.path))
    assert main(command(tmp_path, other, *words)) == 2
    assert "has a cell m/base/given/d/given from another file" in capsys.readouterr().err
    assert main(command(tmp_path, other, *words, "--decoding", "t1")) == 2
    assert "problem 'a' of d has another gold" in capsys.readouterr().err
    assert run.manifest_file.read_bytes() == before


def golds(run: RunFolder, dataset: str = "given") -> list[tuple[str, str, str]]:
    return [(p.id, p.gold.kind.value, p.gold.text) for p in read_problems(run.problems(dataset))]


def test_golds_are_read_out_of_what_they_stand_in(ingest: Ingest) -> None:
    given = [
        row("a", "# 18"),
        row("b", "# 2,125"),
        row("c", "9 * 8 = 72 apples a day, for all of the eight of them together.\n#### 72"),
        row("d", r"So we have $\boxed{1}$, and then \boxed{\frac{1}{2}}."),
        row("e", "\u22125"),
    ]
    run = ingest(given)
    assert golds(run) == [
        ("a", "number", "18"),
        ("b", "number", "2,125"),
        ("c", "number", "72"),
        ("d", "latex", r"\frac{1}{2}"),
        ("e", "number", "-5"),
    ]
    (said,) = (note for note in run.read_manifest().notes if "golds: " in note)
    assert "golds: 4 as number, 1 as latex (such as " in said
    assert "2 were read from behind #; 1 were read from behind ####" in said


def test_nested_columns_and_objects_are_samples(ingest: Ingest) -> None:
    given = {
        "doc": {"id": "a", "target": 7},
        "resps": [{"text": "x", "end": "stop"}, {"text": "y", "end": "length"}],
    }
    words = ("--map", "problem_id=doc.id", "gold=doc.target", "truncated=resps.end")
    for place, column in enumerate(("resps", "resps.text")):
        run = ingest([given], *words, f"samples={column}", "--decoding", f"d{place}")
        assert texts(run) == [("a", 0, "x"), ("a", 1, "y")]
        assert [each["truncated"] for each in samples(run)] == [False, True]


def test_lists_in_cells_of_csv_are_lists(ingest: Ingest, tmp_path: Path) -> None:
    csv = tmp_path / "given.csv"
    csv.write_text('id,gt,code\na,7,"[""7"", ""8""]"\nb,7,"[\'9\', \'7\']"\n')
    assert texts(ingest([], file=csv)) == [
        ("a", 0, "7"),
        ("a", 1, "8"),
        ("b", 0, "9"),
        ("b", 1, "7"),
    ]


def test_without_ids_and_questions_the_row_is_the_problem(ingest: Ingest) -> None:
    run = ingest([row(), {"accuracy": 1}, row()], "--map", "samples=code", "gold=gt", "--skip", "2")
    assert {name for name, _, _ in texts(run)} == {"1", "3"}
    assert any("id is the number of its row" in note for note in run.read_manifest().notes)


def test_several_files_are_one_cell(ingest: Ingest, tmp_path: Path) -> None:
    listed = write(tmp_path, [row("b"), row("a", "7.0", ("9",) * 2)], "more.jsonl")
    files = [str(write(tmp_path, [row("a"), row("b", code=("1", "2"))])), str(listed)]
    run = ingest([], *files[1:], file=Path(files[0]))
    assert texts(run)[:4] == [("a", 0, "7"), ("a", 1, "8"), ("a", 2, "9"), ("a", 3, "9")]
    (source,) = run.read_manifest().config["ingested"]
    assert source["file"] == ", ".join(files)
    assert "given.jsonl and 1 more" in run.read_manifest().notes[0]


def test_rows_of_several_files_are_left_out_by_file(ingest: Ingest, tmp_path: Path) -> None:
    more = write(tmp_path, [{"accuracy": 1}, row("b")], "more.jsonl")
    run = ingest([row("a"), row("c")], str(more), "--skip", "more.jsonl:1", f"{more}:2")
    assert {name for name, _, _ in texts(run)} == {"a", "c"}
    assert any("row more.jsonl:1, " in note for note in run.read_manifest().notes)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--map", "samples=code", "gold=gt"), "several files name no problems"),
        (("--skip", "1"), "--skip 1 names no row of one file: give ROW, or FILE:ROW of several"),
        (("--skip", "more.jsonl:7"), "--skip more.jsonl:7 is no row of more.jsonl"),
        (("--skip", "mor.jsonl:1"), "--skip mor.jsonl:1 is no row of mor.jsonl"),
    ],
)
def test_several_files_need_ids(
    words: tuple[str, ...], sentence: str, complain: Complain, tmp_path: Path
) -> None:
    more = write(tmp_path, [row("b")], "more.jsonl")
    assert sentence in complain([row()], str(more), *words)


def test_a_dataset_that_is_known_may_be_joined(ingest: Ingest) -> None:
    notes = ingest([row()], "--dataset", "medcalc").read_manifest().notes
    assert any("--known medcalc would take kinds, limits and strata" in note for note in notes)


def test_columns_that_are_not_taken_are_named(ingest: Ingest) -> None:
    run = ingest([row(report=[True, False], pred="7")])
    assert any(
        "columns not taken: report, pred; --map label=COLUMN makes a judge of labels" in note
        for note in run.read_manifest().notes
    )


def labels(run: RunFolder) -> list[tuple[str, list[int], list[bool]]]:
    found = [read_labels(file) for file in run.label_files()]
    return [(each.judge, each.ranks.tolist(), each.correct.tolist()) for each in found]


def test_a_list_of_labels_in_a_cell_of_a_csv_is_taken(ingest: Ingest, tmp_path: Path) -> None:
    csv = tmp_path / "given.csv"
    csv.write_text('id,gt,code,labels\na,7,"[""7"", ""8""]","[0, 1]"\n')
    assert labels(ingest([], file=csv)) == [("given:labels", [0, 1], [False, True])]


def test_labels_of_rows_with_one_text_go_with_their_ranks(ingest: Ingest) -> None:
    rows = [row("a", 7, "x", at=1, ok="correct"), row("a", 7, "y", at=0, ok="incorrect")]
    run = ingest(rows, *MAP, "rank=at", "label=ok")
    assert labels(run) == [("given:ok", [0, 1], [False, True])]
    (said,) = (note for note in run.read_manifest().notes if "labels: " in note)
    assert said.endswith(
        "labels: column ok is the judge given:ok, whichever extractor reads: "
        "1 of 2 samples are correct"
    )


def test_one_label_may_stand_beside_a_list_of_one_sample(ingest: Ingest) -> None:
    run = ingest([row("a", code=("7",), correct=True)], *MAP, "label=correct")
    assert labels(run) == [("given:correct", [0], [True])]


def test_golds_and_questions_of_other_spelling_are_the_same(ingest: Ingest, tmp_path: Path) -> None:
    labels = ("--dataset", "d", "--family", "m", *MAP, "question=q")
    first = ingest([row("a", "1,000", q="How  many?"), row("b", r"\frac12", q="What?")], *labels)
    again = [row("a", 1000.0, q="How many?"), row("b", r"\frac{1}{2}", q="What?")]
    other = write(tmp_path, again, "other.jsonl")
    run = ingest([], *labels, "--decoding", "t1", "--into", str(first.path), file=other)
    assert golds(run, "d") == [("a", "number", "1,000"), ("b", "latex", r"\frac12")]


def test_rows_of_one_problem_may_spell_its_gold_differently(ingest: Ingest) -> None:
    rows = [row("a", "1,000", "x"), row("a", 1000, "y")]
    assert texts(ingest(rows)) == [("a", 0, "x"), ("a", 1, "y")]
