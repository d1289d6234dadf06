from pathlib import Path

import pytest

from distlab.config.compose import conf_folder
from distlab.list.__main__ import main
from distlab.list.options import GROUPS, options, summary

OPTIONS = [
    pytest.param(group, option, id=f"{group}={option.name}")
    for group in GROUPS.values()
    for option in options(group, [conf_folder()])
]


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_says_what_it_is_in_a_line(group: str, option: object) -> None:
    file = conf_folder() / group / f"{option.name}.yaml"  # type: ignore[attr-defined]
    assert 12 <= len(summary(file)) <= 100, file


def test_every_group_of_the_config_can_be_listed() -> None:
    ours = {folder.name for folder in conf_folder().iterdir() if folder.is_dir()}
    assert ours - {"hydra"} == set(GROUPS.values())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# Llama 3.1 70B, from the hub. Gated there.\na: 1\n", "Llama 3.1 70B, from the hub"),
        ("# @package _global_\n# Two\n# lines. More.\n", "Two lines"),
        ("# No full stop\n\n# another comment.\n", "No full stop"),
        ("a: 1\n# Not leading.\n", ""),
    ],
)
def test_a_summary_is_the_first_sentence_of_the_leading_comment(
    text: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "a.yaml").write_text(text)
    assert summary(tmp_path / "a.yaml") == said


def test_the_command_prints_a_line_each_with_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_text("# My own. Small.\nname: mine\n")
    assert main(["models", "--config-dir", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(list((conf_folder() / "model").glob("*.yaml")))
    assert [line.split(maxsplit=1)[1] for line in lines if line.startswith("mine ")] == ["My own"]
    assert main(["models", "--config-dir", str(tmp_path / "nowhere")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_an_unknown_kind_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model"]) == 2
    said = capsys.readouterr().err
    assert said.endswith("argument kind: there is no 'model'; did you mean models?\n")


def test_what_cannot_be_chosen_alone_is_not_listed() -> None:
    listed = {option.name for option in options("decoding", [conf_folder()])}
    assert listed == {"cot", "greedy", "grid", "ladder", "paper", "stochastic", "temperatures"}
