"""The command line of the report."""

from pathlib import Path

import pytest

from distlab.errors import UserError
from distlab.problems import write_problems
from distlab.report.__main__ import main
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import INGESTED, Manifest
from distlab.store.cell import ProblemFailure
from tests.runs.written import Samples, make_cell, make_problem, write_verdicts


def make_run(folder: Path, **fields: object) -> Path:
    """A run that was stopped before it was scored."""
    run = RunFolder(folder)
    folder.mkdir()
    cell = make_cell()
    run.write_manifest(Manifest(folder.name, "distlab run seed=1", "store", (cell,), **fields))
    (folder / "problems").mkdir()
    write_problems(run.problems(cell.dataset), [make_problem("p")])
    return folder


def complaint(capsys: pytest.CaptureFixture[str], *words: Path) -> str:
    assert main(list(map(str, words))) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def test_what_is_no_run_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file", tmp_path / "nothing"):
        assert "is not a run folder" in complaint(capsys, path)


def test_a_run_that_was_stopped_has_no_report_but_a_way_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path / "run")
    assert complaint(capsys, run) == (
        f"distlab: {run} has no verdicts: run `python -m distlab.score {run}` first; a run that "
        "was stopped goes on with `distlab run seed=1`\n"
    )
    assert not (run / "report.html").exists()


def test_samples_from_elsewhere_are_to_be_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path / "run", config={INGESTED: []})
    assert complaint(capsys, run).endswith(f"distlab.score {run}` first\n")


def test_a_run_in_which_every_problem_failed_has_its_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = ProblemFailure(make_cell().key, "p", "too long")
    run = make_run(tmp_path / "run", failures=(failure,))
    assert main([str(run)]) == 0
    assert (run / "report.html").exists()
    said = capsys.readouterr().out.splitlines()
    assert said[-2:] == [f"report: {run}/report.html", f"samples: distlab view {run}"]


def test_a_run_that_was_scored_in_part_is_not_reported_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = ProblemFailure(make_cell().key, "p", "too long")
    run = make_run(tmp_path / "run", failures=(failure,))
    folder = RunFolder(run)
    with pytest.raises(KeyboardInterrupt), folder.judging():
        write_verdicts(folder.verdicts, [Samples(make_cell(), "p", "1100")])
        raise KeyboardInterrupt
    said = f"{run} has verdicts on some samples alone: run `python -m distlab.score {run}` first"
    assert said in complaint(capsys, run)
    with folder.judging():
        pass
    assert main([str(run)]) == 0
    assert said not in capsys.readouterr().out


def test_a_scoring_that_was_refused_leaves_the_run_scored(tmp_path: Path) -> None:
    folder = RunFolder(make_run(tmp_path / "run"))
    write_verdicts(folder.verdicts, [Samples(make_cell(), "p", "1100")])
    with pytest.raises(UserError), folder.judging():
        raise UserError("a key is out of range")
    assert folder.is_scored
    with pytest.raises(UserError), folder.judging():
        write_verdicts(folder.verdicts, [Samples(make_cell(), "q", "1100")])
        raise UserError("a shard is damaged")
    assert not folder.is_scored
    # Nor does a second one that is refused make it whole.
    with pytest.raises(UserError), folder.judging():
        raise UserError("a key is out of range")
    assert not folder.is_scored


def test_the_next_report_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    failure = ProblemFailure(make_cell().key, "p", "too long")
    run = make_run(tmp_path / "run", failures=(failure,))
    drafts = [run / f".report.html.{'0' * 32}.tmp", run / "results" / f".gap.csv.{'a' * 32}.tmp"]
    (run / "results").mkdir()
    for draft in drafts:
        draft.touch()
    assert main([str(run)]) == 0
    assert list(run.rglob(".*.tmp")) == []


@pytest.mark.parametrize("points", ["0", "-3", "101", "nan", "five"])
def test_a_margin_is_some_points(capsys: pytest.CaptureFixture[str], points: str) -> None:
    assert main(["runs/one", f"--margin={points}"]) == 2
    assert "name percentage points above 0 and at most 100" in capsys.readouterr().err
