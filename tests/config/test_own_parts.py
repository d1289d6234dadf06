import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from distlab.config import own_parts
from distlab.config.compose import compose_config, conf_folder
from distlab.config.door import validate
from distlab.config.own_parts import ENTRY_POINTS, own_conf_folders, recorded_parts
from distlab.errors import UserError
from distlab.study.provenance import own_parts as parts_of

QUIZ = "# Ours.\nsets:\n  {name}:\n    loader: own_parts_quiz:Quiz\n"
LOADER = "class Quiz:\n    def load(self, spec): ...\n    def exemplars(self, spec): ...\n"
Declare = Callable[[str], None]


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Declare:
    """Declare the entry point of an installed package."""

    def run(value: str) -> None:
        point = EntryPoint("theirs", value, ENTRY_POINTS)
        monkeypatch.setattr(own_parts, "entry_points", lambda group: [point])

    return run


def add(folder: Path, name: str) -> None:
    (folder / "dataset").mkdir(parents=True)
    (folder / "dataset" / f"{name}.yaml").write_text(QUIZ.format(name=name))


def test_yaml_is_found_in_conf_and_in_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declare: Declare
) -> None:
    add(tmp_path / "conf", "mine")
    add(tmp_path / "their_parts" / "yaml", "theirs")
    (tmp_path / "own_parts_quiz.py").write_text(LOADER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    declare("their_parts.yaml")
    assert own_conf_folders() == (tmp_path / "conf", tmp_path / "their_parts" / "yaml")
    study = validate(compose_config(["dataset=[mine,theirs]"]))
    assert [dataset.name for dataset in study.datasets] == ["mine", "theirs"]
    # The manifest's record of both.
    assert parts_of(study) == {
        "folders": [str(tmp_path / "conf"), str(tmp_path / "their_parts" / "yaml")],
        "modules": {"own_parts_quiz:Quiz": str(tmp_path)},
    }


def test_a_folder_of_ours_is_none_of_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(conf_folder().parent)
    assert own_conf_folders() == ()
    assert parts_of(validate(compose_config([]))) == {}


def test_what_a_manifest_records_of_parts_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = {"folders": ["/theirs", str(tmp_path / "mine")], "modules": {"gone:Quiz": "/theirs"}}
    assert recorded_parts(["no_such_module:Grader"], [Path("mine")], before) == {
        "folders": [str(tmp_path / "mine"), "/theirs"],
        "modules": {"gone:Quiz": "/theirs"},
    }
    assert recorded_parts(["distlab.scoring.graders.standard:Standard"], []) == {}


def test_an_entry_point_that_names_no_package_is_refused(declare: Declare) -> None:
    declare("no_such_package.conf")
    with pytest.raises(
        UserError, match=r"declares distlab\.conf as theirs = 'no_such_package\.conf'"
    ):
        compose_config([])
    assert "no_such_package" not in sys.modules


def test_yaml_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "grader").mkdir()
    (tmp_path / "grader" / "broken.yaml").write_text("# Ours.\nuse: [\n")
    folder = f"hydra.searchpath=[{tmp_path}]"
    with pytest.raises(UserError, match=r"broken\.yaml line 3 is no valid YAML"):
        compose_config([folder, "grader=broken"])
