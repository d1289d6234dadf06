"""A run as tables, as a notebook asks for them."""

import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import distlab as dl
from distlab.report import build_report
from distlab.report.gap_table import GAPS
from distlab.report.results import write_results
from distlab.runs.keyed import CELL_KEYS
from distlab.store import store as stores
from distlab.store.store import Store

BASE = "org-tiny/base/given/sums/given"
INSTRUCT = "org-tiny/instruct/given/sums/given"


@pytest.fixture
def run(made: Path) -> dl.Run:
    return dl.open(made)


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    """A copy of the run with its store, elsewhere."""
    shutil.copytree(made.parents[1] / "store", tmp_path / "store")
    run = Path(shutil.copytree(made, tmp_path / "runs" / "moved"))
    manifest = run / "manifest.json"
    manifest.write_text(manifest.read_text().replace(str(made.parents[1]), "/gone"))
    return run


def test_samples_have_every_key_of_their_cell(run: dl.Run) -> None:
    table = run.samples().to_table()
    assert table.num_rows == 16
    assert table.column_names[: len(CELL_KEYS)] == list(CELL_KEYS)
    rows = {(r["cell"], r["problem_id"], r["rank"]): r for r in table.to_pylist()}
    assert len(rows) == 16
    first = rows[INSTRUCT, "2", 0]
    assert (first["text"], first["arm"], first["dataset"]) == ("2", "instruct/given", "sums")
    # Equal ids of two datasets are two problems.
    assert rows["org-tiny/instruct/given/words/given", "1", 0]["text"] == '=HYPERLINK("x")'


def test_a_slice_is_asked_for_by_cells_and_columns(run: dl.Run) -> None:
    some = run.samples(cells=[BASE], columns=["problem_id", "rank", "text"])
    assert some.schema.names == ["problem_id", "rank", "text"]
    assert some.to_table().num_rows == 6
    assert some.head(4).num_rows == 4
    assert some.head(0).num_rows == 0
    frame = some.to_pandas().sort_values(["problem_id", "rank"])
    assert frame.text.tolist() == ["1", "9", "7", "8", "3", "3"]
    with pytest.raises(dl.UserError, match="there is no column 'txt'; did you mean text"):
        run.samples(columns=["txt"])
    with pytest.raises(dl.UserError, match="there is no cell 'org-tiny/base'"):
        run.verdicts(cells=["org-tiny/base"])


def test_a_run_is_found_when_the_working_directory_is_another(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made.parent)
    run = dl.open(made.name)
    monkeypatch.chdir(tmp_path)
    assert run.problems().to_table().num_rows == 4


