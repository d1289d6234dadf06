"""Hydra's own options, where they lead nowhere."""

from pathlib import Path

import pytest

from distlab import __version__
from distlab.config.compose import conf_folder
from distlab.config.hydra_options import check_options
from distlab.errors import UserError


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--config-dir", "/nope"), "the config folder /nope does not exist: name one that does"),
        (("-cd", "/nope"), "the config folder /nope does not exist: name one that does"),
        (("--config-path", "nope"), "--config-path is nope: give the absolute path of a folder"),
        (("--config-path=/nope",), "--config-path is /nope: give the absolute path of a folder"),
        (("-cn", "nope"), "--config-name is nope: there is no nope.yaml in "),
        (("--config-name", "nope.yaml"), "--config-name is nope.yaml: there is no nope.yaml in "),
    ],
)
def test_what_does_not_exist_is_named_with_the_remedy(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UserError) as caught:
        check_options([*words, "--cfg", "job"])
    assert str(caught.value).startswith(said)
    assert "config-dir" in str(caught.value) or "name one that does" in str(caught.value)


@pytest.mark.parametrize("name", ["config", "config.yaml", "mine"])
def test_what_exists_passes(name: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").touch()
    check_options(["--config-dir", str(tmp_path), "--config-name", name, "seed=1"])
    check_options(["--config-path", str(conf_folder()), "-m", "seed=1,2"])
    check_options(["--config-path", "pkg://somewhere.conf"])


def test_the_version_is_distlabs_and_a_wrong_option_names_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as asked:
        check_options(["--version"])
    assert asked.value.code == 0
    with pytest.raises(SystemExit) as wrong:
        check_options(["--nonsense"])
    assert wrong.value.code == 2
    said = capsys.readouterr()
    assert said.out.startswith(f"distlab {__version__}")
    assert said.err.endswith("distlab run: error: unrecognized arguments: --nonsense\n")
