import csv
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from distlab.report import build_report
from distlab.report.gap_table import GAPS
from distlab.report.results import write_results
from tests.runs.written import Make, Samples, make_cell, make_problem

COT, WARM = make_cell("base/cot"), make_cell("instruct/t0.05")


def test_tables_as_parquet_and_csv(make_run: Make) -> None:
    problems = [replace(make_problem("a"), strata={"=cmd": "=HYPERLINK(1)\n"}), make_problem("b")]
    rows = [Samples(COT, "a", "0001"), Samples(WARM, "a", "0000")]
    rows += [Samples(COT, "b", "0000"), Samples(WARM, "b", "1000")]
    run = make_run([COT, WARM], problems, rows)
    study = build_report(run)
    write_results(run / "results", study)
    names = {file.stem for file in (run / "results").iterdir()}
    assert names == {table.name for table, rows in study.tables.items() if rows}
    assert names >= {"scores", "outcomes", "curves", "gaps", "winners", "strata", "reasoned_gaps"}
    for name in names:
        markdown = (run / "results" / f"{name}.md").read_text().splitlines()
        latex_rows = (run / "results" / f"{name}.tex").read_text().count(" \\\\\n")
        table = pq.read_table(run / "results" / f"{name}.parquet")
        with (run / "results" / f"{name}.csv").open(newline="") as stream:
            lines = list(csv.DictReader(stream))
        assert len(lines) == len(table)
        assert list(lines[0]) == table.column_names
        assert len(markdown) - 2 == latex_rows - 1
    gaps = pq.read_table(run / "results" / "gaps.parquet").to_pylist()
    assert gaps[0]["metric"] == "Pass@4"
    assert gaps[0]["difference"] == 0
    assert gaps[0]["base_decoding"] == "cot"
    assert gaps[0]["difference_p"] == gaps[0]["mcnemar"] == 1


def test_no_formula_in_csv(make_run: Make) -> None:
    problems = [replace(make_problem("a"), strata={"=cmd": "=HYPERLINK(1)\n"})]
    run = make_run([COT, WARM], problems, [Samples(COT, "a", "0001"), Samples(WARM, "a", "0000")])
    write_results(run / "results", build_report(run))
    with (run / "results" / "strata.csv").open(newline="") as stream:
        row = next(csv.DictReader(stream))
    assert row["stratum"] == "'=cmd"
    assert row["value"] == r"'=HYPERLINK(1)\n"
    assert float(row["difference"]) == -1
    table = pq.read_table(run / "results" / "strata.parquet")
    assert table["value"].to_pylist() == ["=HYPERLINK(1)\n"]


def test_tables_of_an_earlier_report_go(make_run: Make) -> None:
    rows = [Samples(COT, "a", "0001"), Samples(WARM, "a", "0000")]
    run = make_run([COT, WARM], [make_problem("a")], rows)
    study = build_report(run)
    write_results(run / "results", study)
    write_results(run / "results", replace(study, tables={**study.tables, GAPS: ()}))
    assert not list((run / "results").glob("gaps.*"))
    assert not list((run / "results").glob("*.tmp"))


def test_nothing_to_write(make_run: Make) -> None:
    run = make_run([COT], [])
    write_results(run / "results", build_report(run))
    assert list((run / "results").iterdir()) == []


@pytest.mark.parametrize("name", ["scores", "gaps"])
def test_columns_have_names_of_their_own(make_run: Make, name: str) -> None:
    rows = [Samples(COT, "a", "0001"), Samples(WARM, "a", "0000")]
    run = make_run([COT, WARM], [make_problem("a")], rows)
    write_results(run / "results", build_report(run))
    names = pq.read_schema(run / "results" / f"{name}.parquet").names
    assert len(names) == len(set(names))