def test_nothing_is_read_before_rows_are_asked_for(
    run: dl.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(
        "distlab.runs.keyed.read_shard",
        lambda fs, path, columns: read.append(path) or stores.read_shard(fs, path, columns),
    )
    samples = run.samples()
    assert repr(samples).startswith("LazyTable(cell: dictionary")
    samples.reader()
    assert read == []
    samples.head(1)
    assert len(read) == 1
    assert len(run.samples(cells=[BASE]).to_table()) == 6
    assert len(read) == 2


def test_duckdb_joins_samples_verdicts_and_problems_and_asks_again(run: dl.Run) -> None:
    samples, verdicts, problems = run.samples(), run.verdicts(), run.problems()
    query = """
        SELECT arm, question, text, grader FROM samples
        JOIN verdicts USING (cell, problem_id, rank, arm, dataset)
        JOIN problems USING (dataset, problem_id)
        WHERE verdict = 'correct' AND dataset = 'sums' AND problem_id = '2' ORDER BY grader
    """
    asked = ("instruct/given", "What is 2, sums?", "2")
    for _ in range(2):
        assert duckdb.sql(query).fetchall() == [(*asked, "given:score"), (*asked, "standard")]
    assert [pa.table(each).num_rows for each in (samples, verdicts, problems)] == [16, 32, 4]


def test_labels_stand_beside_verdicts_and_name_no_extractor(run: dl.Run) -> None:
    table = run.verdicts(columns=["cell", "grader", "extractor", "verdict"]).to_table()
    rows = table.to_pylist()
    assert len(rows) == 32
    assert {(row["grader"], row["extractor"]) for row in rows} == {
        ("standard", "rules"),
        ("given:score", None),
    }


def test_scores_and_gaps_are_the_reports(run: dl.Run, made: Path, tmp_path: Path) -> None:
    tables = build_report(made)
    write_results(tmp_path / "results", tables)
    scores, gaps = run.scores(), run.gaps()
    for found, name in ((scores, "scores"), (gaps, "gaps")):
        written = pq.read_table(tmp_path / "results" / f"{name}.parquet")
        assert written.num_rows
        assert set(written.column_names) < set(found.column_names)
        assert found.select(written.column_names).to_pandas().equals(written.to_pandas())
        assert run.table(name).num_rows == written.num_rows
        assert name in run.tables
    assert set(scores["cell"].to_pylist()) == {cell.key for cell in run.cells}
    (gap,) = (
        row
        for row in gaps.to_pylist()
        if (row["base_cell"], row["metric"], row["grader"]) == (BASE, "Pass@2", "standard")
    )
    row = next(row for row in tables.rows(GAPS) if row.base.key == BASE and row.headline)
    assert (gap["difference"], gap["difference_low"]) == (
        row.gap.difference.value,
        row.gap.difference.estimate.low,
    )
    with pytest.raises(dl.UserError, match="the report has no table 'score'; did you mean"):
        run.table("score")
    with pytest.raises(dl.UserError, match=r"columns='text' is a text: give a list"):
        run.samples(columns="text")


def test_without_gaps_their_columns_are_there_all_the_same(own: Path) -> None:
    for file in own.glob("verdicts/*"):
        file.unlink()
    shutil.rmtree(own / "labels")
    (own / "verdicts" / "part.parquet").write_bytes(_only_base(own))
    gaps = dl.open(own).gaps()
    assert gaps.num_rows == 0
    assert gaps.schema.field("difference_low").type == pa.float64()
    assert gaps.schema.field("primary").type == pa.bool_()


def _only_base(run: Path) -> bytes:
    table = dl.open(Path(run)).samples(cells=[BASE]).to_table()
    assert table.num_rows == 6
    from tests.api.made import judged

    judged(run)
    (file,) = run.glob("verdicts/*.parquet")
    rows = pq.read_table(file)
    file.unlink()
    sink = pa.BufferOutputStream()
    kept = rows.filter(pa.array([cell == BASE for cell in rows["cell"].to_pylist()]))
    pq.write_table(kept, sink)
    return bytes(sink.getvalue())


def test_a_moved_run_finds_its_store_and_says_where_it_is_missing(own: Path) -> None:
    run = dl.open(own)
    assert run.samples(columns=["cell"]).to_table().num_rows == 16
    shutil.rmtree(own.parents[1] / "store")
    with pytest.raises(dl.UserError, match=r"has no cell org-tiny/base.* bring the store back"):
        dl.open(own).samples().to_table()
    assert dl.open(own).scores().num_rows == 8


def test_what_a_run_did_not_ask_for_and_what_is_twice_is_passed_over(own: Path) -> None:
    store = Store.look(str(own.parents[1] / "store"))
    (cell,) = (cell for cell in store.cells() if "base/given/sums" in cell.name)
    (shard,) = cell.shards()
    again = shard.replace("samples-", "samples-f", 1)[: -len("0.parquet")] + ".parquet"
    Path(again).write_bytes(Path(shard).read_bytes())
    assert len(cell.shards()) == 2
    assert dl.open(own).samples(cells=[BASE]).to_table().num_rows == 6
    manifest = own / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"n": 2', '"n": 1'))
    assert dl.open(own).samples(cells=[BASE]).to_table()["rank"].to_pylist() == [0, 0, 0]
    assert dl.open(own).verdicts(cells=[BASE]).to_table().num_rows == 6


def test_a_run_without_verdicts_and_one_scored_in_part_are_said(own: Path) -> None:
    mark = own / "verdicts" / ".in-part"
    mark.touch()
    with pytest.raises(dl.UserError, match="has verdicts on some samples alone: run `python"):
        dl.open(own).verdicts()
    shutil.rmtree(own / "verdicts")
    for ask in (dl.Run.verdicts, dl.Run.scores, dl.Run.gaps):
        with pytest.raises(dl.UserError, match=r"has no verdicts: run `python -m distlab.score"):
            ask(dl.open(own))
    assert dl.open(own).samples().head(3).num_rows == 3


def test_a_damaged_shard_is_named_while_rows_are_read(own: Path) -> None:
    shard = next((own.parents[1] / "store").rglob("samples-*.parquet"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    with pytest.raises(dl.UserError, match=r"the shard .* is damaged.*distlab store repair"):
        dl.open(own).samples().to_table()


def test_what_is_no_run_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(dl.UserError, match=r"is not a run folder: it has no manifest.json"):
        dl.open(tmp_path)


def test_importing_costs_nothing_and_the_name_run_stays_callable() -> None:
    script = (
        "import sys, distlab as dl;"
        "print(sorted({'pyarrow', 'numpy', 'hydra', 'scipy', 'ray'} & sys.modules.keys()));"
        "import distlab.run; assert callable(dl.run) and dl.run.main;"
        "assert {'open', 'run', 'Run', 'UserError'} <= set(dir(dl))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
    with pytest.raises(AttributeError, match="has no attribute 'opne'"):
        dl.opne  # type: ignore[attr-defined]  # noqa: B018
