import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from distlab.errors import UserError
from distlab.report import build_report, write_report
from distlab.report.__main__ import main
from distlab.report.questions.scale import SCALE
from distlab.report.score_table import SCORES
from distlab.runs.folder import RunFolder
from distlab.runs.joining import rerun_fields, runs_in
from distlab.runs.scored import SampleKey
from distlab.runs.verdicts import read_answers, read_study
from distlab.scoring.types import CORRECT
from distlab.store.cell import ProblemFailure
from tests.runs.written import Make, Samples, make_cell, make_problem

PROBLEMS = [make_problem(name) for name in "abc"]


@pytest.fixture
def sweep(make_run: Make, tmp_path: Path) -> Path:
    """Two families, and a folder of something else."""
    for job, family in enumerate(("small", "large")):
        cells = [replace(make_cell(a), family=family) for a in ("base/cot", "instruct/t0.05")]
        rows = [Samples(cell, p.id, "0001") for cell in cells for p in PROBLEMS]
        size = 10.0 ** (9 + job)
        run = make_run(
            cells,
            PROBLEMS,
            rows,
            config={"model": {"parameters": size}},
            run=str(job),
            timings_s={"sample": 2.0},
            notes=["slow", f"of {size:g}"],
        )
        (tmp_path / "sweep").mkdir(exist_ok=True)
        run.rename(tmp_path / "sweep" / str(job))
    (tmp_path / "sweep" / "other").mkdir()
    return tmp_path / "sweep"


def test_a_sweep_is_one_study(sweep: Path) -> None:
    assert [run.name for run in runs_in(sweep)] == ["0", "1"]
    study = build_report(sweep)
    assert {row.cell.family for row in study.rows(SCORES)} == {"small", "large"}
    ours = [(row.family, row.parameters) for row in study.rows(SCALE) if row.source == "ours"]
    assert ours == [("small", 1e9), ("large", 1e10)]
    assert study.manifest.timings_s == {"sample": 4.0}
    # What all runs have is said once.
    assert study.manifest.notes == ("slow", "0: of 1e+09", "1: of 1e+10")
    assert not any("One family" in sentence for sentence in study.cannot)


def test_jobs_are_in_the_order_of_their_numbers(tmp_path: Path, make_run: Make) -> None:
    for name in ("10", "9", "2"):
        make_run([], []).rename(tmp_path / name)
    assert [run.name for run in runs_in(tmp_path)] == ["2", "9", "10"]


def test_the_report_of_a_sweep_is_in_its_folder(
    sweep: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(sweep)]) == 0
    assert (sweep / "report.html").exists()
    assert "large" in (sweep / "report.md").read_text()
    # It is no run itself, and can be reported again.
    assert main([str(sweep / "0"), str(sweep / "1"), "--into", str(sweep / "both")]) == 0
    assert (sweep / "both" / "results" / "gaps.csv").exists()
    assert len(runs_in(sweep)) == 2


def test_two_runs_of_the_same_cell_are_refused(sweep: Path) -> None:
    with pytest.raises(UserError, match=r"both have the cell .*distlab\.compare"):
        build_report(sweep / "0", sweep / "0")


def drawn(make_run: Make, tmp_path: Path, name: str, **fields: object) -> Path:
    """A run of two arms, of which the branching one knows no seed."""
    cot, warm = make_cell("base/cot"), make_cell("instruct/t0.05")
    known = {cot.key: {"max_tokens": 8}, warm.key: {"max_tokens": 8}}
    known[warm.key] |= fields
    if "seed" not in fields:
        known[cot.key] |= fields
    cells = [replace(c, fingerprint=str(known[c.key])) for c in (cot, warm)]
    marks = "0001" if name == "first" else "1111"
    rows = [Samples(cell, p.id, marks) for cell in cells for p in PROBLEMS]
    failures = [ProblemFailure(warm.key, "z", name)]
    run = make_run(cells, PROBLEMS, rows, failures, run=name, fingerprints=known)
    return run.rename(tmp_path / name)


def test_a_cell_under_another_seed_is_a_rerun_and_in_no_other_figure(
    make_run: Make, tmp_path: Path
) -> None:
    first = drawn(make_run, tmp_path, "first", seed=0)
    study = read_study([first, drawn(make_run, tmp_path, "again", seed=1)])
    assert [table.cell.arm for table in study.tables] == ["base/cot", "instruct/t0.05"]
    # Each sample was read once, and from its own run.
    assert [int((table.codes == CORRECT).sum()) for table in study.tables] == [3, 3]
    assert not any("left out" in remark for remark in study.remarks)
    assert [row.error for row in study.manifest.failures] == ["first"]
    (rerun,) = study.reruns
    (table,) = rerun.tables
    assert table.cell.arm == "instruct/t0.05"
    assert (table.codes == CORRECT).all()
    assert rerun_fields(rerun.manifest, table.cell.key) == {"seed": 1}


def test_answers_are_those_of_the_first_run(make_run: Make, tmp_path: Path) -> None:
    runs = [drawn(make_run, tmp_path, f, seed=s) for s, f in enumerate(("first", "again"))]
    key = SampleKey(make_cell("instruct/t0.05").key, "rules", "a", 0)
    assert read_answers(runs, [key]) == {key: "8"}
    assert read_answers(runs[::-1], [key]) == {key: "7"}


def test_a_replicate_is_a_rerun_of_all_arms(make_run: Make, tmp_path: Path) -> None:
    runs = [drawn(make_run, tmp_path, name, replicate=name) for name in ("first", "b", "c")]
    study = read_study(runs)
    arms = [[table.cell.arm for table in rerun.tables] for rerun in study.reruns]
    assert arms == [["base/cot", "instruct/t0.05"]] * 2


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ({"seed": 1, "max_tokens": 16}, r"\(with another max_tokens\)"),
        ({"seed": 0}, "or draw a rerun of it with another `seed` or `replicate`"),
    ],
)
def test_what_differs_in_more_or_in_nothing_is_no_rerun(
    make_run: Make, tmp_path: Path, others: dict[str, object], why: str
) -> None:
    runs = [
        drawn(make_run, tmp_path, "first", seed=0),
        drawn(make_run, tmp_path, "again", **others),
    ]
    with pytest.raises(UserError, match=rf"first and again both have the cell .*{why}"):
        build_report(*runs)


def test_a_copied_run_is_no_second_one(sweep: Path) -> None:
    run = sweep / "0"
    shutil.copytree(run, sweep / "copy")
    with pytest.raises(UserError, match=r"two folders of the run .* both have the cell"):
        build_report(run, sweep / "copy")


def test_other_problems_under_one_name_are_refused(sweep: Path, make_run: Make) -> None:
    other = make_run([make_cell("base/t0.6")], [make_problem("z")])
    with pytest.raises(UserError, match="has other problems of gsm-symbolic"):
        build_report(sweep, other)


def test_damaged_nulls_are_named(make_run: Make) -> None:
    run = make_run([make_cell()], PROBLEMS, [Samples(make_cell(), "a", "0001")])
    file = RunFolder(run).nulls("gsm-symbolic")
    file.parent.mkdir()
    file.write_bytes(b"no parquet")
    with pytest.raises(UserError, match=r"nulls.*distlab\.score"):
        build_report(run)


def test_a_report_is_the_same_twice(sweep: Path, tmp_path: Path) -> None:
    study = build_report(sweep)
    first, second = (write_report(tmp_path / name, study) for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    for file in (tmp_path / "one" / "results" / "figures").iterdir():
        assert (
            file.read_bytes() == (tmp_path / "two" / "results" / "figures" / file.name).read_bytes()
        )
