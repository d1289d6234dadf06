"""A tokenizer that is Python code of its checkpoint, as Kimi-K2's is, over a made-up vocabulary."""

import json
from pathlib import Path

import pytest

from distlab.checkpoints.checkpoint import Checkpoint
from distlab.checkpoints.tokenizer import load_tokenizer
from distlab.errors import UserError

GONE = "from transformers.models.gpt2.tokenization_gpt2 import bytes_to_unicode"
NOW = "from transformers.convert_slow_tokenizer import bytes_to_unicode"
CODE = '''
from transformers.tokenization_python import PreTrainedTokenizer
IMPORT


class ByteTokenizer(PreTrainedTokenizer):
    """A token per byte, and one for the end."""

    def __init__(self, **kwargs):
        self._letters = bytes_to_unicode()
        self._vocab = {letter: byte for byte, letter in self._letters.items()}
        self._tokens = {i: token for token, i in self._vocab.items()}
        self._bytes = {letter: byte for byte, letter in self._letters.items()}
        super().__init__(eos_token="<end>", **kwargs)

    @property
    def vocab_size(self):
        return len(self._vocab)

    def get_vocab(self):
        return {**self._vocab, **self.added_tokens_encoder}

    def _tokenize(self, text):
        return [self._letters[byte] for byte in text.encode()]

    def _convert_token_to_id(self, token):
        return self._vocab[token]

    def _convert_id_to_token(self, index):
        return self._tokens[index]

    def convert_tokens_to_string(self, tokens):
        return bytes(self._bytes[letter] for letter in "".join(tokens)).decode(errors="replace")
'''


def checkpoint(folder: Path, line: str) -> Checkpoint:
    (folder / "tokenization_byte.py").write_text(CODE.replace("IMPORT", line))
    auto = {"AutoTokenizer": ["tokenization_byte.ByteTokenizer", None]}
    (folder / "tokenizer_config.json").write_text(json.dumps({"auto_map": auto}))
    (folder / "config.json").write_text(json.dumps({"model_type": "made_up"}))
    return Checkpoint("org/Bytes", str(folder), None, "0" * 64)


@pytest.fixture(autouse=True)
def modules(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code of checkpoints is copied into a cache, which is one of the test here."""
    from transformers import dynamic_module_utils

    monkeypatch.setattr(
        dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path_factory.mktemp("modules"))
    )


def test_code_that_imports_what_transformers_moved_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refusal:
        load_tokenizer(checkpoint(tmp_path, GONE), trust_remote_code=True)
    sentence = str(refusal.value)
    assert "tokenizer of org/Bytes is code for another version of transformers than" in sentence
    assert "cannot import name 'bytes_to_unicode'" in sentence
    assert "pin `model.*.revision` to a commit that imports it from where it is, which " in sentence
    assert "now is in transformers.convert_slow_tokenizer, or copy the checkpoint into" in sentence


def test_code_that_was_corrected_as_the_sentence_says_is_loaded(tmp_path: Path) -> None:
    made = load_tokenizer(checkpoint(tmp_path, NOW), trust_remote_code=True)
    ids = made.encode(" 12 é", add_special_tokens=False)
    assert len(ids) == 6
    assert made.decode(ids) == " 12 é"


def test_code_is_not_run_unasked(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"set model\.trust_remote_code=true"):
        load_tokenizer(checkpoint(tmp_path, NOW))


def test_code_that_fails_is_one_sentence(tmp_path: Path) -> None:
    fails = f"{NOW}\nraise AttributeError('no such\\nattribute')"
    with pytest.raises(UserError) as refusal:
        load_tokenizer(checkpoint(tmp_path, fails), trust_remote_code=True)
    sentence = "the tokenizer of org/Bytes does not load: AttributeError: attribute"
    assert str(refusal.value) == sentence
