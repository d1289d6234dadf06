"""Who may write a run folder."""

from pathlib import Path

import pytest

from distlab.errors import UserError
from distlab.runs.folder import RunFolder, occupied, occupied_new


def test_two_runs_of_one_second_get_a_folder_each(tmp_path: Path) -> None:
    wanted = tmp_path / "runs" / "20260101-120000-fam"
    with occupied_new(wanted) as first, occupied_new(wanted) as second:
        assert [first.path.name, second.path.name] == [wanted.name, f"{wanted.name}-2"]
        first.log.touch()
    # What a run left is not taken over, and an empty folder is.
    with occupied_new(wanted) as third:
        assert third.path == second.path
    assert sorted(file.name for file in wanted.parent.rglob("*")) == [wanted.name, "log.txt"]


def test_a_folder_that_hydra_prepared_is_new(tmp_path: Path) -> None:
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "multirun.yaml").touch()
    with occupied_new(tmp_path / "sweep") as folder:
        assert folder.path == tmp_path / "sweep"


def test_a_folder_in_use_is_refused_and_taken_up_again_afterwards(tmp_path: Path) -> None:
    with occupied(tmp_path / "run") as folder:
        folder.log.touch()
        sentence = "run is in use by another process: wait"
        with pytest.raises(UserError, match=sentence), occupied(tmp_path / "run"):
            pass
    with occupied(tmp_path / "run") as folder:
        assert [file.name for file in folder.path.iterdir() if file != folder.log] == [".lock"]


def test_what_fails_before_anything_is_written_leaves_no_folder(tmp_path: Path) -> None:
    for occupy in (occupied, occupied_new):
        with pytest.raises(UserError, match="no such model"), occupy(tmp_path / "run"):
            raise UserError("no such model")
    assert list(tmp_path.iterdir()) == []


def test_files_of_a_dataset_stay_inside_the_run(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    for file in (run.problems("../../x" + "é" * 300), run.nulls("/etc/x")):
        assert file.parent.parent == tmp_path
        assert len(file.name) < 220
