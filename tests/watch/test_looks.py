"""Which checkpoints a look takes for whole, while a training writes them."""

from pathlib import Path

import pytest

from distlab.errors import UserError
from distlab.watch.looks import Looks
from tests.checkpoints.made import write_checkpoint
from tests.checkpoints.test_facts import LLAMA

TENSORS = [("model.embed_tokens.weight", "BF16", (10, 64))]


def write(folder: Path, *, whole: bool = True) -> Path:
    weights = write_checkpoint(folder, LLAMA, TENSORS) / "model.safetensors"
    if not whole:
        weights.write_bytes(weights.read_bytes()[: -2 * 10 * 64])
    return folder


def names(looks: Looks) -> list[str]:
    return [path.name for path in looks.whole()]


def test_a_checkpoint_counts_once_two_looks_saw_the_same_files(tmp_path: Path) -> None:
    looks = Looks(tmp_path, r"step-(\d+)")
    assert names(looks) == []
    step = write(tmp_path / "step-20")
    write(tmp_path / "step-3")
    assert names(looks) == []
    assert not looks.is_calm
    assert names(looks) == ["step-3", "step-20"]
    assert looks.is_calm
    (step / "trainer_state.json").write_text("{}")
    assert names(looks) == ["step-3"]
    assert names(looks) == ["step-3", "step-20"]


def test_what_is_not_whole_is_left_out_however_long_it_stays(tmp_path: Path) -> None:
    looks = Looks(tmp_path, r"step-(\d+)")
    write(tmp_path / "step-1", whole=False)
    (tmp_path / "step-2").mkdir()
    (tmp_path / "runs").mkdir()
    (tmp_path / "step-3").write_text("a file")
    for _ in range(3):
        assert names(looks) == []
    assert looks.is_calm
    write(tmp_path / "step-1")
    looks.whole()
    assert names(looks) == ["step-1"]


def test_a_folder_that_is_not_there_yet_holds_nothing(tmp_path: Path) -> None:
    looks = Looks(tmp_path / "later", r"(\d+)")
    assert names(looks) == []
    write(tmp_path / "later" / "checkpoint-5")
    looks.whole()
    assert names(looks) == ["checkpoint-5"]


def test_a_pattern_that_is_none_is_refused_by_its_option(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"`--pattern` is 'step': put the step in brackets"):
        Looks(tmp_path, "step").whole()
