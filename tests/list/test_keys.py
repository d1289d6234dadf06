"""Every key of the config, as `distlab list keys` and the reference show it."""

import pytest
from omegaconf import OmegaConf

from distlab.config.compose import compose_config
from distlab.list.__main__ import main
from distlab.list.keys import config_keys

KEYS = {key.path: key for key in config_keys()}


@pytest.mark.parametrize(
    ("path", "type_name", "default"),
    [
        ("model.base.id", "str", None),
        ("model.parallel.NAME.tensor", "int", "1"),
        ("dataset.sets.NAME.train_path", "str | None", "null"),
        ("decoding.decided.budget", "float", "1.0"),
        ("cluster.replicas", "int | str", '"auto"'),
        ("cluster.nodes[].gpus", "int", "0"),
        ("cluster.enforce_eager", "bool", "false"),
        ("store", "str", '"store"'),
    ],
)
def test_a_key_has_its_type_and_default(path: str, type_name: str, default: str | None) -> None:
    assert (KEYS[path].type, KEYS[path].default) == (type_name, default)


def test_every_key_says_what_it_is() -> None:
    assert not [key.path for key in KEYS.values() if not key.comment.endswith(".")]


def test_no_key_is_left_out() -> None:
    """What a study is composed of has a row, or is a part of one."""
    config = OmegaConf.to_container(compose_config(["model=kimi-k2", "cluster=h100-2x8"]))
    assert isinstance(config, dict)
    groups = {path.partition(".")[0] for path in KEYS}
    assert set(config) <= groups
    for group in ("decoding", "cluster", "model"):
        tops = {path.split(".")[1].removesuffix("[]") for path in KEYS if path.startswith(group)}
        assert set(config[group]) == tops


def test_list_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys"]) == 0
    said = capsys.readouterr().out
    assert "grader.deadline_s: float = 5.0\n    CPU seconds an answer may take" in said
